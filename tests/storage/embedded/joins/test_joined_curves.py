"""The curve of a process of which some sightings are in the history, and some wait for their flush."""

from __future__ import annotations

from hypothesis import event, given
from hypothesis import strategies as st

from procession.analysis import Every
from procession.process import ProcessKey, ProcessNumbers
from procession.query import ProcessQuery
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import bounded
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.halves import ORG, Halves

ALL = Window(NOON - 18_000, NOON + 18_000)


@bounded(60)
@given(st.data())
def test_both_halves_say_what_the_oracle_says(data: st.DataObject) -> None:
    fleet = data.draw(strategies.fleets())
    halves = Halves(fleet, 0, data.draw(st.integers(0, len(fleet))))
    whole = OracleAnalysis(halves.whole)

    for process in halves.whole.find(ProcessQuery(ORG, ALL)).processes[:4]:
        key, window = ProcessKey.of(process.identity), data.draw(strategies.windows_over(fleet))
        for every in Every:
            found = halves.curves.history(ORG, key, window, every)
            event(f"joined: {found is not None}")
            assert found is None or close(found) == close(whole.history(ORG, key, window, every))


def test_a_minute_of_which_a_part_waits_is_made_of_all_its_sightings() -> None:
    minute = NOON // 60 * 60
    chunks = [
        a_snapshot(
            a_sighting(numbers=ProcessNumbers(cpu_total_percent=float(cpu), rss_bytes=cpu, state="S")),
            taken_at=minute + second,
            request_id=second,
        )
        for second, cpu in ((-10, 7), (0, 1), (10, 9), (20, 5))
    ]
    halves = Halves(chunks, 0, 2)
    (process,) = halves.whole.find(ProcessQuery(ORG, ALL)).processes

    found = halves.curves.history(ORG, ProcessKey.of(process.identity), Window(minute - 60, minute + 15), Every.MINUTE)

    assert found is not None
    assert found.times == (minute - 60, minute)
    assert found.numbers["cpu_total_percent"] == (7, 5)
    assert found.numbers["cpu_total_percent_max"] == (7, 9)
    assert found.last_at == minute + 10


def test_the_same_twice_in_a_second_counts_once_and_needs_no_flush() -> None:
    """As an agent sends it again whose answer was lost."""
    minute = NOON // 60 * 60
    chunks = [
        a_snapshot(
            a_sighting(numbers=ProcessNumbers(cpu_total_percent=float(cpu), state="S")),
            taken_at=minute + second,
            request_id=request_id,
        )
        for request_id, (second, cpu) in enumerate(((0, 1), (10, 9), (10, 9), (20, 5)))
    ]
    halves = Halves(chunks, 0, 1)
    whole = OracleAnalysis(halves.whole)
    (process,) = halves.whole.find(ProcessQuery(ORG, ALL)).processes
    key = ProcessKey.of(process.identity)

    for every in Every:
        found = halves.curves.history(ORG, key, ALL, every)

        assert found is not None
        assert close(found) == close(whole.history(ORG, key, ALL, every))
    halves.add(
        a_snapshot(a_sighting(numbers=ProcessNumbers(cpu_total_percent=8.0)), taken_at=minute + 20, request_id=9)
    )
    assert halves.curves.history(ORG, key, ALL, Every.SIGHTING) is None


def test_a_start_that_is_near_is_left_to_the_history() -> None:
    halves = Halves((a_snapshot(a_sighting(), taken_at=NOON - 10),), 0, 1)
    (process,) = halves.whole.find(ProcessQuery(ORG, ALL)).processes
    halves.add(a_snapshot(a_sighting(started_at=process.identity.started_at + 1), request_id=1))

    assert halves.curves.history(ORG, ProcessKey.of(process.identity), ALL, Every.SIGHTING) is None
