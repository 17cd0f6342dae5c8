"""ClickHouse servers over HTTP: connections that are kept, and go on to another host where one does not answer."""

from __future__ import annotations

import itertools
import json
import queue
import re
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from procession.errors import UsageError
from procession.storage.history.engine.address import ServerAddress
from procession.storage.history.engine.cluster import local_database, text_over_shards
from procession.storage.history.engine.connection import QUERY_SETTINGS
from procession.storage.history.engine.errors import first_line
from procession.storage.history.engine.statement import Statement

_T = TypeVar("_T")

MINIMUM_VERSION = (26, 2)
"""The first with all that our tables and statements use. The newest of it are text indexes, which are generally
available since 26.2: https://clickhouse.com/docs/reference/engines/table-engines/mergetree-family/textindexes"""

CONNECT_SECONDS = 3
ANSWER_SECONDS = 40
"""More than the longest query may take, so that the server itself says that it was too long."""

SERVER_SETTINGS = {
    **QUERY_SETTINGS,
    # Retries are safe because rows replace each other. The servers' own way to drop what they have seen would only
    # keep a repeated block from the views that are fed by it.
    "insert_deduplicate": 0,
    "async_insert": 0,
}

CLUSTER_SETTINGS = {
    # A process, and what is grouped by it, never crosses a shard: each gives groups that are finished.
    "distributed_group_by_no_merge": 1,
    "distributed_product_mode": "local",
    "distributed_foreground_insert": 1,
    "optimize_skip_unused_shards": 1,
    # A part of an answer that looks like the whole would be wrong.
    "skip_unavailable_shards": 0,
    "prefer_localhost_replica": 1,
    # A replica that hangs must not keep the others waiting.
    "handshake_timeout_ms": 1000,
    "connect_timeout_with_failover_ms": 1000,
}

_AGAIN = {32, 209, 210}
"""A replica died while it was read from (attempt to read after end of file; time-out of a socket; network error)."""

_LONG = 64
"""Lists of this many numbers stand in the statement itself: a server takes no more than 128 KiB for a parameter."""


