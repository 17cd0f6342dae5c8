"""How the servers and the tables of a store do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from procession.storage.history.engine.address import ServerAddress
from procession.storage.history.engine.connection import Connection
from procession.storage.history.engine.errors import first_line
from procession.storage.history.engine.server import MINIMUM_VERSION, ServerEngine
from procession.storage.history.tables.migrations import NEWEST, TABLES
from procession.storage.history.tables.upgrade import find_tables
from procession.storage.setup import database_of


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
    """A newer Procession made the tables, or why the nodes could not all be asked."""

    @property
    def is_good(self) -> bool:
        is_current = self.wanted in self.applied and not self.missing_tables and not self.problem
        return is_current and not any(node.is_read_only for node in self.nodes)


def check(address: ServerAddress) -> StoreReport:
    """Raises UsageError where no server can be asked at all."""
    with closing(ServerEngine(address, database="default")) as engine, engine.connection() as connection:
        found = find_tables(connection, database_of(address))
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
        if found.newest > NEWEST:
            problem = f"the tables are at {found.newest} and this Procession is at {NEWEST}; start a newer version"
        nodes: tuple[NodeReport, ...] = ()
        try:
            nodes = tuple(_nodes(connection, address))
        except Exception as error:
            problem = problem or first_line(error)
        return StoreReport(
            version=engine.version,
            minimum_version=".".join(map(str, MINIMUM_VERSION)),
            applied=tuple(sorted(found.applied)),
            wanted=NEWEST,
            missing_tables=tuple(sorted(TABLES - {name for (name,) in rows})),
            shards=len({shard for shard, _ in layout}),
            replicas=len(layout),
            nodes=nodes,
            problem=problem,
        )


def _node_statement(local: str) -> str:
    """What one server says. `local`: the database that has the rows."""
    tables = f"SELECT count() FROM system.tables WHERE database = '{local}'"
    parts = f"FROM system.parts WHERE active AND database = '{local}'"
    replicas = f"FROM system.replicas WHERE database = '{local}'"
    return (
        f"SELECT hostName() AS name, version() AS version, ({tables}) AS tables, (SELECT sum(rows) {parts}) AS rows,"
        f" (SELECT sum(bytes_on_disk) {parts}) AS bytes, (SELECT sum(free_space) FROM system.disks) AS free,"
        f" (SELECT count() {replicas}) AS replicated, (SELECT max(absolute_delay) {replicas}) AS lag,"
        f" (SELECT max(is_readonly) {replicas}) AS readonly"
    )


class _NodeRow(NamedTuple):
    """As the engine gives it, which may leave a sum over nothing out."""

    name: str
    version: str
    tables: int
    rows: int | None
    bytes: int | None
    free: int | None
    replicated: int
    lag: int | None
    is_read_only: int | None


def _nodes(connection: Connection, address: ServerAddress) -> Iterator[NodeReport]:
    statement = _node_statement(database_of(address).local)
    if address.cluster is not None:
        statement = f"SELECT * FROM clusterAllReplicas('{address.cluster}', view({statement}))"
    for row in map(_NodeRow._make, connection.query(statement).result_rows):
        yield NodeReport(
            name=row.name,
            version=row.version,
            tables=row.tables,
            rows=int(row.rows or 0),
            stored_bytes=int(row.bytes or 0),
            free_bytes=int(row.free or 0),
            replicated=int(row.replicated or 0),
            most_lag_seconds=int(row.lag or 0) if row.replicated else None,
            is_read_only=bool(row.is_read_only),
        )
