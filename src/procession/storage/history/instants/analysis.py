"""Questions about many processes at once, answered from the tables: each by a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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
from procession.storage.history.engine.connection import ConnectionPool
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.engine.statement import Submit, SubmitTable
from procession.storage.history.instants.columns.endings_reader import EndingsReader
from procession.storage.history.instants.compare import compare
from procession.storage.history.instants.facets import completion, facets
from procession.storage.history.instants.group_by import groups, hosts
from procession.storage.history.instants.instant_page import instant_page, points
from procession.storage.history.instants.process_history import history
from procession.storage.history.instants.process_tree import family, host_tree, runs
from procession.storage.history.instants.query_context import QueryCaches, QueryContext
from procession.storage.history.instants.timeseries import timeseries
from procession.storage.history.read.dictionaries import HostDictionary, TagDictionary
from procession.storage.history.statements.minutes import last_rolled_up
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
        is_only_writer: bool,
        now: Callable[[], int],
        sighting_retention_hours: int,
    ) -> None:
        self._engine = engine
        self._submit = submit
        self._submit_table = submit_table
        self._now = now
        self._sighting_retention_hours = sighting_retention_hours
        self.endings = EndingsReader(is_only_writer=is_only_writer)
        """Is told of endings that the store is told of."""
        self._caches = QueryCaches(tags, host_names, self.endings)

    @contextmanager
    def _question(self, org_id: int) -> Iterator[QueryContext]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            now = self._now()
            since = now - self._sighting_retention_hours * 3600
            yield QueryContext(
                connection, self._caches, org_id, now, self._submit, self._submit_table, sightings_since=since
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

    def last_seen(self, org_id: int, key: ProcessKey) -> int | None:
        with self._question(org_id) as context:
            # Each shard that was asked gives one, 0 where it knows nothing of the process.
            return max(row.at for row in context.rows(last_rolled_up(org_id, key))) or None

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets:
        with self._question(selection.org_id) as context:
            return facets(context, selection, when, keys, limit, prefix)

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion:
        with self._question(org_id) as context:
            return completion(context, window, prefix, limit)

    def groups(
        self, selection: Selection, at: int, by: str, measures: Sequence[str], order: Order, limit: int
    ) -> Groups:
        with self._question(selection.org_id) as context:
            return groups(context, selection, at, by, measures, order, limit)

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
    ) -> TimeSeries:
        with self._question(selection.org_id) as context:
            return timeseries(context, selection, window, by, measures, rank, limit, points)

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History:
        with self._question(org_id) as context:
            return history(context, key, window, every)

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree:
        with self._question(org_id) as context:
            return host_tree(context, host, at)

    def family(self, org_id: int, key: ProcessKey, at: int) -> Family | None:
        with self._question(org_id) as context:
            return family(context, key, at)

    def runs(self, org_id: int, process: ProcessSummary, window: Window, limit: int) -> tuple[Run, ...]:
        with self._question(org_id) as context:
            return runs(context, process, window, limit)

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts:
        with self._question(selection.org_id) as context:
            return hosts(context, selection, at, measures, order, offset, limit)

    def compare(self, left: Side, right: Side, match: Match, limit: int) -> Comparison:
        with self._question(left.selection.org_id) as context:
            return compare(context, left, right, match, limit)
