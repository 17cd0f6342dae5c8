"""From the thread that takes snapshots to one that may have to wait for a disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_WAITING = 16
WAIT_SECONDS = 0.1
"""For room, once: a disk that hangs is not waited for again."""


class Handoff(Generic[T]):
    """First in, first out, one at a time. Of more than it holds the oldest are left out."""

    def __init__(self, take: Callable[[T], None], at_end: Callable[[], None]) -> None:
        """`take` is called for each, and `at_end` after the last, by a thread of its own."""
        self._take = take
        self._at_end = at_end
        self._waiting: deque[T] = deque()
        self._is_taking = self._is_stuck = self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="handoff", daemon=True)
        self.failure: BaseException | None = None
        """The bug that ended its thread."""
        self.left_out = 0

    def start(self) -> None:
        self._thread.start()

    def put(self, item: T) -> None:
        with self._changed:
            if len(self._waiting) >= MOST_WAITING and not self._is_stuck:
                self._is_stuck = not self._changed.wait_for(lambda: len(self._waiting) < MOST_WAITING, WAIT_SECONDS)
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.left_out += 1
            self._waiting.append(item)
            self._changed.notify_all()

    @property
    def is_empty(self) -> bool:
        return not (self._waiting or self._is_taking)

    def close(self) -> None:
        """What waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while items := self._next():
                self._take(items[0])
                with self._changed:
                    self._is_taking = self._is_stuck = False
                    self._changed.notify_all()
        except BaseException as error:
            self.failure = error
        finally:
            self._at_end()

    def _next(self) -> list[T]:
        """Empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._is_taking = bool(self._waiting)
            return [self._waiting.popleft()] if self._waiting else []
