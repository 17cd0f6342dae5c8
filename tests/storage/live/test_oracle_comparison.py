"""The live table against the oracle: over any fleet, both find the same processes."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import event, given
from hypothesis import strategies as st

from procession.paging import Page
from procession.process import ProcessDescription, ProcessKey, ProcessSummary
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded, pages, scan, sizes
from tests.support.stores import strategies
from tests.support.stores.live_store import LiveStore
from tests.support.stores.oracle import OracleStore
from tests.support.stores.shared_listings import SharedListings
from tests.support.stores.shifted_starts import shifted_across

quick = bounded(30)

ORG, OTHER = 1, 2


@quick
@given(st.data())
def test_the_live_table_finds_what_the_oracle_finds(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    exits = [(ORG, one) for one in data.draw(strategies.exits_over(fleet))]
    live, oracle, shared = LiveStore(), OracleStore(), SharedListings()
    cut = data.draw(st.integers(0, len(fleet)))
    for one in (live, oracle):
        one.add(shared.of([(ORG, snapshot) for snapshot in fleet[:cut]]))
        one.add_exits(exits)
        one.add(shared.of([(ORG, snapshot) for snapshot in fleet[cut:]]))

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=8, max_size=8)):
        expected = oracle.find(query).processes

        event(f"found {min(len(expected), 3)}{'+' if len(expected) > 2 else ''}")
        assert live.find(query).processes == expected


@quick
@given(st.data())
def test_pages_of_any_size_hold_what_the_oracle_finds_at_once(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    live, oracle, shared = LiveStore(), OracleStore(), SharedListings()
    for one in (live, oracle):
        one.add(shared.of([(ORG, snapshot) for snapshot in fleet]))

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=2, max_size=2)):
        expected = oracle.find(query).processes

        assert tuple(scan(live, query, itertools.cycle(data.draw(sizes)))) == expected
        for process in expected[:1]:
            only = replace(query, only=ProcessKey.of(process.identity))
            assert live.find(only) == oracle.find(only)


@quick
@given(st.data())
def test_a_scan_is_not_disturbed_by_what_is_seen_after_its_window(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    live, oracle, shared = LiveStore(), OracleStore(), SharedListings()
    query = data.draw(strategies.queries_over(fleet, ORG))
    for one in (live, oracle):
        one.add(shared.of([(ORG, snapshot) for snapshot in fleet if snapshot.taken_at <= query.window.to_at]))
    later = [(ORG, snapshot) for snapshot in fleet if snapshot.taken_at > query.window.to_at]
    expected = oracle.find(query).processes

    found: list[ProcessSummary] = []
    for page in pages(live, query, itertools.cycle(data.draw(sizes))):
        found += page
        live.add(shared.of(later[:2]))
        del later[:2]

    assert tuple(found) == expected


@quick
@given(st.data())
def test_the_order_of_arrival_and_repetition_change_nothing(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    live, oracle, shared = LiveStore(), OracleStore(), SharedListings()
    for chunks in (fleet, data.draw(st.permutations(fleet))):
        for one in (live, oracle):
            one.add(shared.of([(ORG, snapshot) for snapshot in chunks]))

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=4, max_size=4)):
        assert live.find(query) == oracle.find(query)


@quick
@given(st.data())
def test_two_orgs_with_the_same_hosts_stay_apart(data: st.DataObject) -> None:
    """Hosts, pids and starts are the same on purpose."""
    live, oracle, shared = LiveStore(), OracleStore(), SharedListings()
    fleets = {org: data.draw(strategies.fleets()) for org in (ORG, OTHER)}
    for one in (live, oracle):
        for org, fleet in fleets.items():
            one.add(shared.of([(org, snapshot) for snapshot in fleet]))

    for org, fleet in fleets.items():
        for query in data.draw(st.lists(strategies.queries_over(fleet, org), min_size=2, max_size=2)):
            assert live.find(query) == oracle.find(query)


@quick
@given(st.data())
def test_what_is_expired_is_missed_by_no_window_that_is_covered(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    live, oracle, shared = LiveStore(), OracleStore(), SharedListings()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(fleet)), min_size=2, max_size=2)))
    moments = sorted({snapshot.taken_at + shift for snapshot in fleet for shift in (0, 1)}) or [0]
    sinces = sorted(data.draw(st.lists(st.sampled_from(moments), min_size=2, max_size=2)))
    bounds = [*zip((0, *cuts), (*cuts, len(fleet)), strict=True)]
    for (start, end), since in itertools.zip_longest(bounds, sinces):
        for one in (live, oracle):
            one.add(shared.of([(ORG, snapshot) for snapshot in fleet[start:end]]))
        if since is not None:
            live.table.expire(since)

    unsure = shifted_across(fleet, sinces[-1])
    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=6, max_size=6)):
        window = query.window
        is_covered = window.from_at >= sinces[-1]
        assert live.table.covers(ORG, window) is is_covered
        assert (live.table.find(query) is not None) is is_covered
        later = replace(query, window=Window(max(window.from_at, sinces[-1]), max(window.to_at, sinces[-1])))
        assert _told_of(live.find(later), unsure) == _told_of(oracle.find(later), unsure)


def _told_of(page: Page, unsure: set[tuple[str, int]]) -> list[tuple[str, int, int, ProcessDescription]]:
    """Without the starts, and without the processes under these hosts and pids."""
    found = [(one.identity.host, one.identity.pid, one.seen_at, one.description) for one in page.processes]
    return sorted((one for one in found if one[:2] not in unsure), key=repr)
