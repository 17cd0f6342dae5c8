"""Groups of processes over time, up to what waits for its flush: each instant is asked of who knows all of it."""

from __future__ import annotations

from collections.abc import Sequence

from procession.analysis import Order, Selection, TimeSeries
from procession.analysis.all_cpus import CpusOfHosts
from procession.analysis.series_of_groups import GroupsThen, Steps, groups_of, time_series
from procession.storage import AnalysisStore
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.live.instants.analysis import LiveAnalysis
from procession.window import Window

_ALL = 2**31
"""More groups than there are."""

_BY_ANYTHING = "host"
"""To sum over all processes: each is of one host."""


class JoinedTimeSeries:
    """For any number of threads."""

    def __init__(self, live: LiveAnalysis, history: AnalysisStore, queue: FlushQueue) -> None:
        self._live = live
        self._history = history
        self._queue = queue

    def timeseries(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
        cpus: CpusOfHosts | None = None,
    ) -> TimeSeries | None:
        """As `AnalysisStore.timeseries`. None where the history has to answer alone, with all that waits."""
        waits_since = self._queue.since(selection.org_id)
        if waits_since is None or waits_since > window.to_at:
            return None
        last = self._live.groups(selection, window.to_at, _BY_ANYTHING, (), Order("value"), 0)
        if last is None:
            return None
        steps = Steps.of(window, points, last.total)
        wanted = sorted({*measures, *(() if rank == "count" else (rank,))})
        recent: list[GroupsThen] = []
        for at in (at for at in steps.times if at >= waits_since):
            then = self._live.groups(selection, at, by or _BY_ANYTHING, wanted, Order("value"), _ALL, cpus=cpus)
            if then is None:
                return None
            recent.append(GroupsThen.of(then) if by is not None else GroupsThen.of(then).as_one())
        past = self._past(selection, steps.times[: -len(recent)], by, wanted, cpus)
        if past is None:
            return None
        return time_series(steps, [*past, *recent], measures, None if by is None else rank, limit)

    def _past(
        self,
        selection: Selection,
        times: Sequence[int],
        by: str | None,
        measures: Sequence[str],
        cpus: CpusOfHosts | None,
    ) -> list[GroupsThen] | None:
        """What the history has at these instants. None where it would look at others."""
        if not times:
            return []
        window, points = Window(times[0], times[-1]), max(len(times) - 1, 1)

        def ask(by: str | None) -> list[GroupsThen] | None:
            found = self._history.timeseries(selection, window, by, measures, "count", _ALL, points, cpus)
            if found.times != tuple(times):
                return None
            if found.series:
                return groups_of(found)
            return [] if found.is_known else [GroupsThen({}, False) for _ in times]

        found = ask(by)
        if found == []:  # of which instants something is known, only a series says
            whole = ask(None)
            found = whole and [GroupsThen({}, one.is_known) for one in whole]
        return found
