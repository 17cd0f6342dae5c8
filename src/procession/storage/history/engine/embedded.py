"""The embedded ClickHouse: one data folder, one process, many connections."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import queue
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from procession.errors import UsageError
from procession.storage.history.engine.awake import Command, awake
from procession.storage.history.engine.connection import DELETING, QUERY_SETTINGS
from procession.storage.history.engine.errors import first_line
from procession.storage.history.engine.statement import Statement
from procession.storage.history.engine.write_gate import WriteGate

UNPLANNED = " SETTINGS query_plan_enable_optimizations = 0, use_statistics = 0, max_threads = 1"
"""For a key range: it is found by the key alone, and to think of other ways, or of how to share the work,
takes as long as to read it."""


_NEVER_SECONDS = 100_000

ENGINE_OPTIONS = {
    # After an insert or a merge, each table looks at once whether there is something to merge. Where there is not, it
    # looks again ten times a second at first, and less and less often: thirty tables kept a hundredth of a core busy.
    "background_processing_pool_thread_sleep_seconds_if_nothing_to_do": 5,
    "background_processing_pool_task_sleep_seconds_when_no_work_multiplier": 1.5,
    "background_processing_pool_task_sleep_seconds_when_no_work_random_part": 2,
    "background_processing_pool_task_sleep_seconds_when_no_work_max": 60,
    # For queries that wait for new rows, and for other disks to move rows to: there are none.
    "background_streaming_processing_pool_thread_sleep_seconds_if_nothing_to_do": _NEVER_SECONDS,
    "background_streaming_processing_pool_task_sleep_seconds_when_no_work_max": _NEVER_SECONDS,
    "background_move_processing_pool_thread_sleep_seconds_if_nothing_to_do": _NEVER_SECONDS,
    "background_move_processing_pool_task_sleep_seconds_when_no_work_max": _NEVER_SECONDS,
    # How often it looks how much memory the process has; twenty times a second else.
    "memory_worker_period_ms": 1000,
}
"""How the engine keeps house. All connections of a process have to say the same."""

_OFTEN = 1000
COMPILING = {
    "min_count_to_compile_expression": _OFTEN,
    "min_count_to_compile_aggregate_expression": _OFTEN,
    "min_count_to_compile_sort_description": _OFTEN,
}
"""After how many uses an expression is compiled. After three, as usual, the first pages and snapshots after a start
wait for it: up to a tenth of a second for each of a dozen expressions, and what it saves is too little to measure."""

WRITE_SETTINGS = {
    # What comes with a flush is merged soon. To put two indexes of texts together costs more than to build one, so it
    # is built then; until then the texts of such a part are looked through, which are few.
    "materialize_skip_indexes_on_insert": 0,
}
"""Of every statement of ours, besides those that bound it."""

UNFINISHED_RESTORE = "restoring"
"""A file in a data folder that a backup is being brought back into."""

ENGINE_FILES = "clickhouse"
LOCK_FILE = "lock"


class EmbeddedConnection:
    """A `Connection` to the engine of this process."""

    def __init__(self, client: Any, gate: WriteGate, lend: Callable[[], AbstractContextManager[Command]]) -> None:
        """`lend`: lends what runs statements on another connection."""
        self._client = client
        self._gate = gate
        self._lend = lend

    def run(self, statement: Statement) -> Any:
        return self._client.query(_text(statement), _with_quick_lists(statement.parameters))

    def run_arrow(self, statement: Statement) -> Any:
        return self._client.query_arrow(_text(statement), _with_quick_lists(statement.parameters))

    def write(self, statement: Statement) -> None:
        with self._gate.writing():
            self.run(statement)

    def query(self, text: str, parameters: dict[str, Any] | None = None) -> Any:
        return self._client.query(text, parameters)

    def insert_arrow(self, table: str, arrow_table: Any, *, shard: int = 0) -> Any:
        if shard:
            raise ValueError("an embedded engine has no shards")
        with self._gate.writing():
            return self._client.insert_arrow(table, arrow_table)

    def on_all_replicas(self, table: str) -> str:
        return table

    def on_all_servers(self, system_table: str) -> str:
        return f"system.{system_table}"

    def command(self, text: str) -> Any:
        with awake(text, self._lend):
            return self._client.command(text)

    def delete_rows(self, table: str, condition: str) -> None:
        with self._gate.writing():
            self.command(f"ALTER TABLE {table} DELETE WHERE {condition} {DELETING}")

    def close(self) -> None:
        self._client.close()


class EmbeddedEngine:
    """Lends connections to the store in one folder. Closing it lets another process open the folder."""

    def __init__(self, folder: Path, *, lock: IO[str] | None = None) -> None:
        """Raises UsageError where the folder cannot be used, in words for the person who started us.

        `lock`: that of the folder, from `lock_folder`, of whoever restores into it.
        """
        self.folder = folder
        self._lock = lock or lock_folder(folder)
        if (folder / UNFINISHED_RESTORE).exists() and lock is None:
            self._lock.close()
            raise UsageError(
                f"the data folder {folder} has a half of a backup, since a restore was broken off;"
                " do it again with `procession restore`, or use another folder with --data-dir"
            )
        self.gate = WriteGate()
        """Shut, it keeps everything as it is."""
        self._idle: queue.SimpleQueue[EmbeddedConnection] = queue.SimpleQueue()
        self._all: list[EmbeddedConnection] = []
        try:
            with self.connection() as connection:
                connection.command("SELECT 1")
        except Exception as error:
            self.close()
            raise UsageError(
                f"cannot open the store in {folder}: {first_line(error)}; if its files are damaged, bring back a copy "
                "of the folder, or use another one with --data-dir"
            ) from error

    @property
    def files(self) -> Path:
        """Where the engine keeps everything."""
        return self.folder / ENGINE_FILES

    @contextmanager
    def connection(self) -> Iterator[EmbeddedConnection]:
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

    @contextmanager
    def _another(self) -> Iterator[Command]:
        with self.connection() as connection:
            yield connection.command

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._idle = queue.SimpleQueue()
        self._lock.close()

    def _connect(self) -> EmbeddedConnection:
        import clickhouse_connect  # takes half a second and 200 MB: only for who opens a store

        client = clickhouse_connect.get_client(interface="chdb", path=str(self.files), chdb_options=ENGINE_OPTIONS)
        connection = EmbeddedConnection(client, self.gate, self._another)
        # Set once: settings given with each query cost 4 ms each time.
        for name, value in (QUERY_SETTINGS | WRITE_SETTINGS | COMPILING).items():
            connection.command(f"SET {name} = {value}")
        connection.command(f"SET max_memory_usage_for_user = {_memory_of(connection) // 2}")
        return connection


def _memory_of(connection: EmbeddedConnection) -> int:
    """What the engine takes for all the memory it may use: nearly all of the machine, or of its control group.

    All statements at once get half of that, since what they find is in this process a second time, as objects. Where it
    is not enough, the engine ends the one that has most.
    """
    rows = connection.query("SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'")
    return int(rows.result_rows[0][0])


def lock_folder(folder: Path) -> IO[str]:
    """Hold the folder for this process, until the file is closed or the process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / LOCK_FILE).open("a+")
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


def is_in_use(folder: Path) -> bool:
    """Whether a process holds it. Raises OSError where that is not ours to see."""
    try:
        lock = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


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


def _text(statement: Statement) -> str:
    if statement.first is None:
        return statement.text
    return statement.text_of(statement.first) if statement.first.is_far else statement.text + UNPLANNED


def _with_quick_lists(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: _Numbers.of(value) for name, value in parameters.items()}


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
