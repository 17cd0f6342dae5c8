"""Statements that run whole on each shard: counts, the roll-up, and what reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from procession.analysis import Every, Order, Selection
from procession.process import ProcessKey, Sighting, host_key
from procession.storage.history.engine.server_connection import ServerConnection
from procession.storage.history.tables.migrations import TABLES
from procession.storage.store import ClickHouseStore
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
    rolled = store.rollup.roll_up([ORG])  # by a clock that is long past noon
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


_ROWS_TO_GROUP = re.compile(rf"FROM \(.*\bFROM (?:{'|'.join(TABLES)})\b.*\).* GROUP BY ", re.DOTALL)


def test_nothing_is_left_to_group_for_the_node_that_is_asked(
    cluster_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("query", "query_arrow"):
        genuine = getattr(ServerConnection, name)

        def ask(self: ServerConnection, text: str, *more: object, genuine: Any = genuine) -> Any:
            asked.append(text)
            return genuine(self, text, *more)

        monkeypatch.setattr(ServerConnection, name, ask)

    answers(cluster_store)

    assert not [text for text in asked if _ROWS_TO_GROUP.search(text)]
    assert any("SELECT * FROM cluster('fleet', view(" in text and " GROUP BY " in text for text in asked)
