"""ClickHouse servers over HTTP, and the connections to them that are kept."""

from __future__ import annotations

import itertools
import queue
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from procession.errors import UsageError
from procession.storage.history.engine.address import ServerAddress
from procession.storage.history.engine.cluster import Cluster, local_database
from procession.storage.history.engine.errors import first_line
from procession.storage.history.engine.server_connection import ClusterConnection, ServerConnection

MINIMUM_VERSION = (26, 2)
"""The first with all that our tables and statements use. The newest of it are text indexes, which are generally
available since 26.2: https://clickhouse.com/docs/reference/engines/table-engines/mergetree-family/textindexes"""

CONNECT_SECONDS = 3
ANSWER_SECONDS = 40
"""More than the longest query may take, so that the server itself says that it was too long."""


class ServerEngine:
    """Lends connections to the servers of an address. Each goes to a host of its own, as long as there are several."""

    def __init__(self, address: ServerAddress, *, database: str | None = None) -> None:
        """`database`: to begin in, where it is not the store's. Raises UsageError where no host can be used."""
        self.address = address
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
            connection = self._connect()
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

    def _connect(self) -> ServerConnection:
        name = self.address.cluster
        if name is None:
            return ServerConnection(self)
        return ClusterConnection(self, Cluster(name, local_database(self.address.database)))

    @property
    def count(self) -> int:
        return len(self.address.hosts)

    def next_host(self, besides: int | None = None) -> int:
        """The index of the host whose turn it is."""
        host = next(self._turns) % self.count
        return (host + 1) % self.count if host == besides else host

    def client(self, host: int, settings: Mapping[str, Any]) -> Any:
        import clickhouse_connect

        name, port = self.address.hosts[host]
        return clickhouse_connect.get_client(
            host=name,
            port=port,
            interface="https" if self.address.is_tls else "http",
            username=self.address.user,
            password=self.address.password,
            database=self._database,
            settings=dict(settings),
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
