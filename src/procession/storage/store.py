"""The store on ClickHouse: what is added goes into its tables, what is asked for is found in them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from procession.containers.container import ContainerSnapshot
from procession.errors import Unavailable
from procession.inventory import Inventory
from procession.lifecycle.events import ProcessExits
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.process import (
    MAX_UINT32,
    MAX_UINT64,
    Ending,
    LiveSnapshot,
    ProcessDetail,
    ProcessKey,
    ProcessSummary,
    Snapshot,
)
from procession.query import ProcessQuery
from procession.storage.accounts.change_history import ClickHouseChanges
from procession.storage.accounts.erasure import ClickHouseErasure
from procession.storage.accounts.hosts import ClickHouseHosts
from procession.storage.accounts.keys import ClickHouseKeys
from procession.storage.accounts.sessions import ClickHouseSessions
from procession.storage.accounts.tables import AccountTables
from procession.storage.accounts.users import ClickHouseUsers
from procession.storage.accounts.views import ClickHouseViews
from procession.storage.containers.history import ClickHouseContainers
from procession.storage.history.engine.arrow import keep_pandas_out
from procession.storage.history.engine.connection import ConnectionPool, rows_of
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.engine.statement import RowT, Select, Statement
from procession.storage.history.instants.analysis import ClickHouseAnalysis
from procession.storage.history.read.dictionaries import host_dictionary, tag_dictionary
from procession.storage.history.read.key_samples import KeySamples
from procession.storage.history.read.live_sightings import LiveSightings
from procession.storage.history.read.orphan_exits import unknown_exits
from procession.storage.history.read.page_query import PageQuery, Sources
from procession.storage.history.read.process_details import find_details, find_endings
from procession.storage.history.tables.inventory import take_inventory
from procession.storage.history.write.chunk_writer import ChunkWriter
from procession.storage.history.write.dedup_cache import MAX_PROCESSES
from procession.storage.history.write.presence_writer import PresenceWriter, written_already
from procession.storage.history.write.rollup import ClickHouseRollup
from procession.storage.monitors.monitors import ClickHouseMonitors
from procession.storage.notifications.outbox import ClickHouseOutbox
from procession.storage.notifications.settings import ClickHouseNotificationSettings
from procession.window import Window

_LAST_KEY = ProcessKey(MAX_UINT32, MAX_UINT64, MAX_UINT32)
"""No process comes after it. A cluster answers a condition that no row can fulfil with columns in another order."""

_MORE_THREADS = 8
"""Statements that may run at once, besides those of the threads that ask."""


class ClickHouseStore:
    """A ReadStore, and its parts: whoever keeps one contract is handed one of these."""

    def __init__(
        self,
        engine: ConnectionPool,
        *,
        now: Callable[[], int],
        is_only_writer: bool = False,
        sighting_retention_hours: int = 24 * 7,
        slots: Sequence[int] = (),
        presence: PresenceWriter | None = None,
        max_known: int = MAX_PROCESSES,
    ) -> None:
        """`is_only_writer`: whether no other store writes to the same tables. `slots`: the shards of a cluster, each as
        often as it weighs. `presence`: what writes it later than snapshots; without, the tables do it at once.
        `max_known`: of so many processes it is remembered what was written."""
        keep_pandas_out()
        self._engine = engine
        self._now = now
        self._sighting_retention_hours = sighting_retention_hours
        self._presence = presence
        presence_until = written_already if presence is None else presence.write_until
        self._writer = ChunkWriter(
            engine, now=now, is_only_writer=is_only_writer, slots=slots, presence=presence, max_known=max_known
        )
        self._tag_dictionary = tag_dictionary()
        self._host_dictionary = host_dictionary()
        self._live = LiveSightings()
        self._tables = AccountTables(engine)
        self.keys = ClickHouseKeys(self._tables, is_only_writer=is_only_writer)
        self.hosts = ClickHouseHosts(self._tables)
        self.sessions = ClickHouseSessions(self._tables)
        self.views = ClickHouseViews(self._tables, now)
        self.monitors = ClickHouseMonitors(self._tables)
        self.changes = ClickHouseChanges(self._tables)
        self.notification_settings = ClickHouseNotificationSettings(self._tables)
        self.outbox = ClickHouseOutbox(self._tables)
        self.analysis = ClickHouseAnalysis(
            engine,
            self._tag_dictionary,
            self._host_dictionary,
            self._submit,
            self._submit_table,
            find=self.find,
            details=self.details,
            is_only_writer=is_only_writer,
            now=now,
            sighting_retention_hours=sighting_retention_hours,
            presence_until=presence_until,
        )
        self.erasure = ClickHouseErasure(engine)
        self.rollup = ClickHouseRollup(engine, now=now, sighting_retention_hours=sighting_retention_hours)
        self._executor = ThreadPoolExecutor(_MORE_THREADS, thread_name_prefix="find")
        self._sources = Sources(
            self._tag_dictionary,
            self._host_dictionary,
            KeySamples(),
            self._submit,
            self._sightings_since,
            presence_until,
            set(),
        )

    @property
    def containers(self) -> ClickHouseContainers:
        return ClickHouseContainers(self._engine)

    @property
    def users(self) -> ClickHouseUsers:
        return ClickHouseUsers(self._tables)

    def close(self) -> None:
        with contextlib.suppress(Unavailable):  # else the next start does it
            self.write_presence()
        self._executor.shutdown()
        self._engine.close()

    def _sightings_since(self) -> int:
        return self._now() - 3600 * self._sighting_retention_hours

    def _submit(self, statement: Select[RowT]) -> Future[Sequence[RowT]]:
        def read() -> Sequence[RowT]:
            with self._engine.connection() as connection:
                return rows_of(connection)(statement)

        return self._executor.submit(read)

    def _submit_table(self, statement: Statement) -> Future[Any]:
        def read() -> Any:
            with self._engine.connection() as connection:
                return connection.run_arrow(statement)

        return self._executor.submit(read)

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        self._writer.add(snapshots)

    def write_presence(self) -> None:
        """All that waits for it, as before a backup. Raises Unavailable."""
        if self._presence is not None:
            self._presence.write()

    @property
    def presence_waits_since(self) -> int | None:
        """The earliest moment that a question about presence would have to write first."""
        waiting = None if self._presence is None else self._presence.waiting()
        return None if waiting is None else waiting.from_at

    def write_presence_if_due(self) -> None:
        """To be called now and then. Raises Unavailable."""
        if self._presence is not None:
            self._presence.write_if_due()

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        try:
            self._writer.add_live(live)
        finally:  # a statement that failed may have stored them
            self.analysis.endings.note_live(live)

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        try:
            self._writer.add_exits(exits)
        finally:
            self.analysis.endings.note_exits(exits)

    def add_containers(self, snapshots: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        self.containers.add(snapshots)

    def find(self, query: ProcessQuery) -> Page:
        # The moments that a row can have.
        window = Window(max(query.window.from_at, 0), min(query.window.to_at, MAX_UINT32))
        after = query.after
        if window.from_at > window.to_at or (after is not None and after >= _LAST_KEY):
            return Page(())
        if after is not None and after.started_at < 0:
            after = None
        query = replace(query, window=window, after=after)
        with unavailable_on_failure(), self._engine.connection() as connection:
            return PageQuery(connection, self._sources, query, now=self._now()).page()

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            return self._live.of(rows_of(connection), partial(self._tag_dictionary.of, connection), live)

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            return unknown_exits(rows_of(connection), self._submit, exits)

    def details(self, org_id: int, window: Window, processes: Sequence[ProcessSummary]) -> tuple[ProcessDetail, ...]:
        with unavailable_on_failure():
            return find_details(self._submit, org_id, window, processes)

    def endings(self, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...]:
        with unavailable_on_failure():
            return find_endings(self._submit, org_id, until, seen)

    def inventory(self) -> Inventory:
        with unavailable_on_failure(), self._engine.connection() as connection:
            return take_inventory(connection)

    def _rows(self, text: str, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
        return self._tables.rows(text, parameters)
