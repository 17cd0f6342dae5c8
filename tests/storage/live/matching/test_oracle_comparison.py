"""Searches that compare, in the live table: what it answers is what the oracle does; the rest it leaves to history."""

from __future__ import annotations

from hypothesis import event, given
from hypothesis import strategies as st

from procession.analysis import Selection
from procession.storage.live.instants.analysis import LiveAnalysis
from procession.storage.live.table import LiveTable
from tests.storage.contract.test_oracle_comparison import bounded
from tests.storage.history.instants.test_analysis import close
from tests.storage.history.instants.test_oracle_comparison import INSTANT_ORDERS, WINDOW_ORDERS
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

ORG = 1


@bounded(40)
@given(st.data())
def test_searches_that_compare_match_what_the_oracle_matches(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    exits = [(ORG, one) for one in data.draw(strategies.exits_over(fleet))]
    table, oracle = LiveTable(0), OracleStore()
    table.apply([(ORG, snapshot) for snapshot in fleet])
    oracle.add([(ORG, snapshot) for snapshot in fleet])
    for one in (table, oracle):
        one.add_exits(exits)
    mine, theirs = LiveAnalysis(table), OracleAnalysis(oracle)

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG, compares=True), min_size=5, max_size=5)):
        chosen, window, at = Selection(ORG, query.search, query.tags), query.window, query.window.to_at
        for question, arguments in (
            ("instant_page", (chosen, at, data.draw(INSTANT_ORDERS), 0, 1000)),
            ("facets", (chosen, at, ["host", "env"], 10)),
            ("window_page", (chosen, window, data.draw(WINDOW_ORDERS), 0, 1000)),
            ("window_page", (chosen, window, data.draw(WINDOW_ORDERS), 1, 2)),
            ("facets", (chosen, window, ["ended", "exit_code", "signal", "host", "user"], 2)),
        ):
            found = getattr(mine, question)(*arguments)
            event(f"{question}: {'left to history' if found is None else min(found.total, 2)}")
            assert found is None or close(found) == close(getattr(theirs, question)(*arguments)), question
