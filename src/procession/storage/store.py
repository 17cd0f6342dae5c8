"""The store on ClickHouse: what is added goes into its tables, what is asked for is found in them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from procession.errors import Unavailable, UsageError
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
    host_key,
)
from procession.query import ProcessQuery
from procession.storage import NotAllStored
from procession.storage.accounts.hosts import ClickHouseHosts
from procession.storage.accounts.keys import ClickHouseKeys
from procession.storage.accounts.sessions import ClickHouseSessions
from procession.storage.accounts.tables import AccountTables
from procession.storage.accounts.views import ClickHouseViews
from procession.storage.history.engine.arrow import keep_pandas_out
from procession.storage.history.engine.cluster import shard_of
from procession.storage.history.engine.connection import Connection, ConnectionPool, rows_of
from procession.storage.history.engine.embedded import EmbeddedEngine
from procession.storage.history.engine.errors import first_line, unavailable_on_failure
from procession.storage.history.engine.statement import RowT, Select
from procession.storage.history.instants.analysis import ClickHouseAnalysis
from procession.storage.history.read.dictionaries import host_dictionary, tag_dictionary
from procession.storage.history.read.key_samples import KeySamples
from procession.storage.history.read.live_sightings import LiveSightings
from procession.storage.history.read.orphan_exits import unknown_exits
from procession.storage.history.read.page_query import PageQuery, Sources
from procession.storage.history.read.process_details import find_details, find_endings
from procession.storage.history.tables.ddl import Database
from procession.storage.history.tables.inventory import take_inventory
from procession.storage.history.tables.migrations import NEWEST
from procession.storage.history.tables.retention import retention_rules
from procession.storage.history.tables.upgrade import find_tables, migrate, refuse_strangers, set_retention
from procession.storage.history.write import insert_tables
from procession.storage.history.write.dedup_cache import DedupCache
from procession.storage.history.write.insert_batch import InsertBatch
from procession.storage.history.write.rollup import ClickHouseRollup
from procession.storage.history.write.start_times import Chunks, StartTimes, by_moment
from procession.window import Window

_log = logging.getLogger(__name__)

_LAST_KEY = ProcessKey(MAX_UINT32, MAX_UINT64, MAX_UINT32)
"""No process comes after it. A cluster answers a condition that no row can fulfil with columns in another order."""

_MORE_THREADS = 8
"""Statements that may run at once, besides those of the threads that ask."""


def open_embedded(
    data_dir: Path,
    *,
    retention_hours: int = 24 * 90,
    sighting_retention_hours: int = 24 * 7,
    live_retention_hours: int = 24,
    now: Callable[[], int] = lambda: int(time.time()),
) -> ClickHouseStore:
    """The store in a folder, its tables brought up to date. Raises UsageError in words for who started us."""
    engine = EmbeddedEngine(data_dir)
    try:
        rules = retention_rules(
            retention_hours=retention_hours,
            sighting_retention_hours=sighting_retention_hours,
            live_retention_hours=live_retention_hours,
        )
        _bring_up_to_date(engine, rules, now=now)
    except UsageError:
        engine.close()
        raise
    except Exception as error:
        engine.close()
        raise UsageError(f"cannot bring the tables in {data_dir} up to date: {first_line(error)}") from error
    return ClickHouseStore(engine, now=now, is_only_writer=True, sighting_retention_hours=sighting_retention_hours)


def _bring_up_to_date(engine: EmbeddedEngine, rules: Mapping[str, str], *, now: Callable[[], int]) -> None:
    database = Database("default")
    with engine.connection() as connection:
        found = find_tables(connection, database)
        refuse_strangers(
            found,
            where=f"the data folder {engine.folder}",
            way_out="keep it for that build, and use another folder with --data-dir",
            newer=f"the data folder {engine.folder} was written by a newer Procession (its tables are at"
            f" {found.newest}, this one knows {NEWEST}); start that version, or use another folder with --data-dir",
        )
        for migration in migrate(connection, connection.command, database, found, now()):
            fields = {"event": "migrated", "number": migration.number, "name": migration.name}
            _log.info("brought the tables to %(number)d, %(name)s", fields)
        if changed := set_retention(connection, connection.command, database, rules):
            fields = {"event": "retention-set", "tables": ", ".join(changed)}
            _log.info("set how long %(tables)s keep what is in them", fields)


class ClickHouseStore(ClickHouseKeys, ClickHouseHosts):
    """A ProcessStore, a DetailStore, a KeyStore, a HostStore and a SizedStore."""

    def __init__(
        self,
        engine: ConnectionPool,
        *,
        now: Callable[[], int],
        is_only_writer: bool = False,
        sighting_retention_hours: int = 24 * 7,
        slots: Sequence[int] = (),
    ) -> None:
        """`is_only_writer`: whether no other store writes to the same tables. `slots`: the shards of a cluster, each as
        often as it weighs."""
        keep_pandas_out()
        self._tables = AccountTables(engine)
        ClickHouseKeys.__init__(self, self._tables, is_only_writer=is_only_writer)
        ClickHouseHosts.__init__(self, self._tables)
        self._engine = engine
        self._slots = slots
        self._now = now
        self._sighting_retention_hours = sighting_retention_hours
        self._adding: dict[int, threading.Lock] = {}
        """By org: of each, one thread adds something at a time."""
        self._caches: dict[int, DedupCache] = {}
        """By shard: each has the descriptions, tag sets and label sets of its own hosts."""
        self._tags = tag_dictionary()
        self._hosts = host_dictionary()
        self._live = LiveSightings()
        self.analysis = ClickHouseAnalysis(
            engine,
            self._tags,
            self._hosts,
            self._submit,
            now=now,
            sighting_retention_hours=sighting_retention_hours,
        )
        self.rollup = ClickHouseRollup(engine, now=now, sighting_retention_hours=sighting_retention_hours)
        self.sessions = ClickHouseSessions(self._tables)
        self.views = ClickHouseViews(self._tables, now)
        self._executor = ThreadPoolExecutor(_MORE_THREADS, thread_name_prefix="find")
        self._sources = Sources(self._tags, self._hosts, KeySamples(), self._submit, self._sightings_since)

    def close(self) -> None:
        self._executor.shutdown()
        self._engine.close()

    def _sightings_since(self) -> int:
        return self._now() - 3600 * self._sighting_retention_hours

    def _submit(self, statement: Select[RowT]) -> Future[Sequence[RowT]]:
        def read() -> Sequence[RowT]:
            with self._engine.connection() as connection:
                return rows_of(connection)(statement)

        return self._executor.submit(read)

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        with contextlib.ExitStack() as stack:
            for org_id in sorted({org_id for org_id, _ in snapshots}):
                stack.enter_context(self._adding.setdefault(org_id, threading.Lock()))
            by_shard = self._by_shard(snapshots)
            failed: dict[int, Unavailable] = {}
            for shard, places in by_shard.items():
                try:
                    with unavailable_on_failure(), self._engine.connection() as connection:
                        self._add(connection, shard, [snapshots[place] for place in places])
                except Unavailable as error:
                    failed[shard] = error
            if failed:
                lost = frozenset(place for shard in failed for place in by_shard[shard])
                raise NotAllStored(next(iter(failed.values())), lost)

    def _by_shard(self, snapshots: Chunks) -> dict[int, list[int]]:
        """Shard, or 0 where there are none -> places of the chunks that belong there."""
        if not self._slots:
            return {0: list(range(len(snapshots)))} if snapshots else {}
        found: dict[int, list[int]] = {}
        for place, (org_id, snapshot) in enumerate(snapshots):
            shard = shard_of(org_id, host_key(snapshot.host), self._slots)
            found.setdefault(shard, []).append(place)
        return found

    def _add(self, connection: Connection, shard: int, chunks: Chunks) -> None:
        cache = self._caches.setdefault(shard, DedupCache(is_complete=self.is_only_writer))
        starts = StartTimes(rows_of(connection), cache, chunks)
        if not starts.needs_ordering:
            self._insert_chunks(connection, shard, chunks, starts)
            return
        for some in by_moment(chunks):
            self._insert_chunks(connection, shard, some, StartTimes(rows_of(connection), cache, some))

    def _insert_chunks(self, connection: Connection, shard: int, chunks: Chunks, starts: StartTimes) -> None:
        batch = InsertBatch(chunks, self._caches[shard], starts.kept, received_at=self._now())
        for name, table in batch.tables():
            connection.insert_arrow(name, table, shard=shard)
        batch.remember()

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

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        if live:
            with unavailable_on_failure(), self._engine.connection() as connection:
                connection.insert_arrow("live_numbers", insert_tables.live_numbers(live, received_at=self._now()))

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            return self._live.of(rows_of(connection), partial(self._tags.of, connection), live)

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        if any(one.exits for _, one in exits):
            with unavailable_on_failure(), self._engine.connection() as connection:
                connection.insert_arrow("exits", insert_tables.exits(exits))
            for cache in list(self._caches.values()):
                with cache.changing:
                    for org_id, of_host in exits:
                        pids = [one.pid for one in of_host.exits]
                        cache.note_exits((org_id, host_key(of_host.host)), pids)

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
