"""What a connection tells a server, alone or of a cluster, and what it asks again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from procession.storage.history.engine.cluster import Cluster
from procession.storage.history.engine.server_connection import ClusterConnection, ServerConnection
from procession.storage.history.engine.statement import ShardSelect, Statement, bind

FLEET = Cluster("fleet", "p_local")
WHOLE = ShardSelect(lambda names: f"SELECT 1 FROM {names('snapshots')}")  # noqa: S608


class FakeServer:
    """A server that writes down what it is told, and breaks off the first few times."""

    count = 1

    def __init__(self, failures: int = 0) -> None:
        self.told: list[tuple[str, Any, Any]] = []
        self.settings: Mapping[str, Any] = {}
        self._failures = failures

    def next_host(self, besides: int | None = None) -> int:
        return 0 if besides is None else besides

    def client(self, host: int, settings: Mapping[str, Any]) -> FakeServer:
        assert host == 0
        self.settings = settings
        return self

    def query(self, text: str, parameters: Any, settings: Any) -> None:
        self.told.append((text, parameters, settings))
        if len(self.told) <= self._failures:
            error = DatabaseError("attempt to read after end of file")
            error.code = 32
            raise error

    def insert_arrow(self, table: str, arrow_table: Any, settings: Any = None) -> None:
        self.told.append((table, arrow_table, settings))


def test_a_long_list_of_numbers_stands_in_the_statement_and_a_short_one_beside_it() -> None:
    server, parameters = FakeServer(), dict[str, Any]()
    long, short = bind(parameters, "Array(UInt64)", range(64)), bind(parameters, "Array(UInt32)", range(63))

    ServerConnection(server).run(Statement(f"SELECT {long}, {short}, {long}", parameters))

    ((text, beside, _),) = server.told
    numbers = ",".join(map(str, range(64)))
    assert text == f"SELECT CAST([{numbers}], 'Array(UInt64)'), {short}, CAST([{numbers}], 'Array(UInt64)')"
    assert beside == {"v1": list(range(63))}


def test_each_kind_of_connection_says_where_rows_are() -> None:
    alone, clustered = FakeServer(), FakeServer()

    ServerConnection(alone).run(Statement(WHOLE.text, on_shards=WHOLE))
    ClusterConnection(clustered, FLEET).run(Statement(WHOLE.text, on_shards=WHOLE))

    assert alone.told[0][0] == "SELECT 1 FROM snapshots"
    assert clustered.told[0][0] == "SELECT * FROM cluster('fleet', view(SELECT 1 FROM p_local.snapshots))"
    assert ServerConnection(alone).on_all_servers("parts") == "system.parts"
    assert ClusterConnection(clustered, FLEET).on_all_servers("parts") == "clusterAllReplicas('fleet', system.parts)"
    assert ServerConnection(alone).on_all_replicas("users") == "users"
    assert ClusterConnection(clustered, FLEET).on_all_replicas("users") == (
        f"clusterAllReplicas('fleet', {FLEET.local}.users)"
    )
    assert "optimize_skip_unused_shards" not in alone.settings
    assert clustered.settings["optimize_skip_unused_shards"] == 1


@pytest.mark.parametrize(("hosts", "settings"), [([], {"optimize_skip_unused_shards": 0}), ([7], None)])
def test_a_cluster_asks_all_its_shards_where_a_list_is_empty(hosts: list[int], settings: object) -> None:
    server, parameters = FakeServer(), dict[str, Any]()
    text = f"SELECT 1 FROM hosts WHERE host IN {bind(parameters, 'Array(UInt64)', hosts)}"  # noqa: S608

    ClusterConnection(server, FLEET).run(Statement(text, parameters))

    assert server.told[0][2] == settings


def test_rows_go_to_a_shard_by_its_number_where_there_are_shards() -> None:
    alone, clustered = FakeServer(), FakeServer()

    ClusterConnection(clustered, FLEET).insert_arrow("exits", None, shard=2)
    with pytest.raises(ValueError, match="no shards"):
        ServerConnection(alone).insert_arrow("exits", None, shard=2)

    assert clustered.told == [("exits", None, {"insert_shard_id": 2})]
    assert alone.told == []


def test_what_broke_off_is_read_once_more_and_not_written_once_more() -> None:
    read, broken, written = FakeServer(failures=1), FakeServer(failures=2), FakeServer(failures=1)

    ServerConnection(read).query("SELECT 1")
    with pytest.raises(DatabaseError):
        ServerConnection(broken).query("SELECT 1")
    with pytest.raises(DatabaseError):
        ServerConnection(written).write(Statement("INSERT INTO a SELECT 1"))

    assert [len(server.told) for server in (read, broken, written)] == [2, 2, 1]
