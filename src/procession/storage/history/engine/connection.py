"""How statements reach an engine: connections, the pools that lend them, and bounds of every statement."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from procession.storage.history.engine.statement import Rows, RowT, Select, Statement

QUERY_SETTINGS = {
    "max_execution_time": 30,  # seconds
    "max_memory_usage": 4 * 2**30,
    "max_query_size": 16 * 2**20,  # a page of 10,000 names its processes
    "max_ast_elements": 1_000_000,  # a query of 256 terms, each of them several conditions
    "max_expanded_ast_elements": 1_000_000,
    "use_query_condition_cache": 0,
    # Chunks of many days may come together, from agents that were cut off. One batch must not be refused for it.
    "max_partitions_per_insert_block": 0,
}
"""Bounds of every statement; what goes beyond is refused, and others go on."""

DELETING = "SETTINGS mutations_sync = 2, max_execution_time = 0"
"""It takes as long as it takes to write the parts anew."""


class Connection(Protocol):
    """Runs what we say; none is safe to share between threads at one moment."""

    def run(self, statement: Statement) -> Any:
        """A statement of ours, as this engine does it best: on a cluster, over its shards. `result_rows` of what it
        gives are the rows."""

    def run_arrow(self, statement: Statement) -> Any:
        """The same as an Arrow table."""

    def write(self, statement: Statement) -> None:
        """An INSERT. It is not done again where a server breaks off."""

    def query(self, text: str, parameters: dict[str, Any] | None = ...) -> Any:
        """SQL as it is, that writes nothing."""

    def insert_arrow(self, table: str, arrow_table: Any, *, shard: int = ...) -> Any:
        """`shard`: its number on a cluster; 0 leaves it to the table, or there are no shards."""

    def on_all_servers(self, system_table: str) -> str:
        """What stands for a table of `system` in a text, for all servers that there are. Each gives rows of its own."""

    def on_all_replicas(self, table: str) -> str:
        """What stands for a table of ours in a text, for all copies of its rows: each gives those that it has. So
        nothing is missing that was kept before, even if it has not reached all copies. Fails if a copy is away."""

    def command(self, text: str) -> Any: ...

    def delete_rows(self, table: str, condition: str) -> None:
        """On all servers, from the disk as well, and returns once they are gone. Both are fixed text and numbers."""

    def close(self) -> None: ...


class ConnectionPool(Protocol):
    """Lends connections to a store: to the embedded engine of a folder, or to servers."""

    def connection(self) -> AbstractContextManager[Connection]:
        """A connection of one's own for the length of the block."""

    def close(self) -> None: ...


def rows_of(connection: Connection) -> Rows:
    """What runs statements on this connection."""

    def rows(statement: Select[RowT]) -> Sequence[RowT]:
        return [statement.row(row) for row in connection.run(statement).result_rows]

    return rows
