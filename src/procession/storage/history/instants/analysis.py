"""Questions about many processes at once, answered from the tables: each by a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from procession.accounts.saved_view import SavedView
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
from procession.storage.accounts.changes import next_change
from procession.storage.history.engine.connection import ConnectionPool
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.engine.statement import Aside, Statement
from procession.storage.history.instants import analysis_statements as statements
from procession.storage.history.instants.compare import compare
from procession.storage.history.instants.facets import completion, facets
from procession.storage.history.instants.group_by import groups, hosts
from procession.storage.history.instants.instant_page import instant_page, points
from procession.storage.history.instants.process_history import history
from procession.storage.history.instants.process_tree import family, host_tree, runs
from procession.storage.history.instants.query_context import Books, Session
from procession.storage.history.instants.timeseries import timeseries
from procession.storage.history.read.dictionaries import Names
from procession.storage.history.write.rollup import RollUp
from procession.window import Window


class ClickHouseAnalysis:
    """An AnalysisStore."""

    def __init__(
        self,
        engine: ConnectionPool,
        tags: Names,
        host_names: Names,
        aside: Aside,
        *,
        now: Callable[[], int],
        sighting_retention_hours: int,
    ) -> None:
        self._engine = engine
        self._aside = aside
        self._now = now
        self._sighting_retention_hours = sighting_retention_hours
        self._books = Books(tags, host_names)
        self._roll_up = RollUp(engine, sighting_retention_hours=sighting_retention_hours)

    @contextmanager
    def _session(self, org_id: int) -> Iterator[Session]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            now = self._now()
            since = now - self._sighting_retention_hours * 3600
            yield Session(connection, self._books, org_id, now, self._aside, sightings_since=since)

    def is_known(self, selection: Selection, window: Window) -> bool:
        with self._session(selection.org_id) as session:
            return session.is_known(selection, window)

    def instant_page(
        self, selection: Selection, at: int, order: Order, offset: int, limit: int, after: ProcessKey | None = None
    ) -> InstantPage:
        with self._session(selection.org_id) as session:
            return instant_page(session, selection, at, order, offset, limit, after)

    def last_seen(self, org_id: int, key: ProcessKey) -> int | None:
        with self._session(org_id) as session:
            # Each shard that was asked gives one, 0 where it knows nothing of the process.
            return max(last for (last,) in session.rows(statements.last_rolled_up(org_id, key))) or None

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets:
        with self._session(selection.org_id) as session:
            return facets(session, selection, when, keys, limit, prefix)

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion:
        with self._session(org_id) as session:
            return completion(session, window, prefix, limit)

    def groups(
        self, selection: Selection, at: int, by: str, measures: Sequence[str], order: Order, limit: int
    ) -> Groups:
        with self._session(selection.org_id) as session:
            return groups(session, selection, at, by, measures, order, limit)

    def points(self, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points:
        with self._session(selection.org_id) as session:
            return points(session, selection, at, x, y, by, limit)

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
        with self._session(selection.org_id) as session:
            return timeseries(session, selection, window, by, measures, rank, limit, points)

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History:
        with self._session(org_id) as session:
            return history(session, key, window, every)

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree:
        with self._session(org_id) as session:
            return host_tree(session, host, at)

    def family(self, org_id: int, key: ProcessKey, at: int) -> Family | None:
        with self._session(org_id) as session:
            return family(session, key, at)

    def runs(self, org_id: int, process: ProcessSummary, window: Window, limit: int) -> tuple[Run, ...]:
        with self._session(org_id) as session:
            return runs(session, process, window, limit)

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts:
        with self._session(selection.org_id) as session:
            return hosts(session, selection, at, measures, order, offset, limit)

    def compare(self, left: Side, right: Side, match: Match, limit: int) -> Comparison:
        with self._session(left.selection.org_id) as session:
            return compare(session, left, right, match, limit)

    def views(self, org_id: int) -> tuple[SavedView, ...]:
        with self._session(org_id) as session:
            return tuple(SavedView(*row) for row in session.rows(statements.views(org_id)))

    def put_view(self, org_id: int, view: SavedView) -> None:
        self._write_view(org_id, view, is_deleted=False)

    def delete_view(self, org_id: int, name: str) -> None:
        self._write_view(org_id, SavedView(name, "", self._now()), is_deleted=True)

    def _write_view(self, org_id: int, view: SavedView, *, is_deleted: bool) -> None:
        with self._session(org_id) as session:
            change = next_change(
                lambda text, parameters: session.rows(Statement(text, parameters)),
                "views WHERE org = {org:UInt32} AND name = {name:String}",
                {"org": org_id, "name": view.name},
            )
            statement = statements.put_view(
                org_id, view.name, view.state, view.changed_at, change, is_deleted=is_deleted
            )
            session.connection.query(statement.text, statement.parameters)

    def roll_up(self, orgs: Sequence[int]) -> int:
        return self._roll_up.run(orgs, self._now())
