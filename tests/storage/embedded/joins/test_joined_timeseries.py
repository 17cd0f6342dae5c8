"""Groups of processes over time, of which the last instants wait for their flush."""

from __future__ import annotations

from hypothesis import assume, event, given
from hypothesis import strategies as st

from procession.analysis import Selection
from procession.process import ProcessNumbers, Snapshot
from procession.search.parser import parse_search
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.halves import ORG, Halves
from tests.support.stores.shifted_starts import shifted_across


@bounded(120)
@given(st.data())
def test_both_halves_say_what_the_oracle_says(data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        fleet, since = data.draw(strategies.steady_fleets()), NOON
    else:
        fleet = data.draw(strategies.fleets())
        since = data.draw(st.sampled_from(sorted({one.taken_at for one in fleet} or {NOON})))
    assume(not shifted_across(fleet, since))
    halves = Halves(fleet, since, data.draw(st.integers(len(fleet) // 2, len(fleet))))
    whole = OracleAnalysis(halves.whole)

    for query in data.draw(st.lists(strategies.queries_over(fleet, ORG), min_size=3, max_size=3)):
        chosen, to_at = Selection(ORG, query.search, query.tags), query.window.to_at
        window = Window(to_at - data.draw(st.sampled_from((0, 4, 60, 300))), to_at)
        by, rank = data.draw(st.sampled_from((None, "user", "host", "state", "env"))), "count"
        if data.draw(st.booleans()):
            rank = "rss_bytes"
        asked = (chosen, window, by, ("rss_bytes",), rank, data.draw(st.sampled_from((1, 10))), 7)
        found = halves.series.timeseries(*asked)
        event(f"joined: {found is not None}")
        if not halves.instants.has_tags_of_hosts(chosen):
            assert found is None or close(found) == close(whole.timeseries(*asked))
        halves.flush(data.draw(st.integers(0, 2)))


def at_pace(since: int, until: int) -> list[Snapshot]:
    """Of two chunks every ten seconds, as agents post them."""
    return [
        a_snapshot(
            *(
                a_sighting(pid, numbers=ProcessNumbers(rss_bytes=at % 1000 + pid, state="S"), user=f"u{pid % 3}")
                for pid in pids
            ),
            taken_at=at,
            request_id=number,
            split_id=at,
            chunk_count=2,
        )
        for at in range(since, until, 10)
        for number, pids in enumerate((range(1, 50), range(50, 99)))
    ]


def test_each_instant_of_a_minute_that_waits_is_answered_at_the_pace_of_agents() -> None:
    halves = Halves(at_pace(NOON - 600, NOON + 60), NOON - 1200, 120)
    whole = OracleAnalysis(halves.whole)

    for from_at in (NOON - 500, NOON + 3):
        for by in (None, "user"):
            asked = (Selection(ORG), Window(from_at, NOON + 63), by, ("rss_bytes",), "rss_bytes", 2, 60)
            found = halves.series.timeseries(*asked)
            assert found is not None
            assert close(found) == close(whole.timeseries(*asked))


def test_cpu_is_of_all_cpus_of_a_host_in_both_halves() -> None:
    fleet = [
        a_snapshot(
            *(a_sighting(pid, numbers=ProcessNumbers(cpu_total_percent=at % 100 + pid)) for pid in range(1, 9)),
            host=host,
            taken_at=at,
            chunk_count=1,
        )
        for at in range(NOON - 600, NOON + 60, 10)
        for host in ("web-1", "web-2", "db-1")
    ]
    halves = Halves(fleet, NOON - 1200, 180)
    whole = OracleAnalysis(halves.whole)

    for by in (None, "user", "host"):
        window = Window(NOON - 500, NOON + 55)
        asked = (Selection(ORG), window, by, ("cpu_total_percent",), "cpu_total_percent", 2, 40)
        found = halves.series.timeseries(*asked, {"web-1": 3, "web-2": 8})
        assert found is not None
        assert close(found) == close(whole.timeseries(*asked, {"web-1": 3, "web-2": 8}))
        assert close(found) != close(whole.timeseries(*asked))


def test_instants_before_which_nothing_fits_are_known_to_the_history() -> None:
    fleet = at_pace(NOON - 100, NOON)
    fleet += [a_snapshot(a_sighting(user="new"), taken_at=NOON, request_id=1, split_id=9, chunk_count=1)]
    halves = Halves(fleet, NOON - 600, 20)
    only = Selection(ORG, parse_search("user:new"))
    asked = (only, Window(NOON - 400, NOON + 5), "user", (), "count", 2, 40)

    found = halves.series.timeseries(*asked)

    assert found is not None
    assert found == OracleAnalysis(halves.whole).timeseries(*asked)
    assert set(found.series[0].count) == {None, 0, 1}
