"""One source of tables, for one server and for a cluster.

No test makes a replicated table: that takes Keeper. The engine parses what would make them, and no more.
"""

from __future__ import annotations

import re

import pytest

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
