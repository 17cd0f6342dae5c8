"""What all processes sum up to over time, up to what waits for its flush."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from procession.analysis import Selection
from procession.analysis.over_time.group_minutes import GroupMinutes, measures_with
from procession.analysis.over_time.host_groups import HostGroups
from procession.analysis.over_time.trends import (
    Amount,
    HostMinute,
    MinuteTotals,
    Trends,
    TrendSteps,
    trend_of_totals,
)
from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.packed import DEAD, STATE_NUMBERS, PackedSnapshot
from procession.process import host_key
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.embedded.joins.waiting_groups import ROW, WaitingGroups, minute_of
from procession.window import Window

T = TypeVar("T")

_TRIES = 3
"""After those the answer is taken as it is: a store that is flushed all the time answers as well."""
_FLUSH_SECONDS = 1.0
"""A flush takes a tenth of that."""


class PastTotals(Protocol):
    """Of the history."""

    def minute_totals(
        self,
        org_id: int,
        minutes: range,
        measures: Sequence[str],
        more_since: int | None = None,
        more: Sequence[HostMinute] = (),
    ) -> Mapping[int, MinuteTotals]: ...

    def group_minutes(
        self,
        selection: Selection,
        steps: TrendSteps,
        by: str | None,
        measures: Sequence[str],
        more: HostGroups | None = None,
    ) -> GroupMinutes | None: ...


class JoinedTrends:
    """For any number of threads."""

    def __init__(self, history: PastTotals, queue: FlushQueue) -> None:
        self._history = history
        self._queue = queue

    def of_groups(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
    ) -> Trends | None:
        """Of a part of the processes, or by groups. None where there are too many to look at each minute."""
        return self._while_nothing_is_flushed(
            lambda: self._of_groups(selection, window, by, measures, rank, limit, points)
        )

    def _of_groups(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
    ) -> Trends | None:
        steps, wanted = TrendSteps.of(window, points), measures_with(measures, rank)
        waiting = self._waiting(selection.org_id, steps)
        more = None
        if waiting:
            more = WaitingGroups(selection, by, wanted).of(waiting, min(map(minute_of, waiting)))
            if more is None:
                return None
        minutes = self._history.group_minutes(selection, steps, by, wanted, more)
        return None if minutes is None else minutes.trends(measures, None if by is None else rank, limit)

    def of_totals(self, org_id: int, window: Window, measures: Sequence[str], points: int) -> Trends:
        return self._while_nothing_is_flushed(lambda: self._of_totals(org_id, window, measures, points))

    def _of_totals(self, org_id: int, window: Window, measures: Sequence[str], points: int) -> Trends:
        steps = TrendSteps.of(window, points)
        waiting = self._waiting(org_id, steps)
        since = min(map(minute_of, waiting), default=None)
        more = [*_host_minutes(waiting, measures)]
        minutes = self._history.minute_totals(org_id, steps.minutes, measures, since, more)
        return trend_of_totals(minutes, steps, measures)

    def _while_nothing_is_flushed(self, ask: Callable[[], T]) -> T:
        """What is flushed while the history is asked is in both, and would count twice: then it is asked again."""
        for _ in range(_TRIES):
            before = self._queue.flushes
            found = ask()
            _, is_flushing = now = self._queue.flushes
            if now == before and not is_flushing:
                return found
            if is_flushing:
                self._queue.wait_for_flush(_FLUSH_SECONDS)
        return ask()

    def _waiting(self, org_id: int, steps: TrendSteps) -> list[PackedSnapshot]:
        """First what waits: what is flushed while the history is asked is then in both, and not in neither."""
        waiting = [one for one in self._queue.snapshots(org_id) if one.chunk_count > NEVER_COMPLETE]
        return [one for one in waiting if minute_of(one) in steps.minutes]


def _host_minutes(snapshots: Sequence[PackedSnapshot], measures: Sequence[str]) -> Iterator[HostMinute]:
    keys = {host: host_key(host) for host in {one.host for one in snapshots}}
    for one in snapshots:
        rows = np.frombuffer(one.numbers, ROW)
        rows = rows[rows["state"] != STATE_NUMBERS[DEAD]]
        share = 1 / one.chunk_count
        numbers = {name: _amount(rows[name], share) for name in measures}
        yield HostMinute(keys[one.host], minute_of(one), Amount(float(len(rows)), share), numbers)


def _amount(values: Any, share: float) -> Amount:
    is_known = values >= 0
    if len(values) and not is_known.any():
        return Amount()
    return Amount(float(values[is_known].sum(dtype=np.float64)), share)
