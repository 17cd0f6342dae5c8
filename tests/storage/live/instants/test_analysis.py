"""Questions about many processes at once, of now: over any fleet, the live table gives the oracle's answers."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.analysis import MEASURES, Order, Selection
from procession.process import LiveNumbers, LiveSnapshot, ProcessKey, ProcessNumbers
from procession.query import ProcessQuery
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


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_live_table_answers_as_the_oracle_does(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    store = LiveStore()
    cut = data.draw(st.integers(0, len(fleet)))
    exits = [(ORG, one) for one in data.draw(strategies.exits_over(fleet))]
    store.add([(ORG, snapshot) for snapshot in fleet[:cut]])
    store.add_exits(exits)
    store.add([(ORG, snapshot) for snapshot in fleet[cut:]])
    mine, theirs = LiveAnalysis(store.table), OracleAnalysis(store)
    newest = max((snapshot.taken_at for snapshot in fleet), default=strategies.TURN_OF_HOUR)

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=3, max_size=3)):
        chosen, order = Selection(ORG, query.search, query.tags), data.draw(ORDERS)
        at, by = newest + data.draw(st.sampled_from((0, 0, 3, 61))), data.draw(st.sampled_from(BY))
        by_number = Order(data.draw(st.sampled_from(("count", "value", "sum:rss_bytes", "max:rss_bytes"))), True)
        for question, arguments in (
            ("is_known", (chosen, query.window)),
            ("instant_page", (chosen, at, order, 0, 1000)),
            ("instant_page", (chosen, at, order, 1, 2)),
            ("points", (chosen, at, "rss_bytes", "rss_bytes", by, 3)),
            ("facets", (chosen, at, KEYS, 10)),
            ("facets", (chosen, query.window, KEYS, 2, data.draw(st.sampled_from(("", "Ng", "w"))))),
            ("complete_tag", (ORG, query.window, data.draw(st.sampled_from(("", "s", "env:", "HOST:w"))), 3)),
            ("groups", (chosen, at, by, ("rss_bytes", "threads"), by_number, 10)),
            ("hosts", (chosen, at, ("rss_bytes",), Order("sum:rss_bytes", True), 0, 10)),
            ("host_tree", (ORG, "web-1", at)),
        ):
            expected = close(getattr(theirs, question)(*arguments))
            assert close(getattr(mine, question)(*arguments)) == expected, question
        for process in store.find(ProcessQuery(ORG, Window(at - 60, at))).processes[:2]:
            key = ProcessKey.of(process.identity)
            found = mine.family(ORG, key, at)
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


def test_an_instant_before_the_newest_sighting_is_left_to_history() -> None:
    store = LiveStore()
    store.add([(ORG, a_snapshot(a_sighting(7), chunk_count=1))])
    mine = LiveAnalysis(store.table)

    assert mine.instant_page(Selection(ORG), NOON - 1, Order(), 0, 10) is None
    assert mine.groups(Selection(ORG), NOON - 1, "user", MEASURES, Order("count"), 10) is None
    assert mine.facets(Selection(ORG), Window(-10, NOON), ["user"], 10) is None


def test_a_last_look_at_the_dead_among_live_numbers_ends_a_process() -> None:
    store = LiveStore()
    state = ProcessNumbers(state="S")
    store.add([(ORG, a_snapshot(a_sighting(7, numbers=state), a_sighting(8, numbers=state), chunk_count=1))])
    dead = LiveNumbers(7, NOON - 99, ProcessNumbers(state="X"))
    store.add_live([(ORG, LiveSnapshot(host="web-1", taken_at=NOON + 2, processes=(dead,)))])

    page = LiveAnalysis(store.table).instant_page(Selection(ORG), NOON + 4, Order(), 0, 10)

    assert page is not None
    assert [one.process.identity.pid for one in page.processes] == [8]
