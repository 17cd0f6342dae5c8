"""The test cluster is worth what its nodes are worth: what they answer over HTTP, and to an initiator."""

from __future__ import annotations

from typing import Any

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.cluster.nodes.running import Cluster

COLUMNS = {
    "host": "UInt64",
    "texts": "Array(LowCardinality(String))",
    "pair": "Tuple(a UInt8, b Array(String))",
    "pairs": "Map(String, Nullable(Int64))",
    "maybe": "Nullable(String)",
    "word": "LowCardinality(Nullable(String))",
    "greatest": "SimpleAggregateFunction(max, UInt32)",
    "bits": "SimpleAggregateFunction(groupBitOr, UInt256)",
    "at": "DateTime",
    "exact": "DateTime64(3, 'Europe/Berlin')",
    "flag": "Bool",
    "code": "FixedString(3)",
    "price": "Decimal(18, 2)",
    "which": "Enum8('a, (b)' = 1, 'c' = 2)",
}
ROW = (
    "number, arrayMap(n -> concat('t', toString(n % 3)), range(number % 5)), (number % 7, ['x', toString(number)]),"
    " map('a', number, 'b', NULL), if(number % 2, NULL, toString(number)), if(number % 3, 'w', NULL), number,"
    " bitShiftLeft(toUInt256(1), 200), toDateTime(number), toDateTime64(number, 3, 'Europe/Berlin'),"
    " toBool(number % 2), 'abc', 1.25, 'a, (b)'"
)


@pytest.fixture(scope="module")
def own_nodes(mortal: Cluster) -> Cluster:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    first = mortal.nodes[0]
    first.ask("CREATE DATABASE d ON CLUSTER fleet")
    first.ask(
        f"CREATE TABLE d.local ON CLUSTER fleet ({columns})"
        " ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/d/local', '{replica}') ORDER BY host"
    )
    first.ask("CREATE TABLE d.every ON CLUSTER fleet AS d.local ENGINE = Distributed(fleet, d, local, host)")
    first.ask(f"INSERT INTO d.every SELECT {ROW} FROM numbers(1000)", distributed_foreground_insert="1")
    return mortal


def connect(nodes: Cluster, number: int = 0, **more: Any) -> Any:
    port = nodes.nodes[number].config.http
    options: dict[str, Any] = {
        "password": "secret",
        "database": "d",
        "settings": {"distributed_group_by_no_merge": 1},
    } | more
    return clickhouse_connect.get_client(host="127.0.0.1", port=port, **options)


def test_rows_of_all_types_get_through_an_initiator_to_every_replica_of_their_shard(own_nodes: Cluster) -> None:
    for number, node in enumerate(own_nodes.nodes):
        shard = number // 2
        expected = f"SELECT {ROW} FROM numbers(1000) WHERE number % 2 = {shard} ORDER BY number"

        assert node.ask("SELECT * FROM local ORDER BY host", database="d") == node.ask(expected)


def test_every_node_is_an_initiator_that_finds_the_rows_of_all(own_nodes: Cluster) -> None:
    for number in range(4):
        with connect(own_nodes, number) as client:
            rows = client.query("SELECT count(), sum(host) FROM every").result_rows

            assert sorted(rows) == [(500, 249500), (500, 250000)]


def test_a_query_that_is_not_complete_on_each_shard_is_refused(own_nodes: Cluster) -> None:
    with connect(own_nodes, settings={}) as client, pytest.raises(DatabaseError, match="complete queries only"):
        client.query("SELECT count() FROM every")


