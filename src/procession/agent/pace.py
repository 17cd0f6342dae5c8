"""When the next snapshot is due, and whether there is time for live numbers before it."""

from __future__ import annotations

import math

from procession.agent.budget import Budget
from procession.agent.clock import Clock
from procession.agent.send.sender import Report

_SLOWED = 1.25
"""So many times the interval, and a person is told."""

_STEADY = 3
"""So many in a row at the interval, and a person is told."""


class Pace:
    """Snapshots at equal distances, as far as the budget goes; what was missed is left out."""

    def __init__(self, *, interval_seconds: float, budget: Budget, max_cpu: str, clock: Clock, report: Report) -> None:
        self._interval = interval_seconds
        self._budget = budget
        self._max_cpu = max_cpu
        self._clock = clock
        self._report = report
        self._snapshot_cost = self._live_cost = self._spare_spent = 0.0
        self._begun = 0.0
        now = clock.monotonic()
        self._next_snapshot = self._next_live = now
        self._last_snapshot = -math.inf
        self._slowed = False
        self._on_time = 0

    def is_snapshot_due(self) -> bool:
        return self._clock.monotonic() >= self._next_snapshot and not self._budget.seconds_until(self._snapshot_cost)

    def is_live_due(self, live_seconds: float) -> bool:
        """A snapshot that comes soon takes its place, and one that is late comes first."""
        now = self._clock.monotonic()
        rest = self._next_snapshot - now
        if now < self._next_live or rest < live_seconds / 2:
            return False
        return self._budget.allows(self._live_cost, before=self._snapshot_cost, seconds=rest)

    def begin_snapshot(self) -> int | None:
        """Seconds since the snapshot before, where that is longer than set."""
        now = self._clock.monotonic()
        every = now - self._last_snapshot
        self._last_snapshot = now
        if now - self._next_snapshot > self._interval / 2:
            self._next_snapshot = now  # a new beginning
        self._next_snapshot += self._interval
        self._begun = self._clock.cpu()
        return self._slow_down(every)

    def spare_seconds(self) -> float | None:
        """Seconds of CPU that snapshots at the interval leave for what can be left out of them. None: no limit."""
        earned = self._budget.per_interval
        return None if earned is None else earned - (self._snapshot_cost - self._spare_spent)

    def end_snapshot(self, live_seconds: float, *, spare_spent: float = 0.0) -> None:
        """`spare_spent`: how much of the CPU that it took went to what can be left out."""
        self._snapshot_cost = self._clock.cpu() - self._begun
        self._spare_spent = spare_spent
        self._next_live = self._last_snapshot + live_seconds

    def begin_live(self, live_seconds: float) -> None:
        self._next_live = max(self._next_live + live_seconds, self._clock.monotonic() + live_seconds / 2)
        self._begun = self._clock.cpu()

    def end_live(self) -> None:
        self._live_cost = self._clock.cpu() - self._begun

    def seconds_to_wait(self, live_seconds: float) -> float:
        """Until something may be due. While nobody watches, this is also how soon it is noticed that somebody does."""
        now = self._clock.monotonic()
        to_snapshot = max(self._next_snapshot - now, self._budget.seconds_until(self._snapshot_cost))
        to_live = self._next_live - now
        return min(to_snapshot, to_live if to_live > 0 else live_seconds)

    def _slow_down(self, every: float) -> int | None:
        if not math.isfinite(every):
            return None
        self._on_time = self._on_time + 1 if every <= self._interval * 1.05 else 0
        if every > self._interval * _SLOWED and self._budget.is_limited:
            if not self._slowed:
                self._slowed = True
                self._report(
                    f"a snapshot takes {self._snapshot_cost * 1000:.0f} ms of CPU, and --max-cpu allows "
                    f"{self._max_cpu}: one every {every:.0f} s now, not every {self._interval:g} s"
                )
            return round(every)
        if self._slowed and self._on_time >= _STEADY:
            self._slowed = False
            self._report(f"within --max-cpu {self._max_cpu} again: a snapshot every {self._interval:g} s")
        return None
