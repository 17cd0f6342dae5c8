"""Questions about many processes at once: over any fleet, the store gives the same answers as the oracle."""

from __future__ import annotations

import itertools

from hypothesis import event, given
from hypothesis import strategies as st

from procession.analysis import SORT_COLUMNS, WINDOW_SORT_COLUMNS, Every, Match, Order, Selection, Side
from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded
from tests.storage.history.instants.test_analysis import close
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.merges import merge
from tests.support.stores.oracle import OracleStore

_org_ids = itertools.count(8_000_000)

KEYS = ("env", "k", "user", "command", "host", "state", "ppid", "container_id")
NUMBERS = ("cpu_total_percent", "rss_bytes")
BY_STATISTIC = st.builds(Order, st.sampled_from(("value", "second", "p50:rss_bytes", "avg:rss_bytes")), st.booleans())
ORDERS = st.builds(Order, st.sampled_from(("start", "pid", "host", "user", "command", "rss_bytes")), st.booleans())


@bounded(25)
@given(st.data())
def test_the_store_answers_as_the_oracle_does(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    answers_as_the_oracle_does(clickhouse, data)


def answers_as_the_oracle_does(store: ClickHouseStore, data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    org_id, oracle = next(_org_ids), OracleStore()
    cut = data.draw(st.integers(0, len(fleet)))
    exits = data.draw(strategies.exits_over(fleet))
    ends = [(org_id, one) for one in exits]
    for some in (fleet[:cut], fleet[cut:]):
        for one in (store, oracle):
            one.add([(org_id, snapshot) for snapshot in some])
            one.add_exits(ends[: len(ends) // 2])
    for one in (store, oracle):
        one.add_exits(ends)
    if data.draw(st.booleans()):
        merge(store)
    mine, theirs = store.analysis, OracleAnalysis(oracle)

    for query in data.draw(st.lists(strategies.queries_over(fleet, org_id), min_size=4, max_size=4)):
        chosen, at, order = Selection(org_id, query.search, query.tags), query.window.to_at, data.draw(ORDERS)
        by = data.draw(st.sampled_from((None, *KEYS)))
        for question, arguments in (
            ("instant_page", (chosen, at, order, 0, 1000)),
            ("instant_page", (chosen, at, order, 1, 2)),
            ("facets", (chosen, at, ["host", "user", "command", "env"], 10)),
            ("groups", (chosen, at, "env", ("rss_bytes",), Order("count", True), 10)),
            ("hosts", (chosen, at, (), Order("host"), 0, 10)),
            ("compare", (Side(chosen, at - 61), Side(chosen, at), data.draw(st.sampled_from(Match)), 10)),
            ("timeseries", (chosen, Window(at - 120, at), "user", ("rss_bytes",), "count", 2, 5)),
            ("trends", (Selection(org_id), Window(at - 600, at), None, ("rss_bytes",), "count", 2, 4)),
            ("trends", (chosen, Window(at - 600, at), by, NUMBERS, "count", 2, 4)),
        ):
            expected = close(getattr(theirs, question)(*arguments))
            assert close(getattr(mine, question)(*arguments)) == expected, question
        keys = data.draw(st.lists(st.sampled_from(KEYS), min_size=2, max_size=2, unique=True))
        by_statistic = data.draw(BY_STATISTIC)
        expected, found = (
            one.groups(chosen, at, keys[0], NUMBERS, by_statistic, 10, second=keys[1], has_percentiles=True)
            for one in (theirs, mine)
        )
        assert close(found) == close(expected)
        assert mine.hosts_told(org_id, query.window) == theirs.hosts_told(org_id, query.window)
    whole = Window(min(one.taken_at for one in fleet), max(one.taken_at for one in fleet)) if fleet else Window(0, 1)
    for process in oracle.find(ProcessQuery(org_id, whole)).processes[:2]:
        key = ProcessKey.of(process.identity)
        for every in Every:
            expected = close(theirs.history(org_id, key, whole, every))
            assert close(mine.history(org_id, key, whole, every)) == expected


@bounded(8)
@given(st.data())
def test_searches_that_compare_match_what_the_oracle_matches(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    compares_as_the_oracle_does(clickhouse, data)


TAG_COLUMNS = ("tag:env", "tag:user", "tag:host", "tag:state")
WINDOW_ORDERS = st.builds(Order, st.sampled_from((*WINDOW_SORT_COLUMNS, *TAG_COLUMNS)), st.booleans())
INSTANT_ORDERS = st.builds(Order, st.sampled_from((*SORT_COLUMNS, *TAG_COLUMNS)), st.booleans())


def compares_as_the_oracle_does(store: ClickHouseStore | EmbeddedStore, data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    org_id, oracle = next(_org_ids), OracleStore()
    exits = [(org_id, one) for one in data.draw(strategies.exits_over(fleet))]
    for one in (store, oracle):
        one.add([(org_id, snapshot) for snapshot in fleet])
        one.add_exits(exits)
    mine, theirs = store.analysis, OracleAnalysis(oracle)

    for query in data.draw(st.lists(strategies.queries_over(fleet, org_id, compares=True), min_size=3, max_size=3)):
        chosen, window, at = Selection(org_id, query.search, query.tags), query.window, query.window.to_at
        by_any = data.draw(WINDOW_ORDERS)
        for question, arguments in (
            ("instant_page", (chosen, at, data.draw(INSTANT_ORDERS), 0, 1000)),
            ("facets", (chosen, at, ["host", "env"], 10)),
            ("window_page", (chosen, window, by_any, 0, 1000)),
            ("window_page", (chosen, window, by_any, 1, 2)),
            ("facets", (chosen, window, ["ended", "exit_code", "signal", "host", "user"], 2)),
            ("facets", (Selection(org_id), window, ["exit_code", "command"], 10)),
        ):
            expected = getattr(theirs, question)(*arguments)
            event(f"{question}: {min(expected.total, 2)}")
            assert close(getattr(mine, question)(*arguments)) == close(expected), question
