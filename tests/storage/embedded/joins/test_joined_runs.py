"""Other runs of a command, of which some were seen last before the live table reaches."""

from __future__ import annotations

from hypothesis import assume, event, given
from hypothesis import strategies as st

from procession.process import ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.halves import ORG, Halves
from tests.support.stores.shifted_starts import shifted_across

HOUR = 3600
ALL = Window(NOON - 5 * HOUR, NOON + HOUR)


@bounded(100)
@given(st.data())
def test_both_halves_say_what_the_oracle_says(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    since = data.draw(st.sampled_from(sorted({one.taken_at for one in fleet} or {NOON})))
    assume(not shifted_across(fleet, since))
    # How runs ended is told long before what waits.
    flushed = len([one for one in fleet if one.taken_at < since + 601])
    halves = Halves(sorted(fleet, key=lambda one: one.taken_at), since, data.draw(st.integers(flushed, len(fleet))))
    for exits in data.draw(strategies.exits_over(fleet)):
        halves.add_exits(exits)
    window = Window(since - data.draw(st.sampled_from((1, 60, 5 * HOUR))), NOON + 5 * HOUR)

    for process in halves.whole.find(ProcessQuery(ORG, window)).processes[:4]:
        limit = data.draw(st.sampled_from((1, 3, 100)))
        asked, without_arguments = (ORG, process, window, limit), data.draw(st.booleans())
        found = halves.runs.runs(*asked, without_arguments=without_arguments)
        event(f"joined: {found is not None}")
        expected = OracleAnalysis(halves.whole).runs(*asked, without_arguments=without_arguments)
        assert found is None or found == expected


def hourly(*pids: int, at: int, command: str = "backup") -> Snapshot:
    sightings = [a_sighting(pid, at - 20, command=command) for pid in pids]
    return a_snapshot(
        *sightings, a_sighting(1, NOON - 9 * HOUR), taken_at=at, request_id=at, split_id=at, chunk_count=1
    )


def runs(halves: Halves, limit: int) -> list[int]:
    """Pids."""
    (like,) = (one for one in halves.whole.find(ProcessQuery(ORG, ALL)).processes if one.identity.pid == 99)
    found = halves.runs.runs(ORG, like, ALL, limit)
    assert found is not None
    assert found == OracleAnalysis(halves.whole).runs(ORG, like, ALL, limit)
    return [one.process.identity.pid for one in found]


def test_runs_of_both_halves_are_in_the_order_of_their_starts() -> None:
    chunks = [hourly(10 + hour, at=NOON - hour * HOUR) for hour in range(4, 0, -1)]
    halves = Halves((*chunks, hourly(at=NOON - HOUR + 700), hourly(5, 99, at=NOON)), NOON - HOUR, 5)

    assert runs(halves, 100) == [5, 11, 12, 13, 14]
    assert runs(halves, 2) == [5, 11]


def test_a_run_that_has_become_another_command_is_none_any_more() -> None:
    started = NOON - 3 * HOUR

    def seen(*pids: int, at: int, command: str) -> Snapshot:
        return a_snapshot(*(a_sighting(pid, started, command=command) for pid in pids), taken_at=at, request_id=at)

    olds = [seen(*range(2, 40), at=NOON - 2 * HOUR, command="backup")]
    news = [seen(*range(12, 40), at=NOON - 60, command="other"), seen(99, at=NOON, command="backup")]
    halves = Halves((*olds, seen(50, at=NOON - HOUR, command="x"), *news), NOON - HOUR, 2)

    assert runs(halves, 5) == [11, 10, 9, 8, 7]
    assert runs(halves, 20) == list(range(11, 1, -1))


def test_runs_whose_end_may_wait_are_left_to_the_history() -> None:
    halves = Halves((hourly(2, at=NOON - 700), hourly(99, at=NOON)), NOON - 500, 1)
    (like,) = (one for one in halves.whole.find(ProcessQuery(ORG, ALL)).processes if one.identity.pid == 99)

    assert isinstance(like, ProcessSummary)
    assert halves.runs.runs(ORG, like, ALL, 9) is None
