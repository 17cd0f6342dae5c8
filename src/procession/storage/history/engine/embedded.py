"""The embedded ClickHouse: one data folder, one process, many connections."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from procession.errors import Unavailable, UsageError
from procession.storage.history.engine.statement import Rows, Statement

QUERY_SETTINGS = {
    "max_execution_time": 30,  # seconds
    "max_memory_usage": 4 * 2**30,
    "max_query_size": 16 * 2**20,  # a page of 10,000 names its processes
    "max_ast_elements": 1_000_000,  # a query of 256 terms, each of them several conditions
    "max_expanded_ast_elements": 1_000_000,
    "use_query_condition_cache": 0,
    # Chunks of many days may come together, from agents that were cut off. One group must not be refused for it.
    "max_partitions_per_insert_block": 0,
}
"""Bounds of every statement; what goes beyond is refused, and others go on."""


UNPLANNED = " SETTINGS query_plan_enable_optimizations = 0, use_statistics = 0, max_threads = 1"
"""For a stretch of the order: it is found by the key alone, and to think of other ways, or of how to share the work,
takes as long as to read it."""


class Connection(Protocol):
    """What we use of a `clickhouse_connect` client; none is safe to share between threads at one moment."""

    def query(
        self, text: str, parameters: dict[str, Any] | None = ..., settings: dict[str, Any] | None = ...
    ) -> Any: ...
    def query_arrow(
        self, text: str, parameters: dict[str, Any] | None = ..., settings: dict[str, Any] | None = ...
    ) -> Any: ...
    def insert_arrow(self, table: str, arrow_table: Any, *, settings: dict[str, Any] | None = ...) -> Any: ...
    def command(self, text: str) -> Any: ...
    def close(self) -> None: ...


class ConnectionPool(Protocol):
    """Lends connections to a store: the embedded engine of a folder, or servers."""

    def connection(self) -> AbstractContextManager[Connection]:
        """A connection of one's own for the length of the block."""

    def close(self) -> None: ...


class Engine:
    """Lends connections to the store in one folder. Closing it lets another process open the folder."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError where the folder cannot be used, in words for the person who started us."""
        self.folder = folder
        self._lock = _lock_folder(folder)
        self._idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._all: list[Connection] = []
        try:
            with self.connection() as connection:
                connection.command("SELECT 1")
        except Exception as error:
            self.close()
            raise UsageError(
                f"cannot open the store in {folder}: {first_line(error)}; if its files are damaged, bring back a copy "
                "of the folder, or use another one with --data-dir"
            ) from error

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of one's own for the length of the block."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._connect()
            self._all.append(connection)
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._idle = queue.SimpleQueue()
        self._lock.close()

    def _connect(self) -> Connection:
        import clickhouse_connect  # takes half a second and 200 MB: only for who opens a store

        connection: Connection = clickhouse_connect.get_client(interface="chdb", path=str(self.folder / "clickhouse"))
        # Set once: settings given with each query cost 4 ms each time.
        for name, value in QUERY_SETTINGS.items():
            connection.command(f"SET {name} = {value}")
        connection.command(f"SET max_memory_usage_for_user = {_memory_of(connection) // 2}")
        return connection


def _memory_of(connection: Connection) -> int:
    """What the engine takes for all the memory it may use: nearly all of the machine, or of its control group.

    All statements at once get half of that, since what they find is in this process a second time, as objects. Where it
    is not enough, the engine ends the one that has most.
    """
    rows = connection.query("SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'")
    return int(rows.result_rows[0][0])


def _lock_folder(folder: Path) -> IO[str]:
    """Hold the folder for this process, until the file is closed or the process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise UsageError(f"cannot write to the data folder {folder}: {_reason(error)}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise UsageError(f"cannot lock the data folder {folder}: {_reason(error)}") from error
        who = f"process {holder}" if holder else "another process"
        raise UsageError(
            f"the data folder {folder} is in use by {who}; stop it, or give this one another folder with --data-dir"
        ) from None
    try:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        os.fsync(lock.fileno())
        _probe(folder)
    except OSError as error:
        lock.close()
        raise UsageError(f"cannot write to the data folder {folder}: {_reason(error)}") from error
    return lock


def _probe(folder: Path) -> None:
    """The engine takes a full disk badly at its start, so find out before: 1 MiB must fit."""
    probe = folder / "probe"
    try:
        with probe.open("wb") as file:
            file.write(bytes(2**20))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]


_IN_WORDS = (
    ("Read-only file system", "its disk is read-only"),
    ("No space left on device", "its disk is full"),
    ("NOT_ENOUGH_SPACE", "its disk is full"),
    ("MEMORY_LIMIT_EXCEEDED", "it takes more memory than there is for it; ask for less at once, or try again"),
)


def in_words(error: Exception) -> str:
    """Why, for a person who may not know the engine."""
    text = str(error)
    return next((words for part, words in _IN_WORDS if part in text), first_line(error))


@contextmanager
def unavailable_on_failure() -> Iterator[None]:
    """What the engine refuses or cannot do becomes Unavailable: the client may try again."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    try:
        yield
    except (ClickHouseError, OSError, MemoryError) as error:
        raise Unavailable(f"The store cannot do this now: {in_words(error)}") from error


def rows_of(connection: Connection) -> Rows:
    """What runs statements on this connection."""

    def rows(statement: Statement) -> Sequence[Any]:
        found: Sequence[Any] = run(connection, statement).result_rows
        return found

    return rows


def run(connection: Connection, statement: Statement) -> Any:
    return connection.query(_text(connection, statement), _parameters(connection, statement))


def table_of(connection: Connection, statement: Statement) -> Any:
    """The same as an Arrow table."""
    return connection.query_arrow(_text(connection, statement), _parameters(connection, statement))


def _parameters(connection: Connection, statement: Statement) -> dict[str, Any]:
    if hasattr(connection, "over_shards"):
        return statement.parameters
    return {name: _Numbers.of(value) for name, value in statement.parameters.items()}


class _Numbers:
    """A list of numbers, which writes itself at once: the client takes 3 µs to look at each by itself."""

    def __init__(self, numbers: list[int]) -> None:
        self._numbers = numbers

    @staticmethod
    def of(value: Any) -> Any:
        is_list = isinstance(value, list) and all(type(item) is int for item in value)
        return _Numbers(value) if is_list else value

    def __str__(self) -> str:
        return json.dumps(self._numbers, separators=(",", ":"))


def _text(connection: Connection, statement: Statement) -> str:
    # Only a connection to servers has shards to tell apart.
    over_shards: Callable[[Statement], str] | None = getattr(connection, "over_shards", None)
    if over_shards is not None:
        return over_shards(statement)
    if statement.first is None:
        return statement.text
    return statement.first.of(statement.text) if statement.first.is_far else statement.text + UNPLANNED
