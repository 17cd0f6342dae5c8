"""Names by number, from something that may take its time: a directory server behind the system's user database, or a
file on a disk that does not answer.

Nobody waits for an answer but for a moment, and only where the last ones came that quickly. What asks the system cannot
be interrupted, so it is left to itself in a thread of its own, while other threads go on asking. At most `MAX_THREADS`
may hang; then nothing more is asked until one of them returns.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection

import msgspec

WAIT_SECONDS = 0.1
"""For names that are asked for the first time. Mostly it takes less than a millisecond."""

MAX_AT_ONCE = 4
HANGS_AFTER = 1.0
"""Seconds without an answer until another is asked for at the same time."""
MAX_THREADS = 32
MAX_KNOWN = 10_000

AGAIN_SECONDS = 60.0
"""Until a number without a name is asked for again; it doubles each time, up to `keep_seconds`."""

SLOW_SECONDS = 5.0
"""Without an answer, and a person is told."""


class _Known(msgspec.Struct):
    name: str = ""
    """Empty: none, or none yet."""
    is_asked: bool = True
    again_at: float = 0.0
    misses: int = 0


class Lookups:
    """To be asked by any thread. A name that was known stays while there is no other."""

    def __init__(
        self,
        ask: Callable[[int], str],
        *,
        keep_seconds: float = 600.0,
        wait_seconds: float = WAIT_SECONDS,
        say_slow: Callable[[], None] | None = None,
    ) -> None:
        """`ask` gives the name of a number, or an empty text; many threads at a time call it. `say_slow` is called once
        if it takes very long."""
        self._ask = ask
        self._keep_seconds = keep_seconds
        self._wait_seconds = wait_seconds
        self._say_slow = say_slow
        self._changed = threading.Condition()
        self._known: dict[int, _Known] = {}
        self._to_ask: deque[int] = deque()
        self._begun: dict[int, float] = {}
        """What is being asked, and since when."""
        self._is_quick = True
        self._moment = 0.0
        self.version = 0
        """Another one after each answer that says something new."""

    def get(self, number: int) -> str:
        """The name, as far as it is known."""
        known = self._known.get(number)
        return "" if known is None else known.name

    def expect(self, numbers: Collection[int], moment: float, *, wait_seconds: float | None = None) -> None:
        """These are all that are of interest now. Have those asked for that are new, or whose time it is; for the new
        ones wait a moment, unless it proved to be in vain."""
        with self._changed:
            new = [number for number in numbers if number not in self._known]
            if len(self._known) + len(new) > MAX_KNOWN:
                self._forget_all_but(numbers)
            for number in new[: max(0, MAX_KNOWN - len(self._known))]:
                self._known[number] = _Known()
                self._to_ask.append(number)
            for number in numbers:
                known = self._known.get(number)
                if known is not None and not known.is_asked and moment >= known.again_at:
                    known.is_asked = True
                    self._to_ask.append(number)
            if not self._to_ask:
                self._complain()
                return
            self._moment = moment
            self._start_threads()
            seconds = self._wait_seconds if wait_seconds is None else wait_seconds
            if new and seconds and (self._is_quick or wait_seconds is not None):
                self._is_quick = self._changed.wait_for(lambda: not self._is_asking(new), seconds)

    def _is_asking(self, numbers: Collection[int]) -> bool:
        return any((known := self._known.get(number)) is not None and known.is_asked for number in numbers)

    def _forget_all_but(self, numbers: Collection[int]) -> None:
        kept = set(numbers) | set(self._begun) | set(self._to_ask)
        self._known = {number: known for number, known in self._known.items() if number in kept}

    def _start_threads(self) -> None:
        now = time.monotonic()
        hanging = sum(now - begun > HANGS_AFTER for begun in self._begun.values())
        free = min(MAX_THREADS, MAX_AT_ONCE + hanging) - len(self._begun)
        for _ in range(min(len(self._to_ask), free)):
            number = self._to_ask.popleft()
            self._begun[number] = now
            # A daemon, since nothing may end it before its answer is there.
            threading.Thread(target=self._run, args=(number,), name="names", daemon=True).start()

    def _run(self, number: int) -> None:
        following: int | None = number
        while following is not None:
            try:
                name = self._ask(following)
            except Exception:  # of a library that the system's database loads, say; a name is not worth the agent
                name = ""
            following = self._take(following, name)

    def _take(self, number: int, name: str) -> int | None:
        """Keep an answer, and say what to ask next."""
        with self._changed:
            took = time.monotonic() - self._begun.pop(number)
            self._is_quick = took < self._wait_seconds
            known = self._known.setdefault(number, _Known())
            known.is_asked = False
            if name:
                known.misses, seconds = 0, self._keep_seconds
            else:
                seconds = min(AGAIN_SECONDS * 2.0**known.misses, self._keep_seconds)
                known.misses = min(known.misses + 1, 16)
            known.again_at = self._moment + seconds
            if name and name != known.name:
                known.name = name
                self.version += 1
            following = self._to_ask.popleft() if self._to_ask else None
            if following is not None:
                self._begun[following] = time.monotonic()
            self._changed.notify_all()
            return following

    def _complain(self) -> None:
        if self._say_slow is None or not self._begun:
            return
        if time.monotonic() - min(self._begun.values()) > SLOW_SECONDS:
            self._say_slow()
            self._say_slow = None
