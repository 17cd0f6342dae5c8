"""Questions about many processes at once: the live table answers what it knows all of, the history the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from procession.analysis import (
    REACH_SECONDS,
    Comparison,
    Every,
    Facets,
    Family,
    Groups,
    History,
    Hosts,
    HostTree,
    InstantPage,
    InstantPin,
    Match,
    Order,
    Points,
    Run,
    Selection,
    Side,
    TagCompletion,
    TimeSeries,
    Trends,
    Turnover,
    WindowPage,
)
from procession.analysis.all_cpus import CpusOfHosts
from procession.analysis.listed_windows import Details, Find, ListedWindows, takes_listing
from procession.analysis.over_time.group_minutes import are_minutes
from procession.analysis.over_time.trends import are_totals, trends_of_instants
from procession.process import MAX_UINT32, ProcessKey, ProcessSummary
from procession.storage import AnalysisStore
from procession.storage.embedded.answer_counts import AnswerCounts
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.embedded.joins.joined_comparison import JoinedComparison, Past
from procession.storage.embedded.joins.joined_counts import JoinedCounts
from procession.storage.embedded.joins.joined_curves import JoinedCurves
from procession.storage.embedded.joins.joined_runs import JoinedRuns
from procession.storage.embedded.joins.joined_timeseries import JoinedTimeSeries
from procession.storage.embedded.joins.joined_trends import JoinedTrends, PastTotals
from procession.storage.live.instants.analysis import LiveAnalysis, whole_slots
from procession.storage.live.instants.runs import NEXT_SNAPSHOT_SECONDS
from procession.storage.live.table import LiveTable
from procession.window import Window

SLOT_SECONDS = 10
_MINUTE = 60
_ALWAYS = Window(0, MAX_UINT32)


class PastAnalysis(AnalysisStore, Past, PastTotals, Protocol):
    """That of the history."""


class EmbeddedAnalysis:
    """An AnalysisStore."""

    def __init__(
        self,
        table: LiveTable,
        history: PastAnalysis,
        queue: FlushQueue,
        flush_what_concerns: Callable[[int, Window], None],
        counts: AnswerCounts,
        listed: tuple[Find, Details],
        *,
        presence_waits_since: Callable[[], int | None],
    ) -> None:
        """`flush_what_concerns` is called before the history is asked about an org in a window. `listed`: how the store
        finds processes and their details, for windows that have to be listed. `presence_waits_since`: from when on it
        has to write presence first."""
        self._live = LiveAnalysis(table)
        self._history = history
        self._queue = queue
        self._counted = JoinedCounts(table, history, queue, presence_waits_since)
        self._compared = JoinedComparison(self._live, history, queue)
        self._curves = JoinedCurves(table, history, queue)
        self._runs = JoinedRuns(table, history, queue)
        self._series = JoinedTimeSeries(self._live, history, queue)
        self._trends = JoinedTrends(history, queue)
        self._flush_what_concerns = flush_what_concerns
        self._counts = counts
        self._windows = ListedWindows(*listed, self.is_known)

    def is_known(self, selection: Selection, window: Window) -> bool:
        found = self._live.is_known(selection, window)
        if found is not None:
            return self._counts.live(found)
        return self._past(selection, window).is_known(selection, window)

    def instant_page(
        self,
        selection: Selection,
        at: int,
        order: Order,
        offset: int,
        limit: int,
        after: ProcessKey | None = None,
        pin: InstantPin | None = None,
    ) -> InstantPage:
        # A page that is pinned goes on with one of the history.
        found = None if pin else self._live.instant_page(selection, at, order, offset, limit, after)
        if found is not None:
            return self._counts.live(found)
        past = self._past_instant(selection, at)
        return past.instant_page(selection, at, order, offset, limit, after, pin)

    def window_page(self, selection: Selection, window: Window, order: Order, offset: int, limit: int) -> WindowPage:
        found = self._live.window_page(selection, window, order, offset, limit)
        if found is not None:
            return self._counts.live(found)
        return self._windows.page(selection, window, order, offset, limit)

    def points(self, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points:
        found = self._live.points(selection, at, x, y, by, limit)
        if found is not None:
            return self._counts.live(found)
        return self._past_instant(selection, at).points(selection, at, x, y, by, limit)

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets:
        found = self._live.facets(selection, when, keys, limit, prefix)
        if found is not None:
            return self._counts.live(found)
        if not isinstance(when, Window):
            return self._past_instant(selection, when).facets(selection, when, keys, limit, prefix)
        if takes_listing(selection, keys):
            return self._windows.facets(selection, whole_slots(when), keys, limit, prefix)
        joined = None
        if not self._live.has_tags_of_hosts(selection):
            joined = self._counted.facets(selection, when, keys, limit, prefix)
        if joined is not None:
            return self._counts.joined(joined)
        return self._past(selection, _whole(when)).facets(selection, when, keys, limit, prefix)

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion:
        found = self._live.complete_tag(org_id, window, prefix, limit)
        if found is not None:
            return self._counts.live(found)
        joined = self._counted.complete_tag(org_id, window, prefix, limit)
        if joined is not None:
            return self._counts.joined(joined)
        return self._past(Selection(org_id), _whole(window)).complete_tag(org_id, window, prefix, limit)

    def groups(
        self,
        selection: Selection,
        at: int,
        by: str,
        measures: Sequence[str],
        order: Order,
        limit: int,
        *,
        second: str | None = None,
        has_percentiles: bool = False,
    ) -> Groups:
        found = self._live.groups(
            selection, at, by, measures, order, limit, second=second, has_percentiles=has_percentiles
        )
        if found is not None:
            return self._counts.live(found)
        return self._past_instant(selection, at).groups(
            selection, at, by, measures, order, limit, second=second, has_percentiles=has_percentiles
        )

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts:
        found = self._live.hosts(selection, at, measures, order, offset, limit)
        if found is not None:
            return self._counts.live(found)
        return self._past_instant(selection, at).hosts(selection, at, measures, order, offset, limit)

    def hosts_told(self, org_id: int, window: Window) -> Mapping[str, int]:
        found, since = self._live.hosts_told(org_id, window)
        if window.from_at >= since:
            return self._counts.live(found)
        before = Window(window.from_at, min(window.to_at, since - 1))
        return {**self._past(Selection(org_id), before).hosts_told(org_id, before), **found}

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
    ) -> TimeSeries:
        joined = None
        if not self._live.has_tags_of_hosts(selection):
            joined = self._series.timeseries(selection, window, by, measures, rank, limit, points, cpus)
        if joined is not None:
            return self._counts.joined(joined)
        past = self._past(selection, Window(window.from_at - REACH_SECONDS, window.to_at))
        return past.timeseries(selection, window, by, measures, rank, limit, points, cpus)

    def trends(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
    ) -> Trends:
        if are_totals(selection, window, by, points):
            return self._counts.joined(self._trends.of_totals(selection.org_id, window, measures, points))
        if are_minutes(selection, window, by, points):
            found = self._trends.of_groups(selection, window, by, measures, rank, limit, points)
            if found is not None:
                return self._counts.joined(found)
        return trends_of_instants(self.timeseries(selection, window, by, measures, rank, limit, points))

    def turnover(self, selection: Selection, window: Window, points: int) -> Turnover:
        return self._past(selection, window).turnover(selection, window, points)

    def oldest_sighting(self, org_id: int) -> int | None:
        waiting = [one.taken_at for one in self._queue.snapshots(org_id)]
        found = self._history.oldest_sighting(org_id)
        return min(waiting if found is None else (found, *waiting), default=None)

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History:
        joined = self._curves.history(org_id, key, window, every)
        if joined is not None:
            return self._counts.joined(joined)
        minutes = Window(window.from_at - _MINUTE, window.to_at + _MINUTE)
        return self._past(Selection(org_id), minutes).history(org_id, key, window, every)

    def last_seen(self, org_id: int, key: ProcessKey) -> int | None:
        self._counts.history()
        return self._history.last_seen(org_id, key)  # out of minutes, which are made long after the flush

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree:
        found = self._live.host_tree(org_id, host, at)
        if found is not None:
            return self._counts.live(found)
        return self._past_instant(Selection(org_id), at).host_tree(org_id, host, at)

    def family(self, org_id: int, key: ProcessKey, at: int) -> Family | None:
        found = self._live.family(org_id, key, at)
        if found is not None:
            return self._counts.live(found[0])
        return self._past_instant(Selection(org_id), at).family(org_id, key, at)

    def runs(
        self, org_id: int, process: ProcessSummary, window: Window, limit: int, *, without_arguments: bool = False
    ) -> tuple[Run, ...]:
        found = self._live.runs(org_id, process, window, limit, without_arguments=without_arguments)
        if found is not None:
            return self._counts.live(found)
        joined = self._runs.runs(org_id, process, window, limit, without_arguments=without_arguments)
        if joined is not None:
            return self._counts.joined(joined)
        until_ended = Window(window.from_at, window.to_at + NEXT_SNAPSHOT_SECONDS)
        past = self._past(Selection(org_id), until_ended)
        return past.runs(org_id, process, window, limit, without_arguments=without_arguments)

    def compare(
        self, left: Side, right: Side, match: Match, limit: int, *, without_arguments: bool = False
    ) -> Comparison:
        joined = self._compared.compare(left, right, match, limit, without_arguments=without_arguments)
        if joined is not None:
            return self._counts.joined(joined)
        for side in (left, right):
            self._flush_for_instant(side.selection, side.at)
        self._counts.history()
        return self._history.compare(left, right, match, limit, without_arguments=without_arguments)

    def _past_instant(self, selection: Selection, at: int) -> AnalysisStore:
        """The history, with all that was acknowledged of an instant."""
        self._flush_for_instant(selection, at)
        self._counts.history()
        return self._history

    def _flush_for_instant(self, selection: Selection, at: int) -> None:
        self._flush(selection, Window(at - REACH_SECONDS, at))

    def _past(self, selection: Selection, window: Window) -> AnalysisStore:
        """The history, with all that was acknowledged of this time."""
        self._flush(selection, window)
        self._counts.history()
        return self._history

    def _flush(self, selection: Selection, window: Window) -> None:
        # A process may have the tag of a host that is named: then any host may be meant.
        is_of_any_time = self._live.has_tags_of_hosts(selection)
        self._flush_what_concerns(selection.org_id, _ALWAYS if is_of_any_time else window)


def _whole(window: Window) -> Window:
    """Slots are counted whole."""
    return Window(window.from_at - SLOT_SECONDS, window.to_at + SLOT_SECONDS)
