"""What the engine forgets by itself, and when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.accounts.hosts import HostTags, TagSource
from procession.query import ProcessQuery
from procession.storage.embedded_store import open_history
from procession.storage.history.tables import retention
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import a_sighting, a_snapshot

ORG = 7
HOUR = 3600


@pytest.fixture
def now() -> int:
    return int(time.time())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClickHouseStore]:
    store = open_history(tmp_path, retention_hours=100)
    yield store
    store.close()


def test_rules_stand_as_the_engine_writes_them(store: ClickHouseStore) -> None:
    """Else they would be set anew at each start, and the engine go through all its data."""
    written = dict(store._rows("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"))

    rules = retention.retention_rules(retention_hours=100, sighting_retention_hours=24 * 7, live_retention_hours=24)

    kept_for_ever = {
        "migrations",
        "orgs",
        "removed_orgs",
        "keys",
        "key_uses",
        "users",
        "views",
        "monitors",
        "notification_settings",
    }
    assert rules.keys() >= written.keys() - {"presence_from_snapshots"} - kept_for_ever
    for table, rule in rules.items():
        assert f"TTL {rule} " in f"{written[table]} ", table


def test_tags_of_agents_that_have_gone_are_forgotten_and_those_of_users_kept(store: ClickHouseStore, now: int) -> None:
    for host, age in (("gone", 100 + 51), ("there", 100), ("new", 0)):
        for source in TagSource:
            change = (now - age * HOUR) * 10**9
            store._rows(
                "INSERT INTO host_tags SELECT {org:UInt32}, {host:String}, {source:String}, ['a'], {change:UInt64}",
                {"org": ORG, "host": host, "source": source.value, "change": change},
            )
    store._rows("OPTIMIZE TABLE host_tags FINAL")

    kept = {(entry.host, entry.source) for entry in store.hosts.host_tags()}

    assert kept == {(host, TagSource.USER) for host in ("gone", "there", "new")} | {
        (host, TagSource.AGENT) for host in ("there", "new")
    }


def test_the_store_says_when_it_was_told(store: ClickHouseStore, now: int) -> None:
    store.hosts.put_host_tags(HostTags(ORG, "web-1", TagSource.AGENT, ("a",)))

    (entry,) = store.hosts.host_tags()

    assert now <= entry.said_at <= now + 60


def test_a_retention_longer_than_the_engine_can_count_forgets_nothing(tmp_path: Path, now: int) -> None:
    store = open_history(tmp_path, retention_hours=10**9, sighting_retention_hours=10**9)
    store.add([(ORG, a_snapshot(a_sighting(7), taken_at=now))])
    for table in ("snapshots", "presence", "descriptions", "tag_sets", "hosts"):
        store._rows(f"OPTIMIZE TABLE {table} FINAL")

    found = store.find(ProcessQuery(ORG, Window(now - HOUR, now)))
    store.close()

    assert len(found.processes) == 1
