"""Counting where there are more label sets than are asked for one by one, and where processes say tags themselves."""

from __future__ import annotations

import itertools

import pytest

from procession.analysis import Order, Selection
from procession.search.tag_filter import TagFilter
from procession.storage.history.instants.columns import label_sets
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

WINDOW = Window(NOON - 900, NOON)
PODS = label_sets._FEW + 50
KEYS = ("pod", "env", "user", "command", "state_zombie", "host", "nothing")

_orgs = itertools.count(8_000_001)


@pytest.fixture(scope="module")
def both(clickhouse: ClickHouseStore) -> tuple[int, ClickHouseStore, OracleAnalysis]:
    org, oracle = next(_orgs), OracleStore()
    some = [
        a_sighting(
            pid,
            user=("root", "www")[pid % 2],
            command=("nginx", "java", "sh")[pid % 3],
            is_zombie=pid % 7 == 0,
            # A process that says itself who it belongs to, once as it is and once otherwise.
            tags=(f"pod:{pid}", f"Env:{('prod', 'dev')[pid % 5 == 0]}", "env:prod", "user:root", "pci", ":empty"),
            container_id=f"{pid:064x}",
        )
        for pid in range(1, PODS + 1)
    ]
    snapshots = [
        a_snapshot(*some[: PODS // 2], host="web-1", request_id=1),
        a_snapshot(*some[PODS // 2 :], host="web-2", request_id=2),
    ]
    for store in (clickhouse, oracle):
        store.add([(org, snapshot) for snapshot in snapshots])
    return org, clickhouse, OracleAnalysis(oracle)


def test_facets_of_more_kinds_than_are_asked_for_one_by_one(
    both: tuple[int, ClickHouseStore, OracleAnalysis],
) -> None:
    org, store, oracle = both

    for limit, prefix in ((20, ""), (3, ""), (10, "1"), (5, "*1*0")):
        found = store.analysis.facets(Selection(org), WINDOW, KEYS, limit, prefix)

        assert found == oracle.facets(Selection(org), WINDOW, KEYS, limit, prefix)
    assert found.total == PODS


def test_facets_of_a_host_are_counted_whether_the_host_is_asked_for_or_not(
    both: tuple[int, ClickHouseStore, OracleAnalysis],
) -> None:
    org, store, oracle = both
    of_host = Selection(org, tags=TagFilter.parse("host:web-1"))

    for keys in (("state_zombie",), ("host", "state_zombie"), ("pod",)):
        found = store.analysis.facets(of_host, WINDOW, keys, 5, "")

        assert found == oracle.facets(of_host, WINDOW, keys, 5, "")
        assert found.total == PODS // 2


def test_kinds_that_come_later_are_counted_with_those_that_were_there(
    both: tuple[int, ClickHouseStore, OracleAnalysis],
) -> None:
    _, store, _ = both
    org, oracle = next(_orgs), OracleStore()
    for number in range(3):
        chunk = a_snapshot(
            *(a_sighting(pid, tags=(f"pod:{pid}", f"round:{number}")) for pid in range(10 * number, 10 * number + 9)),
            request_id=number,
        )
        for one in (store, oracle):
            one.add([(org, chunk)])

        found = store.analysis.facets(Selection(org), WINDOW, ("round", "pod", "user"), 50, "")

        assert found == OracleAnalysis(oracle).facets(Selection(org), WINDOW, ("round", "pod", "user"), 50, "")


@pytest.mark.parametrize("by", ["pod", "user", "command", "env", "state_zombie", "container_id", "nothing"])
def test_groups_of_more_kinds_than_are_asked_for_one_by_one(
    both: tuple[int, ClickHouseStore, OracleAnalysis], by: str
) -> None:
    org, store, oracle = both
    order = Order("count", is_descending=True)

    found = store.analysis.groups(Selection(org), NOON, by, ("rss_bytes",), order, 40)

    assert found == oracle.groups(Selection(org), NOON, by, ("rss_bytes",), order, 40)


def test_completion_knows_the_keys_of_more_kinds_than_are_asked_for_one_by_one(
    both: tuple[int, ClickHouseStore, OracleAnalysis],
) -> None:
    org, store, oracle = both

    for prefix in ("", "e", "pod:10", "user:", "state"):
        assert store.analysis.complete_tag(org, WINDOW, prefix, 50) == oracle.complete_tag(org, WINDOW, prefix, 50)
