"""Limits log lines that could come by the thousand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

PERIOD_SECONDS = 60.0
MAX_SUBJECTS = 1000


@dataclass(slots=True)
class _Period:
    """The period of a subject, which began with the first line about it."""

    began_at: float
    lines: int = 0


class LogThrottle:
    """Admits at most `max_lines` lines about a subject in a period, and counts those that it leaves out.

    A period begins with a line that is admitted. Strangers may make up subjects, such as names of hosts; so no more
    than `max_subjects` are remembered, and lines about yet another subject are left out until a period has ended.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        max_lines: int = 1,
        period_seconds: float = PERIOD_SECONDS,
        max_subjects: int = MAX_SUBJECTS,
    ) -> None:
        """`clock` gives seconds that never go back, such as `time.monotonic`."""
        self._clock = clock
        self._max_lines = max_lines
        self._period_seconds = period_seconds
        self._max_subjects = max_subjects
        self._periods: OrderedDict[Hashable, _Period] = OrderedDict()
        """The period that began first is the first."""

    def admits(self, subject: Hashable) -> bool:
        """Whether a line about it may be written now; it counts as written."""
        return self.admit(subject) is not None

    def admit(self, subject: Hashable) -> int | None:
        """How many lines about the subject were left out in its last period, if this one begins another; 0 for all
        others that may be written. None: this one may not."""
        now = self._clock()
        period = self._periods.get(subject)
        if period is None or now - period.began_at >= self._period_seconds:
            if period is None and not self._has_room_at(now):
                return None
            left_out = 0 if period is None else max(0, period.lines - self._max_lines)
            self._periods[subject] = _Period(now, 1)
            self._periods.move_to_end(subject)
            return left_out
        period.lines += 1
        return 0 if period.lines <= self._max_lines else None

    def _has_room_at(self, now: float) -> bool:
        while len(self._periods) >= self._max_subjects:
            oldest = next(iter(self._periods.values()))
            if now - oldest.began_at < self._period_seconds:
                return False
            self._periods.popitem(last=False)
        return True