class ServerConnection:
    """A `Connection` to whichever host answers. Everything that Procession asks may be asked again: reads change
    nothing, and rows that are written twice are one."""

    def __init__(self, engine: ServerEngine) -> None:
        self._engine = engine
        self._host = engine.next_host()
        self._clients: dict[int, Any] = {}

    def run(self, statement: Statement) -> Any:
        return self.query(self._text(statement), statement.parameters)

    def run_arrow(self, statement: Statement) -> Any:
        return self.query_arrow(self._text(statement), statement.parameters)

    def query(self, text: str, parameters: dict[str, Any] | None = None) -> Any:
        settings = self._asking_all(parameters)
        text, parameters = _with_long_lists(text, parameters)
        from clickhouse_connect.driver.query import QueryResult

        def ask(client: Any) -> Any:
            found = client.query(text, parameters, settings=settings)
            if isinstance(found, QueryResult):
                found.result_rows  # noqa: B018 — reads the answer to its end, here, where it can be asked for again
            return found

        return self._run(ask, is_insert=text.lstrip().startswith("INSERT"))

    def query_arrow(self, text: str, parameters: dict[str, Any] | None = None) -> Any:
        settings = self._asking_all(parameters)
        text, parameters = _with_long_lists(text, parameters)
        return self._run(lambda client: client.query_arrow(text, parameters, settings=settings))

    def insert_arrow(self, table: str, arrow_table: Any, *, shard: int = 0) -> Any:
        settings = {"insert_shard_id": shard} if shard else None
        return self._run(lambda client: client.insert_arrow(table, arrow_table, settings=settings), is_insert=True)

    def command(self, text: str) -> Any:
        return self._run(lambda client: client.command(text))

    def _text(self, statement: Statement) -> str:
        address = self._engine.address
        if address.cluster is None:
            return statement.text
        return text_over_shards(statement, address.cluster, address.database, self._engine.tables)

    def _asking_all(self, parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        """Where there is an empty list, all shards: ClickHouse 26.9 cannot tell then which of them it may leave out,
        and says that numbers of columns do not match."""
        has_empty = any(isinstance(value, list) and not value for value in (parameters or {}).values())
        if self._engine.address.cluster is None or not has_empty:
            return None
        return {"optimize_skip_unused_shards": 0}

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _run(self, work: Callable[[Any], _T], *, is_insert: bool = False) -> _T:
        from clickhouse_connect.driver.exceptions import ClickHouseError
        from urllib3.exceptions import HTTPError

        hosts_left = len(self._engine.address.hosts) - 1
        may_repeat = not is_insert
        while True:
            try:
                return work(self._client())
            except (ClickHouseError, HTTPError) as error:
                code = getattr(error, "code", None)
                if code in _AGAIN and may_repeat:
                    may_repeat = False
                elif code is None and hosts_left and _is_lost(error):
                    hosts_left -= 1
                    self._drop()
                else:
                    if isinstance(error, HTTPError):
                        raise OSError(str(error)) from error
                    raise

    def _client(self) -> Any:
        if self._host not in self._clients:
            self._clients[self._host] = self._engine.client(self._host)
        return self._clients[self._host]

    def _drop(self) -> None:
        client = self._clients.pop(self._host, None)
        if client is not None:
            client.close()
        self._host = self._engine.next_host(besides=self._host)


def _is_lost(error: BaseException) -> bool:
    """Whether the host could not be reached, or broke off; not where it only takes too long."""
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    one: BaseException | None = error
    is_of_network = False
    for _ in range(10):
        if one is None:
            break
        if isinstance(one, ReadTimeoutError):
            return False
        is_of_network |= isinstance(one, (HTTPError, ConnectionError))
        one = one.__cause__ or one.__context__
    return is_of_network


def _with_long_lists(text: str, parameters: dict[str, Any] | None) -> tuple[str, dict[str, Any] | None]:
    """Long lists of numbers as literals: nothing but numbers gets into the text that way."""
    if not parameters:
        return text, parameters
    kept = dict(parameters)
    for name, value in parameters.items():
        if not isinstance(value, list) or len(value) < _LONG or not all(type(item) is int for item in value):
            continue
        placeholder = re.compile(rf"\{{{name}:(Array\(U?Int\d+\))\}}")
        literal = json.dumps(value, separators=(",", ":"))
        text = placeholder.sub(lambda match, literal=literal: f"CAST({literal}, '{match[1]}')", text)  # type: ignore[misc]
        del kept[name]
    return text, kept


class ServerEngine:
    """Lends connections to the servers of an address. Each goes to a host of its own, as long as there are several."""

    def __init__(self, address: ServerAddress, *, tables: Collection[str] = (), database: str | None = None) -> None:
        """`tables`: those that are spread over the shards of a cluster. `database`: to begin in, where it is not the
        store's. Raises UsageError where no host can be used."""
        self.address = address
        self.tables = tables
        self._database = address.database if database is None else database
        self._turns = itertools.count()
        self._lock = threading.Lock()
        self._idle: queue.SimpleQueue[ServerConnection] = queue.SimpleQueue()
        self._all: list[ServerConnection] = []
        self._pool = _pool(address)
        try:
            with self.connection() as connection:
                rows = connection.query("SELECT version()").result_rows
        except Exception as error:
            self.close()
            raise UsageError(_cannot_open(address, error)) from error
        self.version: str = rows[0][0]
        try:
            check_version(self.version, address)
        except UsageError:
            self.close()
            raise

    @contextmanager
    def connection(self) -> Iterator[ServerConnection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = ServerConnection(self)
            with self._lock:
                self._all.append(connection)
        try:
            yield connection
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._pool.clear()

    def next_host(self, besides: int | None = None) -> int:
        """The index of the host whose turn it is."""
        count = len(self.address.hosts)
        host = next(self._turns) % count
        return (host + 1) % count if host == besides else host

    def client(self, host: int) -> Any:
        import clickhouse_connect

        name, port = self.address.hosts[host]
        settings: dict[str, Any] = dict(SERVER_SETTINGS)
        if self.address.cluster is not None:
            settings |= CLUSTER_SETTINGS
        return clickhouse_connect.get_client(
            host=name,
            port=port,
            interface="https" if self.address.is_tls else "http",
            username=self.address.user,
            password=self.address.password,
            database=self._database,
            settings=settings,
            pool_mgr=self._pool,
            connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=ANSWER_SECONDS,
            query_retries=0,
            autogenerate_session_id=False,
            client_name="procession",
            tz_mode="naive_utc",
            show_clickhouse_errors="scrub",
        )


def _pool(address: ServerAddress) -> Any:
    from clickhouse_connect.driver.httputil import get_pool_manager

    return get_pool_manager(maxsize=32, verify=True, retries=0, ca_cert=address.ca_file or None)


def check_version(version: str, address: ServerAddress) -> None:
    """Raises UsageError where a server is too old."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < MINIMUM_VERSION:
        minimum = ".".join(map(str, MINIMUM_VERSION))
        raise UsageError(f"the ClickHouse at {address} is version {version}; Procession needs {minimum} or newer")


def _cannot_open(address: ServerAddress, error: Exception) -> str:
    code = getattr(error, "code", None)
    if code == 81:
        return (
            f"there is no database {address.database} at {address}; `procession store init` makes it"
            f" and {local_database(address.database)}"
            if address.cluster
            else f"there is no database {address.database} at {address}; `procession store init` makes it"
        )
    if code in (192, 193, 194, 516):
        return f"{address} refuses the user {address.user} or its password"
    return f"cannot open the store at {address}: {first_line(error)}"
