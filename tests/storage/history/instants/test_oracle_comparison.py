"""Questions about many processes at once: over any fleet, the store gives the same answers as the oracle."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from procession.analysis import Every, Match, Order, Selection, Side
from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded
from tests.storage.history.instants.test_analysis import close
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.merges import merge
from tests.support.stores.oracle import OracleStore

_org_ids = itertools.count(8_000_000)

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
        for question, arguments in (
            ("instant_page", (chosen, at, order, 0, 1000)),
            ("instant_page", (chosen, at, order, 1, 2)),
            ("facets", (chosen, at, ["host", "user", "command", "env"], 10)),
            ("groups", (chosen, at, "env", ("rss_bytes",), Order("count", True), 10)),
            ("compare", (Side(chosen, at - 61), Side(chosen, at), data.draw(st.sampled_from(Match)), 10)),
            ("timeseries", (chosen, Window(at - 120, at), "user", ("rss_bytes",), "count", 2, 5)),
        ):
            expected = close(getattr(theirs, question)(*arguments))
            assert close(getattr(mine, question)(*arguments)) == expected, question
    whole = Window(min(one.taken_at for one in fleet), max(one.taken_at for one in fleet)) if fleet else Window(0, 1)
    for process in oracle.find(ProcessQuery(org_id, whole)).processes[:2]:
        key = ProcessKey.of(process.identity)
        for every in Every:
            expected = close(theirs.history(org_id, key, whole, every))
            assert close(mine.history(org_id, key, whole, every)) == expected
