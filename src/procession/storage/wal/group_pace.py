"""How long the log rests between two groups."""

from __future__ import annotations

import time
from collections.abc import Callable

REST_SECONDS = 0.01
"""What comes meanwhile shares a sync, and is answered so much later at most."""

_BEGIN_RATE, _END_RATE = 120, 80
"""Records a second, from which on it rests, and below which it does so no more."""

_LEAST_RECORDS = 1.5
"""In a group, on average. With fewer, whoever appends waits for one to be written before the next: a rest holds him up
and gains nothing."""

_LOOK_SECONDS = 0.5
_LOOK_GROUPS = 8
_LEFT_ALONE_SECONDS = 10.0


class GroupPace:
    """Many records make it worth while to wait for more: waking a thread and syncing cost as much for one as for ten.
    Where few come, each is written at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._records = self._groups = 0
        self._rests = False
        self._left_alone_until = 0.0

    def rest_after(self, records: int) -> float:
        """A group of so many was written: how many seconds to rest before the next."""
        self._records += records
        self._groups += 1
        now = self._clock()
        seconds = now - self._since
        if seconds >= _LOOK_SECONDS or (self._rests and self._groups >= _LOOK_GROUPS):
            self._look(now, seconds)
        return REST_SECONDS if self._rests else 0.0

    def _look(self, now: float, seconds: float) -> None:
        rate = self._records / max(seconds, 1e-6)
        if self._rests and self._records < _LEAST_RECORDS * self._groups:
            self._left_alone_until = now + _LEFT_ALONE_SECONDS
        is_busy = rate >= (_END_RATE if self._rests else _BEGIN_RATE)
        self._rests = is_busy and now >= self._left_alone_until
        self._since, self._records, self._groups = now, 0, 0
