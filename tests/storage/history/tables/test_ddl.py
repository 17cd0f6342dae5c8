"""One source of tables, for one server and for a cluster.

No test makes a replicated table: that takes Keeper. The engine parses what would make them, and no more.
"""

from __future__ import annotations

import re

import pytest

from procession.storage.history.tables import ddl, migrations
from procession.storage.store import ClickHouseStore

ALL = (migrations.BEFORE_ALL, *migrations.MIGRATIONS)
CLUSTERED = [text for migration in ALL for text in ddl.statements(ddl.Database("p", "fleet"), migration)]
SINGLE = [text for migration in ALL for text in ddl.statements(ddl.Database("p"), migration)]
TABLES = set(re.findall(r"CREATE TABLE IF NOT EXISTS p\.(\w+)", "\n".join(SINGLE)))


def test_every_table_stands_under_its_name() -> None:
    assert migrations.TABLES == TABLES
    for migration in ALL:
        for statement in migration.statements:
            for database, name in re.findall(r"CREATE TABLE IF NOT EXISTS {(\w+)}\.(\w+)", statement.text):
                assert (name, database) == (statement.table, "database" if statement.is_for_clusters else "local")


def test_every_table_has_a_place_on_a_cluster() -> None:
    ways = re.findall(r"CREATE TABLE IF NOT EXISTS p\.(\w+) .* AS p_local\.(\w+)\nENGINE", "\n".join(CLUSTERED))

    assert {name for name, _ in ways} == TABLES
    assert all(name == local for name, local in ways)


def test_a_table_is_one_file() -> None:
    text = (
        "-- Why.\n-- @table nets\nCREATE TABLE IF NOT EXISTS {local}.nets{on_cluster} (a UInt8)\n"
        "ENGINE = {engine:ReplacingMergeTree, a}\nORDER BY a;\n\n"
        "-- @cluster\nCREATE TABLE IF NOT EXISTS {database}.nets{on_cluster} AS {local}.nets\n"
        "ENGINE = Distributed('{cluster}', '{local}', 'nets', a);\n\n"
        "-- @retention\ntoDateTime(a) + toIntervalHour({retention_hours} + 2);\n"
    )

    migration = migrations.parse_migration("0002_nets.sql", text)

    assert list(ddl.statements(ddl.Database("p"), migration)) == [
        "CREATE TABLE IF NOT EXISTS p.nets (a UInt8)\nENGINE = ReplacingMergeTree(a)\nORDER BY a"
    ]
    assert list(ddl.statements(ddl.Database("p", "fleet"), migration)) == [
        (
            "CREATE TABLE IF NOT EXISTS p_local.nets ON CLUSTER 'fleet' (a UInt8)\n"
            "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/p_local/nets', '{replica}', a)\n"
            "ORDER BY a"
        ),
        (
            "CREATE TABLE IF NOT EXISTS p.nets ON CLUSTER 'fleet' AS p_local.nets\n"
            "ENGINE = Distributed('fleet', 'p_local', 'nets', a)"
        ),
    ]
    assert migration.retention == {"nets": "toDateTime(a) + toIntervalHour({retention_hours} + 2)"}


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
