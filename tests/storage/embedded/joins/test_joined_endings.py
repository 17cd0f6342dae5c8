"""How processes did and ended of which a part is in the history, and a part in the live table alone."""

from __future__ import annotations

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import (
    Ending,
    LiveNumbers,
    LiveSnapshot,
    ProcessDescription,
    ProcessKey,
    ProcessNumbers,
    ProcessSummary,
)
from procession.query import ProcessQuery
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.halves import ORG, Halves
from tests.support.stores.shifted_starts import shifted_across

HOUR = 3600
ALL = Window(NOON - 5 * HOUR, NOON + 60)


@bounded(60)
@given(st.data())
def test_both_halves_say_what_the_oracle_says(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    since = data.draw(st.sampled_from(sorted({one.taken_at for one in fleet} or {NOON})))
    assume(not shifted_across(fleet, since))
    halves = Halves(fleet, since, data.draw(st.integers(0, len(fleet))))
    for exits in data.draw(strategies.exits_over(fleet)):
        halves.add_exits(exits)
    for live in data.draw(st.lists(strategies.live_over(fleet), max_size=1)):
        halves.add_live(live)
    if data.draw(st.booleans()):
        halves.flush(1)

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=3, max_size=3)):
        processes = halves.whole.find(query).processes
        expected = halves.whole.details(ORG, query.window, processes)
        known = [
            one for one, detail in zip(processes, expected, strict=True) if detail.numbers.state != ""
        ]  # of one that is kept under another start than its host reports, the oracle knows no numbers
        found = halves.endings.details(ORG, query.window, known)
        event(f"details joined: {found is not None}")
        assert found is None or found == halves.whole.details(ORG, query.window, known)
        seen = [(ProcessKey.of(one.identity), one.seen_at) for one in known]
        until = query.window.to_at
        endings = halves.endings.endings(ORG, until, seen)
        event(f"endings joined: {endings is not None}")
        assert endings is None or endings == halves.whole.endings(ORG, until, seen)


@pytest.fixture
def halves() -> Halves:
    """The history has a process that was seen an hour ago; then its host was silent until now."""
    running = ProcessNumbers(rss_bytes=7, state="S")
    before = a_snapshot(a_sighting(pid=1, numbers=running), a_sighting(pid=2, numbers=running), taken_at=NOON - HOUR)
    after = a_snapshot(a_sighting(pid=2, numbers=running), taken_at=NOON, request_id=1, chunk_count=1)
    return Halves((before, after), NOON - 60, 1)


def first(halves: Halves) -> ProcessSummary:
    return halves.whole.find(ProcessQuery(ORG, ALL)).processes[0]


def test_a_process_that_only_the_history_knows_ends_by_what_the_live_table_was_told(halves: Halves) -> None:
    found = halves.endings.details(ORG, ALL, [first(halves)])

    assert found is not None
    assert (found[0].numbers.rss_bytes, found[0].ended_at) == (7, NOON)
    key = ProcessKey.of(first(halves).identity)
    assert halves.endings.endings(ORG, NOON, [(key, NOON - HOUR)]) == (Ending(NOON),)


def test_an_exit_that_waits_for_its_flush_counts(halves: Halves) -> None:
    exited = ProcessExit(pid=1, at=NOON - 5, executed_at=None, exit_code=3, description=ProcessDescription())
    halves.add_exits(ProcessExits("web-1", (exited,)))

    found = halves.endings.details(ORG, ALL, [first(halves)])

    assert found is not None
    assert (found[0].ended_at, found[0].exit_code) == (NOON - 5, 3)


def test_an_exit_that_waits_counts_though_the_history_knows_of_a_later_end(halves: Halves) -> None:
    halves.flush(1)
    exited = ProcessExit(pid=1, at=NOON - 5, executed_at=None, exit_code=3, description=ProcessDescription())
    halves.add_exits(ProcessExits("web-1", (exited,)))

    found = halves.endings.details(ORG, ALL, [first(halves)])

    assert found is not None
    assert (found[0].ended_at, found[0].exit_code) == (NOON - 5, 3)


def test_numbers_that_came_live_and_wait_for_their_flush_are_left_to_the_history(halves: Halves) -> None:
    live = LiveSnapshot(
        host="web-1", taken_at=NOON + 10, processes=(LiveNumbers(1, NOON - 100, ProcessNumbers(rss_bytes=9)),)
    )
    halves.add_live(live)

    assert halves.endings.details(ORG, ALL, [first(halves)]) is None


def test_what_was_seen_again_after_the_window_and_waits_for_its_flush_has_the_numbers_of_the_window(
    halves: Halves,
) -> None:
    for number in (1, 2):
        later = a_sighting(pid=2, numbers=ProcessNumbers(rss_bytes=number, state="R"))
        halves.add(a_snapshot(later, taken_at=NOON + 10 * number, request_id=1 + number, chunk_count=1))
    page = halves.whole.find(ProcessQuery(ORG, Window(NOON - 60, NOON))).processes

    found = halves.endings.details(ORG, Window(NOON - 60, NOON), page)

    assert found is not None
    assert [(one.numbers, one.ended_at) for one in found] == [(ProcessNumbers(rss_bytes=7, state="S"), None)]
