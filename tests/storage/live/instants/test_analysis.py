"""Questions about many processes at once, of now: over any fleet, the live table gives the oracle's answers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from procession.analysis import MEASURES, Order, Selection
from procession.process import LiveNumbers, LiveSnapshot, ProcessKey, ProcessNumbers
from procession.query import ProcessQuery
from procession.search.tag_filter import TagFilter
from procession.storage.live.instants.analysis import LiveAnalysis
from procession.window import Window
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.live_store import LiveStore

ORG = 1

COLUMNS = ("start", "pid", "ppid", "host", "user", "command", "cmdline", "container_id", "state", "rss_bytes")
ORDERS = st.builds(Order, st.sampled_from(COLUMNS), st.booleans())
BY = ("env", "user", "command", "host", "state", "exe", "cmdline", "cwd", "container_id", "ppid", "k", "state_zombie")
KEYS = ["host", "user", "command", "env", "k", "team", "state_zombie", "no-such"]
DRAWN_NUMBERS = ("cpu_total_percent", "rss_bytes", "threads")
STATISTICS_OF = [
    f"{statistic}:{name}" for statistic in ("avg", "p50", "p95", "max") for name in ("rss_bytes", "threads")
]
BY_STATISTIC = st.builds(Order, st.sampled_from(("value", "second", *STATISTICS_OF)), st.booleans())


def asked(store: Any, question: str, arguments: tuple[Any, ...]) -> Any:
    """With percentiles, where groups are asked for by two keys."""
    if question == "groups" and len(arguments) == 7:
        return store.groups(*arguments[:6], second=arguments[6], has_percentiles=True)
    return getattr(store, question)(*arguments)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_live_table_answers_as_the_oracle_does(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    store = LiveStore()
    newest = max((snapshot.taken_at for snapshot in fleet), default=strategies.TURN_OF_HOUR)
    store.now = newest - data.draw(st.sampled_from((0, 10, 60)))
    cut = data.draw(st.integers(0, len(fleet)))
    exits = [(ORG, one) for one in data.draw(strategies.exits_over(fleet))]
    store.add([(ORG, snapshot) for snapshot in fleet[:cut]])
    store.add_exits(exits)
    store.add([(ORG, snapshot) for snapshot in fleet[cut:]])
    mine, theirs = LiveAnalysis(store.table), OracleAnalysis(store)

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=3, max_size=3)):
        chosen, order = Selection(ORG, query.search, query.tags), data.draw(ORDERS)
        at, by = newest + data.draw(st.sampled_from((0, -1, -4, -10, -61, 3, 61))), data.draw(st.sampled_from(BY))
        by_number = Order(data.draw(st.sampled_from(("count", "value", "sum:rss_bytes", "max:rss_bytes"))), True)
        second, by_statistic = data.draw(st.sampled_from(BY)), data.draw(BY_STATISTIC)
        for question, arguments in (
            ("is_known", (chosen, query.window)),
            ("instant_page", (chosen, at, order, 0, 1000)),
            ("instant_page", (chosen, at, order, 1, 2)),
            ("points", (chosen, at, "rss_bytes", "rss_bytes", by, 3)),
            ("facets", (chosen, at, KEYS, 10)),
            ("facets", (chosen, query.window, KEYS, 2, data.draw(st.sampled_from(("", "Ng", "w"))))),
            ("complete_tag", (ORG, query.window, data.draw(st.sampled_from(("", "s", "env:", "HOST:w"))), 3)),
            ("groups", (chosen, at, by, ("rss_bytes", "threads"), by_number, 10)),
            ("groups", (chosen, at, by, DRAWN_NUMBERS, by_statistic, data.draw(st.sampled_from((2, 100))), second)),
            ("hosts", (chosen, at, ("rss_bytes",), Order("sum:rss_bytes", True), 0, 10)),
            ("host_tree", (ORG, "web-1", at)),
        ):
            expected, found = (asked(one, question, arguments) for one in (theirs, mine))
            if found is None and at < newest and at in arguments:
                event(f"{newest - at} s back: left to the history")
                continue
            event(f"{max(newest - at, 0)} s back: answered")
            assert close(found) == close(expected), question
        found, _ = mine.hosts_told(ORG, query.window)
        assert found == theirs.hosts_told(ORG, query.window)
        for process in store.find(ProcessQuery(ORG, Window(at - 60, at))).processes[:2]:
            key = ProcessKey.of(process.identity)
            found = mine.family(ORG, key, at)
            if found is None and at < newest:
                continue
            assert found is not None
            assert close(found[0]) == close(theirs.family(ORG, key, at))


def test_pages_in_any_order_go_on_after_their_last_process() -> None:
    store = LiveStore()
    numbers = [ProcessNumbers(rss_bytes=pid % 7 if pid % 3 else None, state="S") for pid in range(2000)]
    sightings = [a_sighting(pid, NOON - pid % 50, numbers[pid], cmdline=f"x {pid % 11}") for pid in range(1, 2000)]
    store.add([(ORG, a_snapshot(*sightings, chunk_count=1))])
    mine, theirs = LiveAnalysis(store.table), OracleAnalysis(store)

    for column, is_descending in itertools.product(("rss_bytes", "start", "cmdline", "pid"), (False, True)):
        order = Order(column, is_descending)
        whole = theirs.instant_page(Selection(ORG), NOON, order, 0, 5000).processes
        after = None
        for start in range(0, 2000, 700):
            page = mine.instant_page(Selection(ORG), NOON, order, 0, 700, after)
            assert page is not None
            assert page.processes == whole[start : start + 700]
            after = ProcessKey.of(page.processes[-1].process.identity)


def a_store_with(*moments: int, now: int | None = None) -> LiveStore:
    """A process that uses the more memory the later it is."""
    store = LiveStore()
    store.now = now
    for at in moments:
        numbers = ProcessNumbers(rss_bytes=at, state="S")
        store.add([(ORG, a_snapshot(a_sighting(7, numbers=numbers), taken_at=at, request_id=at, chunk_count=1))])
    return store


def test_an_instant_of_which_no_numbers_are_kept_is_left_to_history() -> None:
    mine = LiveAnalysis(a_store_with(NOON - 30, NOON - 10, NOON).table)

    assert mine.instant_page(Selection(ORG), NOON - 11, Order(), 0, 10) is None
    assert mine.groups(Selection(ORG), NOON - 11, "user", MEASURES, Order("count"), 10) is None
    assert mine.facets(Selection(ORG), Window(-10, NOON), ["user"], 10) is None


@pytest.mark.parametrize("since", [0, 1, 9])
def test_an_instant_up_to_one_snapshot_back_is_answered_with_what_was_used_then(since: int) -> None:
    mine = LiveAnalysis(a_store_with(NOON - 30, NOON - 10, NOON).table)

    page = mine.instant_page(Selection(ORG), NOON - 10 + since, Order(), 0, 10)

    assert page is not None
    assert [one.numbers.rss_bytes for one in page.processes] == [NOON - 10]


def test_a_host_whose_clock_is_a_minute_ahead_sends_no_question_about_now_to_the_history() -> None:
    moments = range(NOON, NOON + 65, 10)
    mine = LiveAnalysis(a_store_with(*moments, now=NOON + 4).table)

    page = mine.instant_page(Selection(ORG), NOON + 4, Order(), 0, 10)

    assert page is not None
    assert [one.numbers.rss_bytes for one in page.processes] == [NOON]


def test_a_host_that_told_of_its_processes_is_known_in_a_window_that_begins_before_the_table_reaches() -> None:
    store = a_store_with(NOON - 30, NOON)
    store.table.expire(NOON - 10)
    mine, before = LiveAnalysis(store.table), NOON - 7200

    assert mine.is_known(Selection(ORG), Window(before, NOON)) is True
    assert mine.is_known(Selection(ORG), Window(before, NOON - 1)) is None
    assert mine.is_known(Selection(ORG), Window(NOON - 5, NOON - 1)) is False


def test_a_last_look_at_the_dead_among_live_numbers_ends_a_process() -> None:
    store = LiveStore()
    state = ProcessNumbers(state="S")
    store.add([(ORG, a_snapshot(a_sighting(7, numbers=state), a_sighting(8, numbers=state), chunk_count=1))])
    dead = LiveNumbers(7, NOON - 99, ProcessNumbers(state="X"))
    store.add_live([(ORG, LiveSnapshot(host="web-1", taken_at=NOON + 2, processes=(dead,)))])

    page = LiveAnalysis(store.table).instant_page(Selection(ORG), NOON + 4, Order(), 0, 10)

    assert page is not None
    assert [one.process.identity.pid for one in page.processes] == [8]


def test_an_instant_that_is_asked_about_again_is_looked_at_again_once_anything_was_written() -> None:
    store = LiveStore()
    store.now = NOON
    analysis = LiveAnalysis(store.table)

    def running(at: int, tags: TagFilter = TagFilter()) -> tuple[int, ...]:  # noqa: B008
        page = analysis.instant_page(Selection(ORG, None, tags), at, Order("pid"), 0, 10)
        assert page is not None
        return tuple(one.process.identity.pid for one in page.processes)

    def tell(at: int, *pids: int, host: str = "web-1") -> None:
        store.add([(ORG, a_snapshot(*map(a_sighting, pids), host=host, taken_at=at, chunk_count=1))])

    tell(NOON - 100, 6)
    tell(NOON, 7, 8)
    assert [running(NOON), running(NOON, TagFilter.parse("host:web-2")), running(NOON)] == [(7, 8), (), (7, 8)]
    tell(NOON, 9, host="web-2")
    assert [running(NOON), running(NOON, TagFilter.parse("host:web-2"))] == [(7, 8, 9), (9,)]
    tell(NOON + 10, 8)
    assert [running(NOON + 10), running(NOON), running(NOON + 10)] == [(8, 9), (7, 8, 9), (8, 9)]
