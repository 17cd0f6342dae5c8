"""Readers see one moment, and hold up nobody who writes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class ReadGate:
    """Many readers or one writer. A writer never waits for a reader: what comes meanwhile is done when the last reader
    leaves, and before the next one enters. So whoever asks after a write sees it."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        """`prepare`: called before readers enter after something was written, with nobody inside but those who do not
        need it."""
        self._prepare = prepare
        self._is_prepared = False
        self._changed = threading.Condition()
        self._readers = 0
        self._waiting: deque[Callable[[], None]] = deque()
        self._writes = 0

    @property
    def writes(self) -> int:
        """How many were done. Who reads sees the same number as long as nothing is another."""
        return self._writes

    def write(self, change: Callable[[], None]) -> None:
        """Do it now, or as soon as nobody reads. It may not raise."""
        with self._changed:
            self._waiting.append(change)
            if not self._readers:
                self._do_what_waits()

    @contextmanager
    def reading(self, *, is_prepared: bool = True) -> Iterator[None]:
        """`is_prepared`: whether it has to be. Who needs nothing that is prepared does not pay for it."""
        with self._changed:
            while self._waiting and self._readers:
                self._changed.wait()
            self._do_what_waits()
            if is_prepared and not self._is_prepared:
                self._prepare()
                self._is_prepared = True
            self._readers += 1
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def reading_at_once(self) -> Iterator[bool]:
        """Whether one may read what needs not be prepared: not where one would have to wait for somebody who writes."""
        may_read = self._changed.acquire(blocking=False)
        if may_read:
            may_read = not self._waiting
            self._readers += may_read
            self._changed.release()
        try:
            yield may_read
        finally:
            if may_read:
                self._leave()

    def _leave(self) -> None:
        with self._changed:
            self._readers -= 1
            if not self._readers:
                self._do_what_waits()
                self._changed.notify_all()

    def _do_what_waits(self) -> None:
        while self._waiting:
            self._is_prepared = False
            self._writes += 1
            self._waiting.popleft()()
