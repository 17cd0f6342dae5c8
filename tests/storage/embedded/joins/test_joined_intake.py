"""What the intake asks while the live table does not reach an hour back, as after a start."""

from __future__ import annotations

from hypothesis import assume, event, given
from hypothesis import strategies as st

from procession.lifecycle.completeness import NEVER_COMPLETE
from procession.lifecycle.events import ProcessExits
from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers, Snapshot
from tests.storage.contract.test_oracle_comparison import bounded
from tests.storage.live.intake.test_orphan_exits import an_exit, exits_around
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.halves import ORG, Halves
from tests.support.stores.shifted_starts import shifted_across

STARTED = NOON - 9000


def drawn(data: st.DataObject) -> tuple[Halves, tuple[Snapshot, ...]]:
    fleet = data.draw(strategies.fleets())
    since = data.draw(st.sampled_from(sorted({one.taken_at for one in fleet} or {NOON})))
    assume(not shifted_across(fleet, since))
    halves = Halves(fleet, since, data.draw(st.integers(0, len(fleet))))
    for exits in data.draw(strategies.exits_over(fleet)):
        halves.add_exits(exits)
    return halves, fleet


@bounded(120)
@given(st.data())
def test_live_numbers_are_the_sightings_that_the_oracle_makes_of_them(data: st.DataObject) -> None:
    halves, fleet = drawn(data)
    live = [(ORG, one) for one in data.draw(st.lists(strategies.live_over(fleet), min_size=1, max_size=3))]

    found = halves.intake.sightings_of(live)

    event(f"joined: {found is not None}")
    assert found is None or found == halves.whole.sightings_of(live)


@bounded(120)
@given(st.data())
def test_exits_are_unknown_that_are_so_to_the_oracle(data: st.DataObject) -> None:
    halves, fleet = drawn(data)
    exits = [(ORG, one) for one in data.draw(st.lists(exits_around(fleet), min_size=1, max_size=3))]

    found = halves.intake.unknown_exits(exits)

    event(f"joined: {found is not None}")
    assert found is None or found == halves.whole.unknown_exits(exits)


def seen(*pids: int, at: int) -> Snapshot:
    return a_snapshot(*(a_sighting(pid, STARTED) for pid in pids), taken_at=at, request_id=at, split_id=at)


def live(*pids: int) -> LiveSnapshot:
    processes = tuple(LiveNumbers(pid, STARTED, ProcessNumbers(state="S")) for pid in pids)
    return LiveSnapshot(host="web-1", taken_at=NOON + 5, processes=processes, chunk_count=1)


def test_each_half_gives_the_sightings_of_the_processes_that_it_knows() -> None:
    halves = Halves((seen(1, 2, at=NOON - 600), seen(3, at=NOON)), NOON - 60, 1)

    for pids, chunk_count in (((2, 3, 1), 1), ((2, 9, 3), NEVER_COMPLETE)):
        found = halves.intake.sightings_of([(ORG, live(*pids))])
        assert found is not None
        assert found == halves.whole.sightings_of([(ORG, live(*pids))])
        assert [one.pid for one in found[0].sightings] == [pid for pid in pids if pid != 9]
        assert found[0].chunk_count == chunk_count


def test_an_exit_is_known_by_the_half_that_has_seen_its_process() -> None:
    halves = Halves((seen(1, at=NOON - 600), seen(3, at=NOON)), NOON - 60, 1)
    exits = ProcessExits("web-1", tuple(an_exit(pid, NOON + 9, executed_at=STARTED) for pid in (1, 3, 9)))

    found = halves.intake.unknown_exits([(ORG, exits)])

    assert found is not None
    assert [one.pid for one in found[0].exits] == [9]


def test_a_process_that_may_have_ended_in_what_waits_is_left_to_the_history() -> None:
    chunks = (seen(1, at=NOON - 600), a_snapshot(taken_at=NOON, split_id=1, chunk_count=1))
    halves = Halves(chunks, NOON - 60, 1)
    exits = ProcessExits("web-1", (an_exit(1, NOON + 9, executed_at=NOON + 5),))

    assert halves.intake.unknown_exits([(ORG, exits)]) is None
