"""One source of tables, for one server and for a cluster.

No test makes a replicated table: that takes Keeper. The engine parses what would make them, and no more.
"""

from __future__ import annotations

import re

import pytest

from procession.process import host_key
from procession.storage.history.engine.statement import First
from procession.storage.history.tables import ddl, migrations
from procession.storage.store import ClickHouseStore

CLUSTERED = [*ddl.first_statements("p", "fleet")] + [
    text for migration in migrations.MIGRATIONS for text in ddl.statements("p", "fleet", migration)
]
SINGLE = [*ddl.first_statements("p", None)] + [
    text for migration in migrations.MIGRATIONS for text in ddl.statements("p", None, migration)
]
TABLES = {
    name
    for migration in migrations.MIGRATIONS
    for statement in migration.statements
    for name in re.findall(r"CREATE TABLE (\w+)", statement)
} | {"migrations"}


def test_every_table_has_a_place_on_a_cluster() -> None:
    assert set(ddl.SHARDING) == TABLES


@pytest.mark.parametrize("statement", [*CLUSTERED, *SINGLE], ids=lambda text: " ".join(text.split()[:6]))
def test_the_engine_parses_it(clickhouse: ClickHouseStore, statement: str) -> None:
    with clickhouse._engine.connection() as connection:
        ((formatted,),) = connection.query(
            "SELECT formatQuerySingleLine({text:String})", {"text": statement}
        ).result_rows

    assert formatted.startswith(("CREATE", "ALTER TABLE"))


def test_on_a_cluster_every_table_is_replicated_within_its_shard_and_reached_through_another() -> None:
    everything = "\n".join(CLUSTERED)

    assert all("ON CLUSTER 'fleet'" in statement for statement in CLUSTERED)
    assert not re.search(r"ENGINE = (?!Replicated|Distributed)", everything)
    for name in TABLES:
        assert f"'/clickhouse/tables/{{shard}}/p_local/{name}', '{{replica}}'" in everything
        assert f"Distributed('fleet', 'p_local', '{name}'" in everything
    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/p_local/orgs', '{replica}', change)" in everything


def test_on_one_server_nothing_is_replicated() -> None:
    assert not re.search("Replicated|Distributed|ON CLUSTER|_local", "\n".join(SINGLE))


def test_everything_may_be_made_again() -> None:
    assert all("IF NOT EXISTS" in text or " MODIFY " in text for text in (*CLUSTERED, *SINGLE))


def test_a_shard_is_chosen_as_the_engine_chooses_it(clickhouse: ClickHouseStore) -> None:
    slots = ddl.slots_of([(2, 1), (1, 3), (3, 2)])
    key = str(ddl.SHARDING["snapshots"])
    places = [(org, host_key(f"host-{number}")) for org in (0, 1, 77, 2**32 - 1) for number in range(50)]

    with clickhouse._engine.connection() as connection:
        rows = connection.query(
            "SELECT toUInt32(one.1) AS org, one.2 AS host, (KEY) % 6 FROM (SELECT arrayJoin(arrayZip("
            "{orgs:Array(UInt32)}, {hosts:Array(UInt64)})) AS one)".replace("KEY", key),
            {"orgs": [org for org, _ in places], "hosts": [host for _, host in places]},
        ).result_rows

    assert slots == [1, 1, 1, 2, 3, 3]
    assert [ddl.shard_of(org, host, slots) for org, host in places] == [slots[place] for _, _, place in rows]
    assert set(slots) == {ddl.shard_of(org, host, slots) for org, host in places}


def test_the_first_of_each_shard_come_in_order() -> None:
    first = First("start, host", 7)

    assert ddl.first_of_shards("SELECT start, host FROM presence WHERE a", first) == (
        "SELECT * FROM (SELECT start, host FROM presence WHERE a ORDER BY start, host LIMIT 7 WITH TIES)"
        " ORDER BY start, host LIMIT 7 WITH TIES"
    )
    assert ddl.first_of_shards("SELECT a FROM descriptions LIMIT 1 BY start, host", first) == (
        "SELECT * FROM (SELECT a FROM descriptions ORDER BY start, host LIMIT 1 BY start, host LIMIT 7 WITH TIES)"
        " ORDER BY start, host LIMIT 7 WITH TIES"
    )


def test_what_runs_whole_on_a_shard_reads_its_own_tables() -> None:
    text = ddl.whole_on_shards(
        "INSERT INTO minutes (org, host) SELECT {org:UInt32}, host FROM (SELECT host FROM snapshots WHERE a)"
        " SETTINGS x = 1",
        "fleet",
        "p",
    )

    assert text == (
        "INSERT INTO minutes (org, host) SELECT * FROM cluster('fleet', view(SELECT {org:UInt32}, host FROM"
        " (SELECT host FROM p_local.snapshots WHERE a))) SETTINGS x = 1"
    )
    assert ddl.whole_on_shards("SELECT 1 FROM mergeTreeIndex(currentDatabase(), 'presence')", "fleet", "p") == (
        "SELECT * FROM cluster('fleet', view(SELECT 1 FROM mergeTreeIndex('p_local', 'presence')))"
    )
