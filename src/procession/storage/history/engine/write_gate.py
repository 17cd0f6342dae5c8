"""Lets a moment pass in which nothing is written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WriteGate:
    """Any number of writers at once, or one thread that keeps all others out."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._writers = 0
        self._holder: int | None = None
        """The thread that has shut it."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._holder in (None, threading.get_ident()))
            self._writers += 1
        try:
            yield
        finally:
            with self._changed:
                self._writers -= 1
                self._changed.notify_all()

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Begins once those have ended who write; other threads wait until it is over. May be within another."""
        with self._changed:
            if self._holder == threading.get_ident():
                is_outermost = False
            else:
                is_outermost = True
                self._changed.wait_for(lambda: self._holder is None)
                self._holder = threading.get_ident()
                self._changed.wait_for(lambda: not self._writers)
        try:
            yield
        finally:
            if is_outermost:
                with self._changed:
                    self._holder = None
                    self._changed.notify_all()
