"""A store on ClickHouse servers: its tables made, opened, and looked after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from procession.errors import UsageError
from procession.storage.history.engine.address import ServerAddress
from procession.storage.history.engine.cluster import slots_of
from procession.storage.history.engine.connection import Connection
from procession.storage.history.engine.errors import first_line
from procession.storage.history.engine.server import MINIMUM_VERSION, ServerEngine
from procession.storage.history.tables import ddl
from procession.storage.history.tables.migrations import MIGRATIONS, NEWEST
from procession.storage.history.tables.upgrade import (
    Database,
    FoundTables,
    find_tables,
    migrate,
    refuse_strangers,
    set_retention,
)
from procession.storage.store import ClickHouseStore


def open_servers(
    address: ServerAddress,
    *,
    sighting_retention_hours: int = 24 * 7,
    now: Callable[[], int] = lambda: int(time.time()),
) -> ClickHouseStore:
    """The store at an address, whose tables `initialize` has made. Raises UsageError in words for who started us."""
    engine = ServerEngine(address, tables=ddl.SHARDING)
    try:
        with engine.connection() as connection:
            found = find_tables(connection, _database(address))
            _refuse_strangers(found, address)
            slots = _slots(connection, address)
    except UsageError:
        engine.close()
        raise
    except Exception as error:
        engine.close()
        raise UsageError(f"cannot read the tables at {address}: {first_line(error)}") from error
    if found.newest < NEWEST:
        engine.close()
        raise UsageError(
            f"the tables at {address} are at {found.newest} and this Procession is at {NEWEST};"
            " run `procession store init`"
        )
    return ClickHouseStore(
        engine,
        now=now,
        sighting_retention_hours=sighting_retention_hours,
        slots=slots,
        cluster=address.cluster,
    )


def _database(address: ServerAddress) -> Database:
    return Database(address.database, address.cluster)


def _refuse_strangers(found: FoundTables, address: ServerAddress) -> None:
    refuse_strangers(
        found,
        place=f"the database {address.database} at {address}",
        way_out="keep it for that build, and name another database in the store's address",
        newer=f"the tables at {address} are at {found.newest} and this Procession is at {NEWEST};"
        " start a newer version",
    )


def _slots(connection: Connection, address: ServerAddress) -> list[int]:
    if address.cluster is None:
        return []
    rows = connection.query(
        "SELECT shard_num, any(shard_weight) FROM system.clusters WHERE cluster = {cluster:String} GROUP BY shard_num",
        {"cluster": address.cluster},
    ).result_rows
    if not rows:
        raise UsageError(f"the servers at {address} have no cluster {address.cluster!r} in their configuration")
    return slots_of([(int(shard), int(weight)) for shard, weight in rows])


def all_statements(address: ServerAddress, rules: Mapping[str, str]) -> Iterator[str]:
    """Everything that `initialize` does to servers that have nothing."""
    yield from ddl.first_statements(address.database, address.cluster)
    for migration in MIGRATIONS:
        yield from ddl.statements(address.database, address.cluster, migration)
    for table, rule in rules.items():
        yield ddl.retention_statement(address.database, address.cluster, table, rule)


def initialize(
    address: ServerAddress, rules: Mapping[str, str], *, now: Callable[[], int] = lambda: int(time.time())
) -> list[str]:
    """Make what is missing, and set the retention where it changes; gives the statements that it took.

    May be interrupted and repeated. Two at the same moment do no harm, since each statement makes only what is missing.
    """
    done: list[str] = []
    with closing(ServerEngine(address, database="default")) as engine, engine.connection() as connection:

        def command(statement: str) -> None:
            try:
                connection.command(statement)
            except Exception as error:
                raise UsageError(f"{address} refuses: {first_line(error)}; the statement was: {statement}") from error
            done.append(statement)

        database = _database(address)
        _slots(connection, address)
        found = find_tables(connection, database)
        _refuse_strangers(found, address)
        list(migrate(connection, command, database, found, now()))
        set_retention(connection, command, database, rules)
    return done


@dataclass(frozen=True)
class NodeReport:
    """What a server says of itself and of the tables that it holds."""

    name: str
    version: str
    tables: int
    rows: int
    stored_bytes: int
    free_bytes: int
    replicated: int
    """Tables that are replicated."""
    most_lag_seconds: int | None
    """Of the replica that is furthest behind; None where nothing is replicated."""
    is_read_only: bool
    """Whether any of them cannot be written to now, as without Keeper."""


@dataclass(frozen=True)
class StoreReport:
    version: str
    minimum_version: str
    applied: tuple[int, ...]
    wanted: int
    missing_tables: tuple[str, ...]
    shards: int
    replicas: int
    nodes: tuple[NodeReport, ...]
    problem: str = ""
    """Why the nodes could not all be asked."""

    @property
    def is_good(self) -> bool:
        is_current = self.wanted in self.applied and not self.missing_tables and not self.problem
        return is_current and not any(node.is_read_only for node in self.nodes)


def check(address: ServerAddress) -> StoreReport:
    """Raises UsageError where no server can be asked at all."""
    with closing(ServerEngine(address, database="default")) as engine, engine.connection() as connection:
        found = find_tables(connection, _database(address))
        wanted = set(ddl.SHARDING)
        rows = connection.query(
            "SELECT name FROM system.tables WHERE database = {database:String}", {"database": address.database}
        ).result_rows
        layout = [(1, 1)]
        if address.cluster is not None:
            layout = connection.query(
                "SELECT shard_num, replica_num FROM system.clusters WHERE cluster = {cluster:String}",
                {"cluster": address.cluster},
            ).result_rows
        problem = ""
        nodes: tuple[NodeReport, ...] = ()
        try:
            nodes = tuple(_nodes(connection, address))
        except Exception as error:
            problem = first_line(error)
        return StoreReport(
            version=engine.version,
            minimum_version=".".join(map(str, MINIMUM_VERSION)),
            applied=tuple(sorted(found.applied)),
            wanted=NEWEST,
            missing_tables=tuple(sorted(wanted - {name for (name,) in rows})),
            shards=len({shard for shard, _ in layout}),
            replicas=len(layout),
            nodes=nodes,
            problem=problem,
        )


_NODE = (
    "SELECT hostName() AS name, version() AS version,"
    " (SELECT count() FROM system.tables WHERE database = '{home}') AS tables,"
    " (SELECT sum(rows) FROM system.parts WHERE active AND database = '{home}') AS rows,"
    " (SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = '{home}') AS bytes,"
    " (SELECT sum(free_space) FROM system.disks) AS free,"
    " (SELECT count() FROM system.replicas WHERE database = '{home}') AS replicated,"
    " (SELECT max(absolute_delay) FROM system.replicas WHERE database = '{home}') AS lag,"
    " (SELECT max(is_readonly) FROM system.replicas WHERE database = '{home}') AS readonly"
)


def _nodes(connection: Connection, address: ServerAddress) -> Iterator[NodeReport]:
    statement = _NODE.replace("{home}", _database(address).home)
    if address.cluster is not None:
        statement = f"SELECT * FROM clusterAllReplicas('{address.cluster}', view({statement}))"
    for name, version, tables, rows, stored, free, replicated, lag, readonly in connection.query(statement).result_rows:
        yield NodeReport(
            name=name,
            version=version,
            tables=tables,
            rows=int(rows or 0),
            stored_bytes=int(stored or 0),
            free_bytes=int(free or 0),
            replicated=int(replicated or 0),
            most_lag_seconds=int(lag or 0) if replicated else None,
            is_read_only=bool(readonly),
        )
