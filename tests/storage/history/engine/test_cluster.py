"""What a statement becomes on a cluster, and on which shard rows are."""

from __future__ import annotations

from procession.process import host_key
from procession.storage.history.engine.cluster import first_of_shards, shard_of, slots_of, whole_on_shards
from procession.storage.history.engine.statement import First, Statement
from procession.storage.history.tables.ddl import SHARDING
from procession.storage.store import ClickHouseStore


def test_a_shard_is_chosen_as_the_engine_chooses_it(clickhouse: ClickHouseStore) -> None:
    slots = slots_of([(2, 1), (1, 3), (3, 2)])
    key = str(SHARDING["snapshots"])
    places = [(org, host_key(f"host-{number}")) for org in (0, 1, 77, 2**32 - 1) for number in range(50)]

    with clickhouse._engine.connection() as connection:
        rows = connection.query(
            "SELECT toUInt32(one.1) AS org, one.2 AS host, (KEY) % 6 FROM (SELECT arrayJoin(arrayZip("
            "{orgs:Array(UInt32)}, {hosts:Array(UInt64)})) AS one)".replace("KEY", key),
            {"orgs": [org for org, _ in places], "hosts": [host for _, host in places]},
        ).result_rows

    assert slots == [1, 1, 1, 2, 3, 3]
    assert [shard_of(org, host, slots) for org, host in places] == [slots[place] for _, _, place in rows]
    assert set(slots) == {shard_of(org, host, slots) for org, host in places}


def test_the_first_of_each_shard_come_in_order() -> None:
    first = First("start, host", 7)

    assert first_of_shards(Statement("SELECT start, host FROM presence WHERE a"), first) == (
        "SELECT * FROM (SELECT start, host FROM presence WHERE a ORDER BY start, host LIMIT 7 WITH TIES)"
        " ORDER BY start, host LIMIT 7 WITH TIES"
    )
    assert first_of_shards(Statement("SELECT a FROM descriptions", limit_by="start, host"), first) == (
        "SELECT * FROM (SELECT a FROM descriptions ORDER BY start, host LIMIT 1 BY start, host LIMIT 7 WITH TIES)"
        " ORDER BY start, host LIMIT 7 WITH TIES"
    )


def test_what_runs_whole_on_a_shard_reads_its_own_tables() -> None:
    text = whole_on_shards(
        "INSERT INTO minutes (org, host) SELECT {org:UInt32}, host FROM (SELECT host FROM snapshots WHERE a)"
        " SETTINGS x = 1",
        "fleet",
        "p",
        SHARDING,
    )

    assert text == (
        "INSERT INTO minutes (org, host) SELECT * FROM cluster('fleet', view(SELECT {org:UInt32}, host FROM"
        " (SELECT host FROM p_local.snapshots WHERE a))) SETTINGS x = 1"
    )
    assert whole_on_shards("SELECT 1 FROM mergeTreeIndex(currentDatabase(), 'presence')", "fleet", "p", SHARDING) == (
        "SELECT * FROM cluster('fleet', view(SELECT 1 FROM mergeTreeIndex('p_local', 'presence')))"
    )
