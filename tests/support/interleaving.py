"""A store that is written to in the midst of an answer: right before one of its statements."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from procession.storage.history.engine.connection import Connection, ConnectionPool


class InterleavedEngine:
    """Lends the connections of another engine. Statements run one after the other, and before one of them something
    else happens."""

    def __init__(self, engine: ConnectionPool) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._count = 0
        self._number: int | None = None
        self._write: Callable[[], None] = lambda: None

    def count(self, ask: Callable[[], Any]) -> tuple[Any, int]:
        """What is answered, and of how many statements it was made."""
        self._count, self._number = 0, None
        return ask(), self._count

    def interrupted(self, ask: Callable[[], Any], number: int, write: Callable[[], None]) -> Any:
        """What is answered when something is written before the statement of this number, counted from 1."""
        self._count, self._number, self._write = 0, number, write
        try:
            return ask()
        finally:
            assert self._count >= number, "the answer was made before anything was written"
            self._number = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._engine.connection() as connection:
            yield _Watched(connection, self._in_turn)

    def close(self) -> None:
        """The engine goes on: it belongs to somebody else."""

    def _in_turn(self, run: Callable[[], Any]) -> Any:
        with self._lock:
            self._count += 1
            if self._count == self._number:
                self._write()
            return run()


class _Watched:
    def __init__(self, connection: Connection, in_turn: Callable[[Callable[[], Any]], Any]) -> None:
        self._connection = connection
        self._in_turn = in_turn

    def run(self, *arguments: Any) -> Any:
        return self._in_turn(lambda: self._connection.run(*arguments))

    def run_arrow(self, *arguments: Any) -> Any:
        return self._in_turn(lambda: self._connection.run_arrow(*arguments))

    def query(self, *arguments: Any, **options: Any) -> Any:
        return self._in_turn(lambda: self._connection.query(*arguments, **options))

    def write(self, *arguments: Any) -> None:
        self._connection.write(*arguments)

    def on_all_servers(self, *arguments: Any) -> str:
        return self._connection.on_all_servers(*arguments)

    def insert_arrow(self, *arguments: Any, **options: Any) -> Any:
        return self._connection.insert_arrow(*arguments, **options)

    def command(self, text: str) -> Any:
        return self._connection.command(text)

    def close(self) -> None:
        self._connection.close()
