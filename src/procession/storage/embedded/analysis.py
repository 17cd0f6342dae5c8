"""Questions about many processes at once: the live table answers what it knows all of, the history the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from procession.analysis import (
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
)
from procession.process import ProcessKey, ProcessSummary
from procession.storage import AnalysisStore
from procession.storage.embedded.answer_counts import AnswerCounts
from procession.storage.embedded.joined_curves import JoinedCurves
from procession.storage.live.instants.analysis import LiveAnalysis
from procession.window import Window

SLOT_SECONDS = 10


class EmbeddedAnalysis:
    """An AnalysisStore."""

    def __init__(
        self,
        live: LiveAnalysis,
        history: AnalysisStore,
        joined_curves: JoinedCurves,
        flush_what_concerns: Callable[[int, int], None],
        counts: AnswerCounts,
    ) -> None:
        """`flush_what_concerns` is called before the history is asked about an org up to a moment."""
        self._joined_curves = joined_curves
        self._live = live
        self._history = history
        self._flush_what_concerns = flush_what_concerns
        self._counts = counts

    def is_known(self, selection: Selection, window: Window) -> bool:
        found = self._live.is_known(selection, window)
        if found is not None:
            return self._counts.live(found)
        return self._past(selection.org_id, window).is_known(selection, window)

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
        past = self._past(selection.org_id, at)
        return past.instant_page(selection, at, order, offset, limit, after, pin)

    def points(self, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points:
        found = self._live.points(selection, at, x, y, by, limit)
        if found is not None:
            return self._counts.live(found)
        return self._past(selection.org_id, at).points(selection, at, x, y, by, limit)

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets:
        found = self._live.facets(selection, when, keys, limit, prefix)
        if found is not None:
            return self._counts.live(found)
        return self._past(selection.org_id, when).facets(selection, when, keys, limit, prefix)

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion:
        found = self._live.complete_tag(org_id, window, prefix, limit)
        if found is not None:
            return self._counts.live(found)
        return self._past(org_id, window).complete_tag(org_id, window, prefix, limit)

    def groups(
        self, selection: Selection, at: int, by: str, measures: Sequence[str], order: Order, limit: int
    ) -> Groups:
        found = self._live.groups(selection, at, by, measures, order, limit)
        if found is not None:
            return self._counts.live(found)
        return self._past(selection.org_id, at).groups(selection, at, by, measures, order, limit)

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts:
        found = self._live.hosts(selection, at, measures, order, offset, limit)
        if found is not None:
            return self._counts.live(found)
        return self._past(selection.org_id, at).hosts(selection, at, measures, order, offset, limit)

    def timeseries(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
    ) -> TimeSeries:
        past = self._past(selection.org_id, window)
        return past.timeseries(selection, window, by, measures, rank, limit, points)

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History:
        joined = self._joined_curves.history(org_id, key, window, every)
        if joined is not None:
            return self._counts.joined(joined)
        return self._past(org_id, window).history(org_id, key, window, every)

    def last_seen(self, org_id: int, key: ProcessKey) -> int | None:
        self._counts.history()
        return self._history.last_seen(org_id, key)  # out of minutes, which are made long after the flush

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree:
        found = self._live.host_tree(org_id, host, at)
        if found is not None:
            return self._counts.live(found)
        return self._past(org_id, at).host_tree(org_id, host, at)

    def family(self, org_id: int, key: ProcessKey, at: int) -> Family | None:
        found = self._live.family(org_id, key, at)
        if found is not None:
            return self._counts.live(found[0])
        return self._past(org_id, at).family(org_id, key, at)

    def runs(self, org_id: int, process: ProcessSummary, window: Window, limit: int) -> tuple[Run, ...]:
        found = self._live.runs(org_id, process, window, limit)
        if found is not None:
            return self._counts.live(found)
        return self._past(org_id, window).runs(org_id, process, window, limit)

    def compare(self, left: Side, right: Side, match: Match, limit: int) -> Comparison:
        for side in (left, right):
            self._flush_what_concerns(side.selection.org_id, side.at)
        self._counts.history()
        return self._history.compare(left, right, match, limit)

    def _past(self, org_id: int, when: Window | int) -> AnalysisStore:
        """The history, with all that was acknowledged of this time."""
        # What is counted in slots reaches to the end of one.
        self._flush_what_concerns(org_id, when.to_at + SLOT_SECONDS if isinstance(when, Window) else when)
        self._counts.history()
        return self._history
