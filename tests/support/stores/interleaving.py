"""Answers of a store that is written to in the midst: right before one of the statements that an answer is made of.

Each statement is run before the write, and again after it, and what it gave is remembered. So one write does for an
answer that is interrupted at any of its statements: the first of them are told as they were, the rest as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from procession.storage.history.engine.connection import Connection, ConnectionPool
from procession.storage.history.engine.statement import Statement


class InterleavedEngine:
    """Lends the connections of another engine. Statements run one after the other."""

    def __init__(self, engine: ConnectionPool) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._count = 0
        self._number = 1
        self._before: dict[str, Any] = {}
        """Statement -> what it gave before the write."""
        self._after: dict[str, Any] | None = None
        """The same after it; None: nothing was written yet."""

    def count(self, ask: Callable[[], Any]) -> tuple[Any, int]:
        """What is answered before anything is written, and of how many statements it was made."""
        self._before, self._after, self._count = {}, None, 0
        return ask(), self._count

    def write(self, write: Callable[[], None]) -> None:
        write()
        self._after = {}

    def interrupted(self, ask: Callable[[], Any], number: int) -> Any:
        """What is answered when it was written before the statement of this number, counted from 1."""
        assert self._after is not None, "nothing was written"
        self._count, self._number = 0, number
        answer = ask()
        assert self._count >= number, "the answer was made before anything was written"
        return answer

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._engine.connection() as connection:
            yield _Watched(connection, self._in_turn)

    def close(self) -> None:
        """The engine goes on: it belongs to somebody else."""

    def _in_turn(self, statement: str, run: Callable[[], Any]) -> Any:
        with self._lock:
            self._count += 1
            if self._after is not None and self._count < self._number:
                return self._before[statement]
            given = self._before if self._after is None else self._after
            if statement not in given:
                given[statement] = run()
            return given[statement]


class _Watched:
    def __init__(self, connection: Connection, in_turn: Callable[[str, Callable[[], Any]], Any]) -> None:
        self._connection = connection
        self._in_turn = in_turn

    def run(self, statement: Statement) -> Any:
        return self._in_turn(f"rows {_named(statement)}", lambda: self._connection.run(statement))

    def run_arrow(self, statement: Statement) -> Any:
        return self._in_turn(f"columns {_named(statement)}", lambda: self._connection.run_arrow(statement))

    def query(self, text: str, parameters: dict[str, Any] | None = None) -> Any:
        return self._in_turn(f"{text} {parameters}", lambda: self._connection.query(text, parameters))

    def write(self, *arguments: Any) -> None:
        self._connection.write(*arguments)

    def on_all_replicas(self, *arguments: Any) -> str:
        return self._connection.on_all_replicas(*arguments)

    def on_all_servers(self, *arguments: Any) -> str:
        return self._connection.on_all_servers(*arguments)

    def insert_arrow(self, *arguments: Any, **options: Any) -> Any:
        return self._connection.insert_arrow(*arguments, **options)

    def command(self, text: str) -> Any:
        return self._connection.command(text)

    def delete_rows(self, table: str, condition: str) -> None:
        self._connection.delete_rows(table, condition)

    def close(self) -> None:
        self._connection.close()


def _named(statement: Statement) -> str:
    return f"{statement.text} {statement.first} {statement.parameters}"
