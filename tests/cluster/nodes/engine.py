"""The embedded engine of a node: a connection for each set of settings, and statements that only a server takes."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import msgspec

from procession.storage.history.engine.awake import Command, awake
from procession.storage.history.engine.embedded import ENGINE_OPTIONS
from tests.cluster.nodes.wire import Refused

_DROPPED = {"run_query_in_background", "session_id", "session_timeout", "session_check", "interactive_delay"}
"""Settings that `SET` refuses, and how often to tell of progress. That is another with each query, and a node tells
once."""

_PROFILE = {
    "compile_aggregate_expressions": "0",
    "compile_expressions": "0",
    "compile_sort_description": "0",
    "max_threads": "1",
    "optimize_const_name_size": "-1",
    "parallel_distributed_insert_select": "0",
}
"""Several nodes are on one machine here, and read a few rows each time: to share out a query takes half as long again,
and to compile it longer than to answer it.
What shards insert from themselves would reach one of their replicas alone, since these do not replicate.
Long constants stay in the statement that goes to a shard. As scalars beside it they would have to be given to the
engine in a way that it does not have."""

_ASKS = re.compile(r"\s*(SELECT|WITH|EXISTS|DESC|SHOW|INSERT|EXPLAIN)\b", re.IGNORECASE)
"""Statements that change no table."""

CLUSTER = "fleet"


class NodeConfig(msgspec.Struct, frozen=True):
    """One node, and the cluster that it is in."""

    folder: str
    http: int
    """Ports of the loopback address."""
    native: int
    shard: int
    replica: int
    shards: tuple[tuple[int, ...], ...]
    """The native ports of the replicas of each shard."""
    peers: tuple[int, ...] = ()
    """The HTTP ports of all nodes, this one's too."""
    user: str = "default"
    password: str = ""
    handshake_seconds: float = 10.0


def server_configuration(config: NodeConfig) -> str:
    """What a server would have in its configuration file: the cluster and the macros."""
    shards = "".join(
        "<shard><internal_replication>false</internal_replication>"
        + "".join(
            f"<replica><host>127.0.0.1</host><port>{port}</port><compression>0</compression>"
            f"<user>{escape(config.user)}</user><password>{escape(config.password)}</password></replica>"
            for port in replicas
        )
        + "</shard>"
        for replicas in config.shards
    )
    return (
        f"<clickhouse><remote_servers><{CLUSTER}>{shards}</{CLUSTER}></remote_servers>"
        f"<macros><cluster>{CLUSTER}</cluster><shard>{config.shard:02}</shard>"
        f"<replica>r{config.replica}</replica></macros></clickhouse>"
    )


@dataclass(frozen=True)
class Answer:
    data: bytes
    rows: int


class NodeEngine:
    def __init__(self, config: NodeConfig) -> None:
        folder = Path(config.folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.xml").write_text(server_configuration(config))
        # Several nodes are idle side by side here, each with the tables of several stores.
        self._address = f"{folder / 'data'}?config-file={folder / 'config.xml'}&{urlencode(ENGINE_OPTIONS)}"
        self._lock = threading.Lock()
        self._idle: dict[str, list[Any]] = {}
        self._tables = KnownTables()
        self._kept = self._open()
        """One is always open: the engine goes with the last connection."""

    def close(self) -> None:
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle.clear()
        self._kept.close()

    def _open(self) -> Any:
        from chdb.state.sqlitelike import Connection

        return Connection(self._address)

    @contextmanager
    def connection(self, database: str, settings: Mapping[str, str], *, is_kept: bool = True) -> Iterator[Any]:
        """One that has these settings and nothing else. `is_kept`: whether it may serve again."""
        settings = _PROFILE | {name: value for name, value in settings.items() if name not in _DROPPED}
        key = json.dumps([database, sorted(settings.items())])
        with self._lock:
            waiting = self._idle.get(key, [])
            connection = waiting.pop() if waiting and is_kept else None
        if connection is None:
            connection = self._open()
            if database:
                connection.query(f"USE {_quoted(database)}")
            for name, value in settings.items():
                connection.query(f"SET {name} = '{_escaped(value)}'")
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if not is_kept:
            connection.close()
            return
        with self._lock:
            self._idle.setdefault(key, []).append(connection)

    def missing(self, tables: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these (database, table) that there are not."""
        return {
            (database, name)
            for database, name in tables
            if self.of_tables(f"EXISTS TABLE {_quoted(database)}.{_quoted(name)}", "CSV") != b"1\n"
        }

    def of_tables(self, statement: str, form: str, database: str = "") -> bytes:
        """What is answered to a question about tables and not about what is in them."""

        def ask() -> bytes:
            with self.connection(database, {}) as connection:
                return bytes(connection.query(statement, form).bytes())

        return self._tables.answer((statement, form, database), ask)

    @contextmanager
    def changing(self, statement: str, database: str) -> Iterator[None]:
        """While this runs, which may make tables, or change them."""
        if _ASKS.match(statement):
            yield
            return

        @contextmanager
        def another() -> Iterator[Command]:
            with self.connection(database, {}) as connection:
                yield connection.query

        self._tables.forget()
        try:
            with awake(statement, another):
                yield
        finally:
            self._tables.forget()


class KnownTables:
    """Answers about tables, each kept until one of them is changed: a server knows its tables without a question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str, str], bytes] = {}
        self._changes = 0

    def answer(self, question: tuple[str, str, str], ask: Callable[[], bytes]) -> bytes:
        with self._lock:
            known, changes = self._answers.get(question), self._changes
        if known is not None:
            return known
        found = ask()
        with self._lock:
            if changes == self._changes:
                self._answers[question] = found
        return found

    def forget(self) -> None:
        with self._lock:
            self._changes += 1
            self._answers.clear()


def as_this_engine_takes_it(statement: str) -> tuple[str, bool]:
    """A statement without what needs Keeper, and whether it is for every node of the cluster."""
    plain, count = re.subn(rf"\s+ON\s+CLUSTER\s+(?:`{CLUSTER}`|'{CLUSTER}'|{CLUSTER})", "", statement)
    if re.search(r"\bON\s+CLUSTER\b", plain):
        raise Refused(f"there is no other cluster here than {CLUSTER}", 170)
    # The path in Keeper and the replica's name come first; a plain engine has neither.
    plain = re.sub(r"\bReplicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?", r"\1(", plain)
    return plain, bool(count)


def insert(connection: Any, folder: str, statement: str, form: str, data: bytes) -> None:
    """By a file: an insert that is streamed to the engine says nothing of what fails at its end."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".insert") as file:
        file.write(data)
        file.flush()
        connection.query(f"{statement} FROM INFILE '{file.name}' FORMAT {form}", "TabSeparated")


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def code_of(message: str) -> int:
    found = re.search(r"Code: (\d+)", message)
    return int(found[1]) if found else 1001
