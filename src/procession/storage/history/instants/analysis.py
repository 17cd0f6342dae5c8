"""Questions about many processes at once, answered from the tables: each by a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from procession.analysis import (
    Comparison,
    Every,
    Facets,
    Family,
    Grouped,
    Groups,
    History,
    Hosts,
    HostTree,
    InstantPage,
    InstantPin,
    Match,
    Order,
    Points,
    ProcessAtInstant,
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
from procession.analysis.over_time.group_minutes import GroupMinutes, are_minutes, measures_with
from procession.analysis.over_time.host_groups import HostGroups
from procession.analysis.over_time.trends import (
    HostMinute,
    MinuteTotals,
    TrendSteps,
    are_totals,
    trend_of_totals,
    trends_of_instants,
)
from procession.process import ProcessDescription, ProcessKey, ProcessSummary
from procession.storage.history.engine.connection import ConnectionPool
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.engine.statement import Submit, SubmitTable
from procession.storage.history.instants.columns.endings_reader import EndingsReader
from procession.storage.history.instants.compare import MEASURES, ComparedSide, compare
from procession.storage.history.instants.facets import completion, facets
from procession.storage.history.instants.group_by import grouped, groups, hosts, hosts_told
from procession.storage.history.instants.group_trends import group_minutes
from procession.storage.history.instants.instant_page import instant_page, points
from procession.storage.history.instants.process_history import history
from procession.storage.history.instants.process_tree import family, host_tree, runs
from procession.storage.history.instants.query_context import QueryCaches, QueryContext
from procession.storage.history.instants.timeseries import timeseries
from procession.storage.history.instants.totals_cache import TotalsCache
from procession.storage.history.instants.trends import minute_totals
from procession.storage.history.instants.turnover import turnover
from procession.storage.history.read.dictionaries import HostDictionary, TagDictionary
from procession.storage.history.statements.counts import whole_slots
from procession.storage.history.statements.minutes import last_rolled_up
from procession.storage.history.statements.over_time.totals import oldest_snapshot
from procession.storage.history.tables.hashes import version_of
from procession.window import Window


class ClickHouseAnalysis:
    """An AnalysisStore."""

    def __init__(
        self,
        engine: ConnectionPool,
        tags: TagDictionary,
        host_names: HostDictionary,
        submit: Submit,
        submit_table: SubmitTable,
        *,
        find: Find,
        details: Details,
        is_only_writer: bool,
        now: Callable[[], int],
        sighting_retention_hours: int,
        presence_until: Callable[[int], None],
    ) -> None:
        self._engine = engine
        self._presence_until = presence_until
        self._submit = submit
        self._submit_table = submit_table
        self._now = now
        self._sighting_retention_hours = sighting_retention_hours
        self.endings = EndingsReader(is_only_writer=is_only_writer)
        """Is told of endings that the store is told of."""
        self._caches = QueryCaches(tags, host_names, self.endings)
        self._totals = TotalsCache()
        self._windows = ListedWindows(find, details, self.is_known)

    @contextmanager
    def _question(self, org_id: int) -> Iterator[QueryContext]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            now = self._now()
            since = now - self._sighting_retention_hours * 3600
            yield QueryContext(
                connection,
                self._caches,
                org_id,
                now,
                self._submit,
                self._submit_table,
                sightings_since=since,
                presence_until=self._presence_until,
            )

    def is_known(self, selection: Selection, window: Window) -> bool:
        with self._question(selection.org_id) as context:
            return context.is_known(selection, window)

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
        with self._question(selection.org_id) as context:
            return instant_page(context, selection, at, order, offset, limit, after, pin)

    def window_page(self, selection: Selection, window: Window, order: Order, offset: int, limit: int) -> WindowPage:
        return self._windows.page(selection, window, order, offset, limit)

    def last_seen(self, org_id: int, key: ProcessKey) -> int | None:
        with self._question(org_id) as context:
            # Each shard that was asked gives one, 0 where it knows nothing of the process.
            return max(row.at for row in context.rows(last_rolled_up(org_id, key))) or None

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets:
        if isinstance(when, Window) and takes_listing(selection, keys):
            return self._windows.facets(selection, whole_slots(when), keys, limit, prefix)
        with self._question(selection.org_id) as context:
            return facets(context, selection, when, keys, limit, prefix)

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion:
        with self._question(org_id) as context:
            return completion(context, window, prefix, limit)

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
        keys = (by,) if second is None else (by, second)
        with self._question(selection.org_id) as context:
            return groups(context, selection, at, keys, measures, order, limit, has_percentiles=has_percentiles)

    def points(self, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points:
        with self._question(selection.org_id) as context:
            return points(context, selection, at, x, y, by, limit)

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
        with self._question(selection.org_id) as context:
            return timeseries(context, selection, window, by, measures, rank, limit, points, cpus)

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
        steps = TrendSteps.of(window, points)
        if are_totals(selection, window, by, points):
            return trend_of_totals(self.minute_totals(selection.org_id, steps.minutes, measures), steps, measures)
        minutes = None
        if are_minutes(selection, window, by, points):
            minutes = self.group_minutes(selection, steps, by, measures_with(measures, rank))
        if minutes is None:
            return trends_of_instants(self.timeseries(selection, window, by, measures, rank, limit, points))
        return minutes.trends(measures, None if by is None else rank, limit)

    def turnover(self, selection: Selection, window: Window, points: int) -> Turnover:
        with self._question(selection.org_id) as context:
            return turnover(context, selection, TrendSteps.of(window, points))

    def oldest_sighting(self, org_id: int) -> int | None:
        with self._question(org_id) as context:
            return min((row.at for row in context.rows(oldest_snapshot(org_id)) if row.at), default=None)

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History:
        with self._question(org_id) as context:
            return history(context, key, window, every)

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree:
        with self._question(org_id) as context:
            return host_tree(context, host, at)

    def family(self, org_id: int, key: ProcessKey, at: int) -> Family | None:
        with self._question(org_id) as context:
            return family(context, key, at)

    def runs(
        self, org_id: int, process: ProcessSummary, window: Window, limit: int, *, without_arguments: bool = False
    ) -> tuple[Run, ...]:
        with self._question(org_id) as context:
            return runs(context, process, window, limit, without_arguments=without_arguments)

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts:
        with self._question(selection.org_id) as context:
            return hosts(context, selection, at, measures, order, offset, limit)

    def hosts_told(self, org_id: int, window: Window) -> Mapping[str, int]:
        with self._question(org_id) as context:
            return hosts_told(context, window)

    def compare(
        self, left: Side, right: Side, match: Match, limit: int, *, without_arguments: bool = False
    ) -> Comparison:
        with self._question(left.selection.org_id) as context:
            return compare(context, left, right, match, limit, without_arguments=without_arguments)

    # For whoever puts it together with what is not in the tables yet

    def minute_totals(
        self,
        org_id: int,
        minutes: range,
        measures: Sequence[str],
        more_since: int | None = None,
        more: Sequence[HostMinute] = (),
    ) -> Mapping[int, MinuteTotals]:
        with self._question(org_id) as context:
            return minute_totals(context, self._totals, minutes, measures, more_since, more)

    def group_minutes(
        self,
        selection: Selection,
        steps: TrendSteps,
        by: str | None,
        measures: Sequence[str],
        more: HostGroups | None = None,
    ) -> GroupMinutes | None:
        with self._question(selection.org_id) as context:
            return group_minutes(context, selection, steps, by, measures, more)

    def side(self, selection: Selection, at: int, match: Match) -> ComparedSide:
        with self._question(selection.org_id) as context:
            return ComparedSide.of(context, selection, at, match)

    def processes(self, side: ComparedSide, places: Any) -> tuple[ProcessAtInstant, ...]:
        """Those at these places of it."""
        with self._question(side.org_id) as context:
            return context.processes_at(side.instant, places)

    def grouped(self, side: ComparedSide, mask: Any, match: Match) -> Mapping[str | None, Grouped]:
        with self._question(side.org_id) as context:
            return grouped(context, side.instant.where(mask), match.value, MEASURES)

    def host_names(self, org_id: int, hosts: Collection[int]) -> Mapping[int, str]:
        with self._question(org_id) as context:
            return context.host_names(hosts)

    @staticmethod
    def version_of(description: ProcessDescription) -> int:
        return version_of(description)
