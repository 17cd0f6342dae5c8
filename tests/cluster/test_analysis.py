"""Statements that run whole on each shard: counts, the roll-up, and what reads it."""

from __future__ import annotations

from procession.analysis import Every, Order, Selection
from procession.process import ProcessKey, Sighting, host_key
from procession.storage.clickhouse import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot

ORG = 6_000_001
WINDOW = Window(NOON - 100, NOON + 100)
KEY = ProcessKey(NOON - 505, host_key("h2"), 5)


def answers(store: ClickHouseStore) -> list[object]:
    for at in (NOON, NOON + 10, NOON + 20):
        store.add(
            [
                (ORG, a_snapshot(*(_sighting(pid) for pid in range(1, 20)), host=f"h{host}", taken_at=at))
                for host in range(6)
            ]
        )
    analysis, selection = store.analysis, Selection(ORG)
    rolled = analysis.roll_up([ORG])  # by a clock that is long past noon
    assert rolled == 6
    return [
        analysis.facets(selection, WINDOW, ["command", "host"], 10),
        analysis.complete_tag(ORG, WINDOW, "command:", 5),
        analysis.last_seen(ORG, KEY),
        analysis.history(ORG, KEY, WINDOW, next(iter(Every))),
        analysis.hosts(selection, NOON + 25, ["rss_bytes"], Order("host"), 0, 10),
    ]


def _sighting(pid: int) -> Sighting:
    return a_sighting(pid, NOON - 500 - pid, command=f"c{pid % 3}")


def test_a_cluster_answers_as_one_server_does(cluster_store: ClickHouseStore, server_store: ClickHouseStore) -> None:
    found = answers(cluster_store)

    assert found == answers(server_store)
    assert found[2] == NOON + 20
