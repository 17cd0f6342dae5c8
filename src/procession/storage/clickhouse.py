"""The store on ClickHouse: what is added goes into its tables, what is asked for is found in them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from procession.errors import UsageError
from procession.events import ProcessExits
from procession.hosts import HostTags, TagSource, WatchLease
from procession.orgs import Key, KeyKind, Org
from procession.paging import Page
from procession.process import (
    MAX_UINT32,
    LiveSnapshot,
    ProcessDescription,
    ProcessDetail,
    ProcessIdentity,
    ProcessKey,
    ProcessSummary,
    Snapshot,
)
from procession.query import ProcessQuery
from procession.storage import schema, sql
from procession.storage.details import Rows, exits_table, find_details, live_table
from procession.storage.engine import Connection, Engine, first_line, unavailable_on_failure
from procession.storage.identity import Chunks, Starts, rounds
from procession.storage.live import LiveSightings
from procession.storage.lost import unknown_exits
from procession.storage.resolve import Candidate, complete_before, newest_of, newest_tick, ticks_span
from procession.storage.rows import Group
from procession.storage.texts import Names, description_of
from procession.storage.written import Written
from procession.window import Window

_T = TypeVar("_T")
_MAX_BATCH = 200_000
_BATCH_FACTOR = 5
"""A bucket that is not merged yet names a process several times, so more rows are read than processes wanted."""


def open_embedded(
    data_dir: Path,
    *,
    retention_hours: int = 24 * 90,
    sighting_retention_hours: int = 24 * 7,
    live_retention_hours: int = 24,
    now: Callable[[], int] = lambda: int(time.time()),
) -> ClickHouseStore:
    """The store in a folder, its tables brought up to date. Raises UsageError in words for who started us."""
    engine = Engine(data_dir)
    try:
        _migrate(engine, now=now)
        _set_retention(
            engine,
            schema.retention_rules(
                retention_hours=retention_hours,
                sighting_retention_hours=sighting_retention_hours,
                live_retention_hours=live_retention_hours,
            ),
        )
    except UsageError:
        engine.close()
        raise
    except Exception as error:
        engine.close()
        raise UsageError(f"cannot bring the tables in {data_dir} up to date: {first_line(error)}") from error
    return ClickHouseStore(engine, now=now, is_alone=True)


def _migrate(engine: Engine, *, now: Callable[[], int]) -> None:
    with engine.connection() as connection:
        connection.command(schema.MIGRATIONS_TABLE)
        applied = {number for (number,) in connection.query("SELECT number FROM migrations FINAL").result_rows}
        newest = schema.MIGRATIONS[-1].number
        if applied and max(applied) > newest:
            raise UsageError(
                f"the data folder {engine.folder} was written by a newer Procession (its tables are at {max(applied)},"
                f" this one knows {newest}); start that version, or use another folder with --data-dir"
            )
        for migration in schema.MIGRATIONS:
            if migration.number not in applied:
                for statement in migration.statements:
                    connection.command(statement)
                connection.query(
                    "INSERT INTO migrations SELECT {number:UInt32}, {name:String}, {at:UInt32}",
                    {"number": migration.number, "name": migration.name, "at": now()},
                )


def _set_retention(engine: Engine, rules: dict[str, str]) -> None:
    with engine.connection() as connection:
        rows = connection.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()")
        present = dict(rows.result_rows)
        for table, rule in rules.items():
            # Only where it changes: the engine then goes through all its data.
            if f"TTL {rule} " not in f"{present[table]} ":
                connection.command(f"ALTER TABLE {table} MODIFY TTL {rule}")


class ClickHouseStore:
    """A ProcessStore, a DetailStore, a KeyStore and a HostStore."""

    def __init__(self, engine: Engine, *, now: Callable[[], int], is_alone: bool = False) -> None:
        """`is_alone`: whether no other store writes to the same tables."""
        self._engine = engine
        self._now = now
        self._adding = threading.Lock()
        self._written = Written(is_all=is_alone)
        self._tags = Names(sql.tags_of, lambda tags: tuple(tags))
        self._hosts = Names(sql.names_of, str)
        self._live = LiveSightings()

    def close(self) -> None:
        self._engine.close()

    def add(self, snapshots: Sequence[tuple[int, Snapshot]]) -> None:
        with self._adding, unavailable_on_failure(), self._engine.connection() as connection:
            starts = Starts(_rows_of(connection), self._written, snapshots)
            if not starts.is_entangled:
                self._store(connection, snapshots, starts)
                return
            for some in rounds(snapshots):
                self._store(connection, some, Starts(_rows_of(connection), self._written, some))

    def _store(self, connection: Connection, chunks: Chunks, starts: Starts) -> None:
        group = Group(chunks, self._written, starts.kept, received_at=self._now())
        for name, table in group.tables():
            connection.insert_arrow(name, table)
        group.remember()

    def find(self, query: ProcessQuery) -> Page:
        # The moments that a row can have.
        window = Window(max(query.window.from_at, 0), min(query.window.to_at, MAX_UINT32))
        after = query.after
        if window.from_at > window.to_at or (after is not None and after.started_at > MAX_UINT32):
            return Page(())
        if after is not None and after.started_at < 0:
            after = None
        query = replace(query, window=window, after=after)
        with unavailable_on_failure(), self._engine.connection() as connection:
            return _Finder(connection, query, self._tags, self._hosts).page()

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        if live:
            with unavailable_on_failure(), self._engine.connection() as connection:
                connection.insert_arrow("live", live_table(live, received_at=self._now()))

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        with unavailable_on_failure(), self._engine.connection() as connection:

            def describe(org_id: int, rows: Sequence[Any]) -> list[ProcessDescription]:
                tags = self._tags.of(connection, org_id, (row[16] for row in rows))
                return [description_of(row, tags.get(row[16], ())) for row in rows]

            return self._live.of(_rows_of(connection), describe, live)

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        if any(one.exits for _, one in exits):
            with unavailable_on_failure(), self._engine.connection() as connection:
                connection.insert_arrow("ends", exits_table(exits))

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            return unknown_exits(_rows_of(connection), exits)

    def details(self, org_id: int, window: Window, processes: Sequence[ProcessSummary]) -> tuple[ProcessDetail, ...]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            return find_details(_rows_of(connection), org_id, window, processes)

    def orgs(self) -> tuple[Org, ...]:
        rows = self._rows("SELECT id, name FROM orgs FINAL ORDER BY id")
        return tuple(Org(id_, name) for id_, name in rows)

    def keys(self) -> tuple[Key, ...]:
        rows = self._rows(
            "SELECT id, org, kind, name, secret_hash, created_at, revoked_at FROM keys FINAL ORDER BY created_at, id"
        )
        return tuple(
            Key(id_, org, KeyKind(kind), name, bytes.fromhex(secret_hash), created_at, revoked_at)
            for id_, org, kind, name, secret_hash, created_at, revoked_at in rows
        )

    def put_org(self, org: Org) -> None:
        self._insert(
            "INSERT INTO orgs SELECT {id:UInt32}, {name:String}, {change:UInt64}", {"id": org.id, "name": org.name}
        )

    def put_key(self, key: Key) -> None:
        self._insert(
            "INSERT INTO keys SELECT {id:String}, {org:UInt32}, {kind:String}, {name:String}, {secret_hash:String},"
            " {created_at:Int64}, {revoked_at:Nullable(Int64)}, {change:UInt64}",
            {
                "id": key.id,
                "org": key.org_id,
                "kind": key.kind.value,
                "name": key.name,
                "secret_hash": key.secret_hash.hex(),
                "created_at": key.created_at,
                "revoked_at": key.revoked_at,
            },
        )

    def host_tags(self) -> tuple[HostTags, ...]:
        rows = self._rows("SELECT org, host, source, tags FROM host_tags FINAL WHERE notEmpty(tags) ORDER BY org, host")
        return tuple(HostTags(org, host, TagSource(source), tuple(tags)) for org, host, source, tags in rows)

    def host_tags_version(self) -> int:
        # Not the newest change: of two servers, one may have a clock that is behind.
        ((version,),) = self._rows("SELECT sum(cityHash64(change)) FROM host_tags")
        return int(version)

    def put_host_tags(self, entry: HostTags) -> None:
        self._insert(
            "INSERT INTO host_tags SELECT {org:UInt32}, {host:String}, {source:String}, {tags:Array(String)},"
            " {change:UInt64}",
            {"org": entry.org_id, "host": entry.host, "source": entry.source.value, "tags": list(entry.tags)},
        )

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        rows = self._rows(
            "SELECT org, host, max(until) FROM leases WHERE until > {now:Int64} GROUP BY org, host", {"now": now}
        )
        return tuple(WatchLease(*row) for row in rows)

    def put_lease(self, lease: WatchLease) -> None:
        with unavailable_on_failure(), self._engine.connection() as connection:
            connection.query(
                "INSERT INTO leases SELECT {org:UInt32}, {host:String}, {until:UInt32}",
                {"org": lease.org_id, "host": lease.host, "until": lease.until},
            )

    def _rows(self, text: str, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            rows: Sequence[Any] = connection.query(text, parameters).result_rows
            return rows

    def _insert(self, text: str, parameters: dict[str, Any]) -> None:
        with unavailable_on_failure(), self._engine.connection() as connection:
            connection.query(text, parameters | {"change": time.time_ns()})


def _rows_of(connection: Connection) -> Rows:
    def rows(statement: sql.Statement) -> Sequence[Any]:
        found: Sequence[Any] = connection.query(statement.text, statement.parameters).result_rows
        return found

    return rows


class _Finder:
    """One query. Keys first, in key order; then the newest sighting of each in the window; then the texts of a page."""

    def __init__(self, connection: Connection, query: ProcessQuery, tags: Names, hosts: Names) -> None:
        self._connection = connection
        self._query = query
        self._tags = tags
        self._hosts = hosts
        self._is_filtered = query.search is not None or bool(query.tags.conditions)

    def page(self) -> Page:
        wanted = self._query.limit
        found: list[Candidate] = []
        after = self._query.after
        limit = wanted * _BATCH_FACTOR + 100
        while len(found) < wanted:
            batch, after = self._filtered(after, limit) if self._is_filtered else self._unfiltered(after, limit)
            for candidates in batch:
                found += candidates
                if len(found) >= wanted:
                    break
            if after is None:
                break
            limit = min(limit * 2, _MAX_BATCH)
        return Page(self._summaries(found[:wanted]))

    def _unfiltered(self, after: ProcessKey | None, limit: int) -> tuple[Iterator[list[Candidate]], ProcessKey | None]:
        query = self._query
        rows = self._columns(sql.seen_keys(query.org_id, query.window, after, limit))
        rows, last = complete_before(rows, limit)
        return (self._closed(some) for some in self._slices(newest_of(rows))), last

    def _filtered(self, after: ProcessKey | None, limit: int) -> tuple[Iterator[list[Candidate]], ProcessKey | None]:
        query = self._query
        rows = self._columns(sql.matching_keys(query.org_id, query.window, query.search, query.tags, after, limit))
        rows, last = complete_before(rows, limit)
        matching = set(zip(*(rows[name].tolist() for name in ("start", "host", "pid", "version")), strict=True))
        keys = [ProcessKey(*key) for key in sorted({key[:3] for key in matching})]

        def batches() -> Iterator[list[Candidate]]:
            for some in self._slices(keys):
                seen = self._columns(sql.seen_of_keys(query.org_id, query.window, some))
                newest = self._closed(newest_of(seen))
                yield [item for item in newest if (item.start, item.host, item.pid, item.version) in matching]

        return batches(), last

    def _slices(self, items: list[_T]) -> Iterator[list[_T]]:
        """As many as the page may need at once: what is found out of each is not found out in vain."""
        size = self._query.limit + 100
        return (items[index : index + size] for index in range(0, len(items), size))

    def _closed(self, candidates: list[Candidate]) -> list[Candidate]:
        """Those that were seen in the window, with the newest sighting there."""
        open_ones = [candidate for candidate in candidates if candidate.open_slots]
        if not open_ones:
            return candidates
        ticks = self._ticks(open_ones)
        closed = {
            candidate.key: newest_tick(candidate, self._query.window, ticks.get(candidate.host, {}))
            for candidate in open_ones
        }
        unclear = [candidate for candidate in open_ones if closed[candidate.key] is None]
        if unclear:
            closed |= self._from_truth(unclear)
        newest = (closed.get(candidate.key, candidate) for candidate in candidates)
        return [candidate for candidate in newest if candidate is not None and candidate.known]

    def _ticks(self, candidates: list[Candidate]) -> dict[int, dict[int, list[int]]]:
        """Host key -> slot -> moments."""
        query = self._query
        since, until = ticks_span(candidates, query.window)
        hosts = {candidate.host for candidate in candidates}
        ticks: dict[int, dict[int, list[int]]] = {}
        for host, at in self._rows(sql.ticks(query.org_id, since, until, hosts)):
            slot = at % schema.BUCKET_SECONDS // schema.SLOT_SECONDS
            ticks.setdefault(host, {}).setdefault(slot, []).append(at)
        return ticks

    def _from_truth(self, candidates: list[Candidate]) -> dict[ProcessKey, Candidate | None]:
        query = self._query
        statement = sql.newest_sightings(query.org_id, query.window, [candidate.key for candidate in candidates])
        newest = {
            ProcessKey(start, host, pid): (at, version) for start, host, pid, at, version in self._rows(statement)
        }
        closed: dict[ProcessKey, Candidate | None] = {}
        for candidate in candidates:
            at, version = newest.get(candidate.key, (0, 0))
            if at <= candidate.known:
                at, version = candidate.known, candidate.version
            closed[candidate.key] = msgspec.structs.replace(candidate, known=at, version=version, open_slots=())
        return closed

    def _summaries(self, candidates: list[Candidate]) -> tuple[ProcessSummary, ...]:
        if not candidates:
            return ()
        query = self._query
        statement = sql.descriptions(
            query.org_id, query.window, [candidate.key for candidate in candidates], dense=not self._is_filtered
        )
        rows = {(row[0], row[1], row[2], row[3]): row for row in self._rows(statement)}
        tags = self._tags.of(self._connection, query.org_id, (row[16] for row in rows.values()))
        hosts = self._hosts.of(self._connection, query.org_id, (item.host for item in candidates))

        def summary(item: Candidate) -> ProcessSummary:
            row = rows.get((item.start, item.host, item.pid, item.version))
            # Past the retention the engine drops tables apart from each other; inside, none of these is ever missing.
            description = description_of(row, tags.get(row[16], ())) if row else ProcessDescription()
            return ProcessSummary(
                ProcessIdentity(hosts.get(item.host, ""), item.pid, item.start), item.known, description
            )

        return tuple(map(summary, candidates))

    def _rows(self, statement: sql.Statement) -> Sequence[Any]:
        return _rows_of(self._connection)(statement)

    def _columns(self, statement: sql.Statement) -> dict[str, Any]:
        table = self._connection.query_arrow(statement.text, statement.parameters)
        return {name: table[name].to_numpy() for name in table.column_names}
