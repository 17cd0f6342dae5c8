"""Asks and changes the small tables: orgs, keys, hosts, sessions, views, notifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from procession.storage.accounts.changes import next_change
from procession.storage.history.engine.connection import ConnectionPool
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.engine.statement import Statement


class AccountTables:
    """All of it raises Unavailable where the store cannot do it now."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def rows(self, text: str, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
        with unavailable_on_failure(), self._pool.connection() as connection:
            rows: Sequence[Any] = connection.query(text, parameters).result_rows
            return rows

    def rows_of_all_replicas(self, columns: str, table: str) -> Sequence[Any]:
        """The newest rows that each copy of the table has: one thing may have several, until all copies have the same.
        Both are fixed text."""
        with unavailable_on_failure(), self._pool.connection() as connection:
            everywhere = connection.on_all_replicas(table)
            rows: Sequence[Any] = connection.query(f"SELECT {columns} FROM {everywhere} FINAL").result_rows
            return rows

    def write(self, text: str, parameters: dict[str, Any]) -> None:
        """`text` inserts rows."""
        with unavailable_on_failure(), self._pool.connection() as connection:
            connection.write(Statement(text, parameters))

    def insert(self, table: str, rows: Any) -> None:
        """Many rows, as an Arrow table."""
        with unavailable_on_failure(), self._pool.connection() as connection:
            connection.insert_arrow(table, rows)

    def change(self, same: str, text: str, parameters: dict[str, Any]) -> None:
        """`text` inserts a row with `{change:UInt64}`; of several of the same thing the one with the greatest holds.
        `same` is the table and the condition of the thing's earlier rows, fixed text."""
        self.write(text, parameters | {"change": next_change(self.rows, same, parameters)})
