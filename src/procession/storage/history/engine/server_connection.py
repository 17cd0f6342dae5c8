"""Connections to ClickHouse servers over HTTP, which go on to another host where one does not answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from procession.storage.history.engine.cluster import Cluster, text_over_shards
from procession.storage.history.engine.connection import DELETING, QUERY_SETTINGS
from procession.storage.history.engine.long_texts import with_long_texts
from procession.storage.history.engine.statement import NumberList, Statement, placeholder

_T = TypeVar("_T")

SERVER_SETTINGS = {
    **QUERY_SETTINGS,
    # Retries are safe because rows replace each other. The servers' own way to drop what they have seen would only
    # keep a repeated block from the views that are fed by it.
    "insert_deduplicate": 0,
    "async_insert": 0,
}

CLUSTER_SETTINGS = {
    **SERVER_SETTINGS,
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

_ALL_SHARDS = {"optimize_skip_unused_shards": 0}

_AGAIN = {32, 209, 210}
"""A replica died while it was read from (attempt to read after end of file; time-out of a socket; network error)."""

_MAX_STATEMENT = 128 * 1024
"""A server reads 256 KiB of a statement, unless it is told to read more."""

_LONG = 64
"""Lists of this many numbers stand in the statement itself: a server takes no more than 128 KiB for a parameter."""


class Hosts(Protocol):
    """Servers of one store, any of which may be asked."""

    @property
    def count(self) -> int: ...

    def next_host(self, besides: int | None = None) -> int:
        """The index of the host whose turn it is."""

    def client(self, host: int, settings: Mapping[str, Any]) -> Any: ...


class ServerConnection:
    """A `Connection` to whichever host answers. Everything that Procession asks may be asked again: reads change
    nothing, and rows that are written twice are one."""

    SETTINGS: Mapping[str, Any] = SERVER_SETTINGS
    SETTINGS_FOR_EMPTY_LISTS: Mapping[str, Any] | None = None

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._host = hosts.next_host()
        self._clients: dict[int, Any] = {}

    def run(self, statement: Statement) -> Any:
        return self.query(self._text(statement), statement.parameters)

    def run_arrow(self, statement: Statement) -> Any:
        return self.query_arrow(self._text(statement), statement.parameters)

    def write(self, statement: Statement) -> None:
        settings = self._settings(statement.parameters)
        text, parameters = with_long_texts(*_with_long_lists(self._text(statement), statement.parameters))
        if len(text) > _MAX_STATEMENT:
            settings = {**(settings or {}), "max_query_size": 2 * len(text)}
        self._run(lambda client: client.query(text, parameters, settings=settings), is_insert=True)

    def query(self, text: str, parameters: dict[str, Any] | None = None) -> Any:
        settings = self._settings(parameters)
        text, parameters = _with_long_lists(text, parameters)
        from clickhouse_connect.driver.query import QueryResult

        def ask(client: Any) -> Any:
            found = client.query(text, parameters, settings=settings)
            if isinstance(found, QueryResult):
                found.result_rows  # noqa: B018 — reads the answer to its end, here, where it can be asked for again
            return found

        return self._run(ask)

    def query_arrow(self, text: str, parameters: dict[str, Any] | None = None) -> Any:
        settings = self._settings(parameters)
        text, parameters = _with_long_lists(text, parameters)
        return self._run(lambda client: client.query_arrow(text, parameters, settings=settings))

    def insert_arrow(self, table: str, arrow_table: Any, *, shard: int = 0) -> Any:
        if shard:
            raise ValueError("servers without a cluster have no shards")
        return self._run(lambda client: client.insert_arrow(table, arrow_table), is_insert=True)

    def on_all_servers(self, system_table: str) -> str:
        return f"system.{system_table}"

    def on_all_replicas(self, table: str) -> str:
        return table

    def command(self, text: str) -> Any:
        return self._run(lambda client: client.command(text))

    def delete_rows(self, table: str, condition: str) -> None:
        self.command(f"ALTER TABLE {table} DELETE WHERE {condition} {DELETING}")

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _text(self, statement: Statement) -> str:
        return statement.text

    def _settings(self, parameters: dict[str, Any] | None) -> Mapping[str, Any] | None:
        """Of one statement, besides those of the connection."""
        has_empty = any(isinstance(value, list) and not value for value in (parameters or {}).values())
        return self.SETTINGS_FOR_EMPTY_LISTS if has_empty else None

    def _run(self, work: Callable[[Any], _T], *, is_insert: bool = False) -> _T:
        from clickhouse_connect.driver.exceptions import ClickHouseError
        from urllib3.exceptions import HTTPError

        hosts_left = self._hosts.count - 1
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
            self._clients[self._host] = self._hosts.client(self._host, self.SETTINGS)
        return self._clients[self._host]

    def _drop(self) -> None:
        client = self._clients.pop(self._host, None)
        if client is not None:
            client.close()
        self._host = self._hosts.next_host(besides=self._host)


class ClusterConnection(ServerConnection):
    """To servers that share out the rows: statements run over all shards."""

    SETTINGS = CLUSTER_SETTINGS
    SETTINGS_FOR_EMPTY_LISTS = _ALL_SHARDS
    """ClickHouse 26.9 cannot tell then which of the shards it may leave out, and says that numbers of columns do not
    match."""

    def __init__(self, hosts: Hosts, cluster: Cluster) -> None:
        super().__init__(hosts)
        self._cluster = cluster

    def insert_arrow(self, table: str, arrow_table: Any, *, shard: int = 0) -> Any:
        settings = {"insert_shard_id": shard} if shard else None
        return self._run(lambda client: client.insert_arrow(table, arrow_table, settings=settings), is_insert=True)

    def on_all_servers(self, system_table: str) -> str:
        # The name is one of those that `address.parse_address` lets through.
        return f"clusterAllReplicas('{self._cluster.name}', system.{system_table})"

    def on_all_replicas(self, table: str) -> str:
        return f"clusterAllReplicas('{self._cluster.name}', {self._cluster.local}.{table})"

    def delete_rows(self, table: str, condition: str) -> None:
        where = f"{self._cluster.local}.{table} ON CLUSTER '{self._cluster.name}'"
        self.command(f"ALTER TABLE {where} DELETE WHERE {condition} {DELETING}")

    def _text(self, statement: Statement) -> str:
        return text_over_shards(statement, self._cluster)


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
        if isinstance(value, NumberList) and len(value) >= _LONG:
            numbers = json.dumps([int(number) for number in value], separators=(",", ":"))
            text = text.replace(placeholder(name, value.sql_type), f"CAST({numbers}, '{value.sql_type}')")
            del kept[name]
    return text, kept