def test_an_outer_query_orders_and_limits_what_shards_have_finished(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        statement = (
            "SELECT h, texts FROM (SELECT host AS h, any(texts) AS texts FROM every WHERE host >= {least:UInt64}"
            " GROUP BY h ORDER BY h LIMIT 3) ORDER BY h LIMIT 3"
        )
        rows = client.query(statement, {"least": 7}).result_rows

    assert rows == [(7, ["t0", "t1"]), (8, ["t0", "t1", "t2"]), (9, ["t0", "t1", "t2", "t0"])]


def test_states_of_aggregation_get_through(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        rows = client.query("SELECT uniqExactMerge(s) FROM (SELECT uniqExactState(host) AS s FROM every)").result_rows

    assert rows == [(1000,)]


def test_a_query_may_run_as_a_whole_on_each_shard(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        rows = client.query(
            "SELECT * FROM cluster('fleet', view(SELECT getMacro('shard') AS shard, n, count() FROM"
            " (SELECT host, length(texts) AS n FROM d.local) WHERE n IN {ns:Array(UInt8)} GROUP BY n))",
            {"ns": [1, 2]},
        ).result_rows

    assert sorted(rows) == [("01", 1, 100), ("01", 2, 100), ("02", 1, 100), ("02", 2, 100)]


def test_tables_of_every_replica_can_be_asked(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        rows = client.query(
            "SELECT sum(total_rows) FROM clusterAllReplicas('fleet', system.tables) WHERE name = 'local'"
        )

        assert rows.result_rows == [(500,)] * 4


def test_a_subquery_may_stay_on_its_shard(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        rows = client.query(
            "SELECT count() FROM every WHERE host IN (SELECT host FROM every WHERE maybe IS NULL)",
            settings={"distributed_product_mode": "local"},
        ).result_rows

    assert sorted(rows) == [(0,), (500,)]


def test_a_temporary_table_of_a_global_subquery_gets_through(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        rows = client.query(
            "SELECT count() FROM every WHERE host GLOBAL IN (SELECT number FROM numbers({n:UInt64}))", {"n": 10}
        ).result_rows

    assert sorted(rows) == [(5,), (5,)]


def test_arrow_and_native_inserts_and_queries_work_over_http(own_nodes: Cluster) -> None:
    with connect(own_nodes, compress=True) as client:
        client.command("CREATE TABLE numbers (n UInt32, s String) ENGINE = MergeTree ORDER BY n")
        client.insert("numbers", [[1, "a"], [2, "b"]], column_names=["n", "s"])
        client.insert_arrow("numbers", pa.table({"n": pa.array([3], pa.uint32()), "s": ["c"]}))

        assert client.query("SELECT n, s FROM numbers ORDER BY n").result_rows == [(1, "a"), (2, "b"), (3, "c")]
        assert client.query_arrow("SELECT sum(n) AS n FROM numbers")["n"].to_pylist() == [6]
        assert client.ping()


def test_errors_keep_their_codes(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        for statement, code in (("SELECT * FROM nothing", 60), ("SELEC 1", 62), ("SELECT throwIf(1)", 395)):
            with pytest.raises(DatabaseError, match=f"Code: {code}|code {code}"):
                client.query(statement)
    with pytest.raises(DatabaseError, match="516"):
        connect(own_nodes, password="wrong")


def test_an_insert_goes_to_the_shard_that_it_names(own_nodes: Cluster) -> None:
    with connect(own_nodes) as client:
        client.command("CREATE TABLE placed ON CLUSTER fleet (n UInt32) ENGINE = MergeTree ORDER BY n")
        client.command("CREATE TABLE placed_all ON CLUSTER fleet AS d.placed ENGINE = Distributed(fleet, d, placed, n)")
        client.insert_arrow(
            "placed_all", pa.table({"n": pa.array([1, 2, 3], pa.uint32())}), settings={"insert_shard_id": 2}
        )

    assert [int(node.ask("SELECT count() FROM d.placed")) for node in own_nodes.nodes] == [0, 0, 3, 3]


def test_a_replica_without_the_table_is_passed_over(own_nodes: Cluster) -> None:
    first = own_nodes.nodes[0]
    first.ask("CREATE TABLE d.partly ON CLUSTER fleet (n UInt32) ENGINE = MergeTree ORDER BY n")
    first.ask("CREATE TABLE d.partly_all ON CLUSTER fleet AS d.partly ENGINE = Distributed(fleet, d, partly, n)")
    first.ask("INSERT INTO d.partly_all SELECT number FROM numbers(10)", distributed_foreground_insert="1")
    own_nodes.nodes[3].ask("DROP TABLE d.partly")

    with connect(own_nodes) as client:
        for _ in range(5):
            assert sorted(client.query("SELECT count() FROM partly_all").result_rows) == [(5,), (5,)]

    for name in ("partly_all", "partly"):
        first.ask(f"DROP TABLE IF EXISTS d.{name} ON CLUSTER fleet")


def test_a_killed_replica_is_done_without_and_comes_back_with_what_its_peer_has(own_nodes: Cluster) -> None:
    lost, peer = own_nodes.nodes[3], own_nodes.nodes[2]
    lost.kill()
    with connect(own_nodes) as client:
        for _ in range(3):
            assert sum(count for (count,) in client.query("SELECT count() FROM every").result_rows) == 1000
        with pytest.raises(DatabaseError, match="210"):
            client.query(
                f"INSERT INTO every SELECT {ROW} FROM numbers(1, 1)", settings={"distributed_foreground_insert": 1}
            )

    lost.start(takes_part=False)
    lost.wait()
    lost.copy_from(peer, "d")
    lost.take_part()

    assert lost.ask("SELECT count(), sum(host) FROM d.local") == peer.ask("SELECT count(), sum(host) FROM d.local")
    with connect(own_nodes, 3) as client:
        assert len(client.query("SELECT count() FROM every").result_rows) == 2
