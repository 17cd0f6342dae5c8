"""An older version says no to tables that a newer one has made on ClickHouse servers, and changes nothing."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from procession.errors import UsageError
from procession.storage.health import check
from procession.storage.history.engine.address import ServerAddress
from procession.storage.history.engine.server import ServerEngine
from procession.storage.history.engine.statement import Statement
from procession.storage.history.tables.migrations import NEWEST
from procession.storage.setup import database_of, initialize, open_servers
from procession.storage.upgrade_check import plan_for_servers
from tests.cluster.nodes.running import Cluster
from tests.cluster.nodes.stores import RULES, servers
from tests.cluster.test_store_command import store
from tests.support.running import clean_environment, running


def apply_one_of_the_future(address: ServerAddress) -> None:
    """With a table and a column that only it knows."""
    with closing(ServerEngine(address, database="default")) as engine, engine.connection() as connection:
        tables = database_of(address)
        where = f"{tables.local} ON CLUSTER '{address.cluster}'" if address.cluster else tables.local
        name, _, on_cluster = where.partition(" ")
        connection.command(f"CREATE TABLE {name}.moods {on_cluster} (org UInt32) ENGINE = MergeTree ORDER BY org")
        connection.command(f"ALTER TABLE {name}.orgs {on_cluster} ADD COLUMN mood String")
        text = f"INSERT INTO {tables.name}.migrations (number, name, applied_at) SELECT {{number:UInt32}}, 'moods', 1"
        connection.write(Statement(text, {"number": NEWEST + 1}))


def contents(nodes: Cluster, database: str) -> list[str]:
    """Every table of it, as each server has it, and every row of those that hold what a start might write."""
    found = []
    for node in nodes.nodes:
        tables = node.ask(
            "SELECT database, name, uuid, create_table_query, total_rows FROM system.tables"
            f" WHERE database IN ('{database}', '{database}_local') ORDER BY database, name FORMAT JSONCompactEachRow"
        )
        found += tables.decode().splitlines()
        for where, name, *_, rows in map(json.loads, tables.decode().splitlines()):
            if name in ("migrations", "orgs", "keys") and rows is not None:
                text = f"SELECT '{name}', * FROM {name} ORDER BY ALL FORMAT JSONCompactEachRow"
                found += node.ask(text, database=where).decode().splitlines()
    return found


@pytest.mark.parametrize("is_cluster", [False, True], ids=["one server", "cluster"])
def test_tables_that_a_newer_version_made_stay_as_they_are(nodes: Cluster, is_cluster: bool) -> None:
    database = "newer_cluster" if is_cluster else "newer_server"
    text = nodes.address(database, is_cluster=is_cluster)
    address = servers(text)
    initialize(address, RULES)
    apply_one_of_the_future(address)
    before = contents(nodes, database)
    said = f"are at {NEWEST + 1} and this Procession is at {NEWEST}; start a newer version"

    for opening in (open_servers, lambda where: initialize(where, RULES)):
        with pytest.raises(UsageError) as caught:
            opening(address)
        assert str(caught.value) == f"the tables at {address} {said}"

    for command in (("serve", "--listen", "127.0.0.1:0"), ("orgs", "list"), ("keys", "list"), ("store", "init")):
        with running(*command, environment=clean_environment(PROCESSION_STORE=text)) as started:
            assert started.wait(seconds=60) == 1
        assert [line.removeprefix("procession: ") for line in started.output] == [f"the tables at {address} {said}"]
    code, printed = store("check", address=text)
    assert (code, printed.splitlines()[-1]) == (1, f"problem   the tables {said}")
    assert plan_for_servers(address).newer == f"its tables are at {NEWEST + 1}, this one knows {NEWEST}"
    assert not check(address).is_good

    assert contents(nodes, database) == before
    assert ["migrations", NEWEST + 1, "moods", 1] in map(json.loads, before)
