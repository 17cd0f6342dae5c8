"""The store against the oracle: over any fleet, both give the same answer to any question."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from procession.paging import Page
from procession.process import ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.storage import ProcessStore
from procession.storage.store import ClickHouseStore
from tests.support.stores import strategies
from tests.support.stores.oracle import OracleStore


def bounded(examples: int) -> settings:
    """Each example costs the engine durable inserts and a dozen queries: few of them, each with many questions."""
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


_org_ids = itertools.count(5_000_000)


class Both:
    """The store and the oracle with the same sightings, in an org of its own."""

    def __init__(self, store: ProcessStore) -> None:
        self.org_id = next(_org_ids)
        self.store = store
        self.oracle = OracleStore()

    def add(self, *snapshots: Snapshot) -> None:
        for one in (self.store, self.oracle):
            one.add([(self.org_id, snapshot) for snapshot in snapshots])


class Finder(Protocol):
    def find(self, query: ProcessQuery) -> Page: ...


def pages(store: Finder, query: ProcessQuery, limits: Iterator[int]) -> Iterator[tuple[ProcessSummary, ...]]:
    """Page after page, each of the next size, each full but the last, as a client goes on from the last it has."""
    for limit in limits:
        page = store.find(replace(query, limit=limit)).processes
        assert len(page) <= limit
        if page:
            assert query.after is None or ProcessKey.of(page[0].identity) > query.after  # else it would never end
            yield page
        if len(page) < limit:
            return
        query = replace(query, after=ProcessKey.of(page[-1].identity))


def scan(store: Finder, query: ProcessQuery, limits: Iterator[int]) -> list[ProcessSummary]:
    return [process for page in pages(store, query, limits) for process in page]


sizes = st.lists(st.sampled_from((1, 2, 3, 7, 1000)), min_size=1, max_size=3)


@bounded(50)
@given(st.data())
def test_the_store_answers_as_the_oracle_does(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(clickhouse)
    cut = data.draw(st.integers(0, len(fleet)))
    both.add(*fleet[:cut])
    both.add(*fleet[cut:])

    for query in data.draw(st.lists(strategies.queries_over(fleet, both.org_id), min_size=8, max_size=8)):
        expected = both.oracle.find(query).processes

        event(f"found {min(len(expected), 3)}{'+' if len(expected) > 2 else ''}")
        assert both.store.find(query).processes == expected


@bounded(20)
@given(st.data())
def test_pages_of_any_size_hold_what_the_oracle_finds_at_once(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(clickhouse)
    both.add(*fleet)

    for query in data.draw(st.lists(strategies.queries_over(fleet, both.org_id), min_size=2, max_size=2)):
        limits = itertools.cycle(data.draw(sizes))

        assert tuple(scan(both.store, query, limits)) == both.oracle.find(query).processes


@bounded(20)
@given(st.data())
def test_a_scan_is_not_disturbed_by_what_is_seen_after_its_window(
    clickhouse: ClickHouseStore, data: st.DataObject
) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(clickhouse)
    query = data.draw(strategies.queries_over(fleet, both.org_id))
    both.add(*(snapshot for snapshot in fleet if snapshot.taken_at <= query.window.to_at))
    later = [snapshot for snapshot in fleet if snapshot.taken_at > query.window.to_at]
    expected = both.oracle.find(query).processes

    found: list[ProcessSummary] = []
    for page in pages(both.store, query, itertools.cycle(data.draw(sizes))):
        found += page
        if later:
            both.add(*later[:2])
            del later[:2]

    assert tuple(found) == expected


@bounded(20)
@given(st.data())
def test_a_scan_never_doubles_a_process_nor_loses_one_whatever_is_added_meanwhile(
    clickhouse: ClickHouseStore, data: st.DataObject
) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(clickhouse)
    cut = data.draw(st.integers(0, len(fleet)))
    both.add(*fleet[:cut])
    late = list(fleet[cut:])
    query = ProcessQuery(both.org_id, data.draw(strategies.windows_over(fleet)))
    before = {process.identity for process in both.oracle.find(replace(query, limit=10_000)).processes}

    keys: list[ProcessKey] = []
    for page in pages(both.store, query, itertools.cycle(data.draw(sizes))):
        keys += [ProcessKey.of(process.identity) for process in page]
        if late:
            both.add(*late[:2])
            del late[:2]

    assert keys == sorted(set(keys))
    assert {ProcessKey.of(identity) for identity in before} <= set(keys)
    after = both.oracle.find(replace(query, limit=10_000)).processes
    assert set(keys) <= {ProcessKey.of(process.identity) for process in after}


@bounded(10)
@given(st.data())
def test_the_order_of_arrival_and_repetition_change_nothing(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(clickhouse)
    for chunks in (fleet, data.draw(st.permutations(fleet))):
        size = data.draw(st.integers(1, max(1, len(chunks))))
        for start in range(0, len(chunks), size):
            both.add(*chunks[start : start + size])

    for query in data.draw(st.lists(strategies.queries_over(fleet, both.org_id), min_size=4, max_size=4)):
        assert both.store.find(query).processes == both.oracle.find(query).processes


@bounded(10)
@given(st.data())
def test_two_orgs_with_the_same_hosts_stay_apart(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    """Hosts, pids and starts are the same on purpose."""
    fleets = [data.draw(strategies.fleets()) for _ in range(2)]
    one, other = Both(clickhouse), Both(clickhouse)
    one.add(*fleets[0])
    other.add(*fleets[1])

    for both, fleet in ((one, fleets[0]), (other, fleets[1])):
        for query in data.draw(st.lists(strategies.queries_over(fleet, both.org_id), min_size=2, max_size=2)):
            assert both.store.find(query).processes == both.oracle.find(query).processes
