"""What a statement becomes on a cluster, and on which shard rows are."""

from __future__ import annotations

from procession.process import host_key
from procession.storage.history.engine.cluster import (
    HASH_FACTOR,
    Cluster,
    first_of_shards,
    shard_of,
    slots_of,
    text_over_shards,
)
from procession.storage.history.engine.statement import First, ShardSelect, Statement
from procession.storage.history.tables.migrations import MIGRATIONS
from procession.storage.store import ClickHouseStore


def test_a_shard_is_chosen_as_the_engine_chooses_it(clickhouse: ClickHouseStore) -> None:
    slots = slots_of([(2, 1), (1, 3), (3, 2)])
    key = f"host + org * toUInt64({HASH_FACTOR})"
    places = [(org, host_key(f"host-{number}")) for org in (0, 1, 77, 2**32 - 1) for number in range(50)]

    with clickhouse._engine.connection() as connection:
        rows = connection.query(
            "SELECT toUInt32(one.1) AS org, one.2 AS host, (KEY) % 6 FROM (SELECT arrayJoin(arrayZip("
            "{orgs:Array(UInt32)}, {hosts:Array(UInt64)})) AS one)".replace("KEY", key),
            {"orgs": [org for org, _ in places], "hosts": [host for _, host in places]},
        ).result_rows

    (way,) = [one for one in MIGRATIONS[0].statements if one.is_for_clusters and one.table == "snapshots"]
    assert way.text.endswith(f"Distributed('{{cluster}}', '{{local}}', 'snapshots', {key})")
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
    fleet = Cluster("fleet", "p_local")
    rolled_up = ShardSelect(
        lambda names: f"SELECT {{org:UInt32}}, host FROM (SELECT host FROM {names('snapshots')} WHERE a)",  # noqa: S608
        insert="INSERT INTO minutes (org, host) ",
        settings=" SETTINGS x = 1",
    )
    samples = ShardSelect(lambda names: f"SELECT 1 FROM mergeTreeIndex({names.database_value}, 'presence')")  # noqa: S608

    assert rolled_up.text == (
        "INSERT INTO minutes (org, host) SELECT {org:UInt32}, host FROM (SELECT host FROM snapshots WHERE a)"
        " SETTINGS x = 1"
    )
    assert text_over_shards(Statement(rolled_up.text, on_shards=rolled_up), fleet) == (
        "INSERT INTO minutes (org, host) SELECT * FROM cluster('fleet', view(SELECT {org:UInt32}, host FROM"
        " (SELECT host FROM p_local.snapshots WHERE a))) SETTINGS x = 1"
    )
    assert samples.text == "SELECT 1 FROM mergeTreeIndex(currentDatabase(), 'presence')"
    assert text_over_shards(Statement(samples.text, on_shards=samples), fleet) == (
        "SELECT * FROM cluster('fleet', view(SELECT 1 FROM mergeTreeIndex('p_local', 'presence')))"
    )
