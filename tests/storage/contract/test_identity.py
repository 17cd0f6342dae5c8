"""What every store promises, asked of each of them: a process stays one though its host corrects when it started."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.conftest import Store
from tests.storage.contract.test_oracle_comparison import Both, bounded
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores import strategies
from tests.support.stores.fleet import STARTED, Fleet
from tests.support.stores.strategies import HOUR


def whole(fleet: Fleet, at: int, *processes: tuple[int, int], host: str = "web-1", store: Store | None = None) -> None:
    """A complete snapshot of one chunk: pids and starts."""
    sightings = [a_sighting(pid, started_at) for pid, started_at in processes]
    snapshot = a_snapshot(*sightings, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)
    (store or fleet.store).add([(fleet.org, snapshot)])


def seen(fleet: Fleet) -> list[tuple[int, int, int]]:
    """Pid, start and newest sighting of each process."""
    return [(one.identity.pid, one.identity.started_at, one.seen_at) for one in fleet.find()]


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
def test_a_start_up_to_two_seconds_off_is_the_one_seen_first(fleet: Fleet, shift: int) -> None:
    whole(fleet, NOON, (7, STARTED), (8, STARTED + 50))
    whole(fleet, NOON + 10, (7, STARTED + shift), (8, STARTED + 50 + shift))
    whole(fleet, NOON + 20, (7, STARTED + shift), (8, STARTED + 50 + shift))
    whole(fleet, NOON + 30, (7, STARTED), (8, STARTED + 50))

    assert seen(fleet) == [(7, STARTED, NOON + 30), (8, STARTED + 50, NOON + 30)]


def test_a_start_further_off_is_another_process(fleet: Fleet) -> None:
    whole(fleet, NOON, (7, STARTED))
    whole(fleet, NOON + 10, (7, STARTED + 3))

    assert seen(fleet) == [(7, STARTED, NOON), (7, STARTED + 3, NOON + 10)]


def test_starts_are_compared_with_the_first_so_that_they_cannot_wander(fleet: Fleet) -> None:
    for number, at in enumerate(range(NOON, NOON + 50, 10)):
        whole(fleet, at, (7, STARTED + number))

    assert [start for _, start, _ in seen(fleet)] == [STARTED, STARTED + 3]


def test_a_pid_that_was_free_in_a_complete_snapshot_is_another_process(fleet: Fleet) -> None:
    whole(fleet, NOON, (7, STARTED))
    whole(fleet, NOON + 10)
    whole(fleet, NOON + 20, (7, STARTED + 1))

    assert seen(fleet) == [(7, STARTED, NOON), (7, STARTED + 1, NOON + 20)]


def test_all_of_it_in_one_group_is_the_same(fleet: Fleet) -> None:
    def chunk(at: int, *starts: int) -> tuple[int, object]:
        sightings = [a_sighting(7, start) for start in starts]
        return fleet.org, a_snapshot(*sightings, taken_at=at, request_id=at, split_id=at, chunk_count=1)

    chunks = [chunk(NOON, STARTED), chunk(NOON + 10, STARTED + 1), chunk(NOON + 20), chunk(NOON + 30, STARTED + 1)]
    fleet.store.add(chunks)  # type: ignore[arg-type]

    assert seen(fleet) == [(7, STARTED, NOON + 10), (7, STARTED + 1, NOON + 30)]


def test_an_exit_in_between_makes_it_another_process(fleet: Fleet) -> None:
    whole(fleet, NOON, (7, STARTED))
    gone = ProcessExit(pid=7, at=NOON + 4, exit_code=0, description=a_description())
    fleet.store.add_exits([(fleet.org, ProcessExits("web-1", (gone,)))])  # type: ignore[attr-defined]
    whole(fleet, NOON + 10, (7, STARTED + 1))

    assert seen(fleet) == [(7, STARTED, NOON), (7, STARTED + 1, NOON + 10)]


def test_an_exit_after_the_start_has_shifted_makes_it_another_process(fleet: Fleet) -> None:
    fleet.see(NOON, started_at=STARTED)
    fleet.see(NOON + 10, started_at=STARTED + 1)
    gone = ProcessExit(pid=7, at=NOON + 12, exit_code=0, description=a_description())
    fleet.store.add_exits([(fleet.org, ProcessExits("web-1", (gone,)))])  # type: ignore[attr-defined]
    fleet.see(NOON + 20, started_at=STARTED + 1)

    assert [one.identity.started_at for one in fleet.find()] == [STARTED, STARTED + 1]


@pytest.mark.parametrize("seen_before_it_is_told", range(4))
@pytest.mark.parametrize("at_once", [False, True])
def test_it_does_not_matter_when_an_exit_was_told(fleet: Fleet, seen_before_it_is_told: int, at_once: bool) -> None:
    sightings = [(NOON, STARTED), (NOON + 10, STARTED), (NOON + 20, STARTED + 1), (NOON + 30, STARTED + 1)]
    gone = ProcessExit(pid=7, at=NOON + 25, exit_code=0, description=a_description())

    for some in (sightings[:seen_before_it_is_told], sightings[seen_before_it_is_told:]):
        with fleet.at_once() if at_once else nullcontext():
            for at, started_at in some:
                fleet.see(at, started_at=started_at)
        fleet.store.add_exits([(fleet.org, ProcessExits("web-1", (gone,)))])  # type: ignore[attr-defined]

    assert [(start, at) for _, start, at in seen(fleet)] == [(STARTED, NOON + 20), (STARTED + 1, NOON + 30)]


def test_a_snapshot_of_which_chunks_are_missing_ends_nothing(fleet: Fleet) -> None:
    whole(fleet, NOON, (7, STARTED))
    fleet.add(a_snapshot(a_sighting(8), taken_at=NOON + 10, request_id=1, split_id=1, chunk_count=2))
    whole(fleet, NOON + 20, (7, STARTED + 1))

    assert (7, STARTED, NOON + 20) in seen(fleet)
    assert (7, STARTED + 1, NOON + 20) not in seen(fleet)


def test_another_host_and_another_org_have_their_own_starts(fleet: Fleet, store: Store) -> None:
    whole(fleet, NOON, (7, STARTED))
    whole(fleet, NOON + 10, (7, STARTED + 1), host="web-2")
    other = Fleet(store, fleet.org + 1_000_000)
    whole(other, NOON + 10, (7, STARTED + 1))

    assert len(seen(fleet)) == 2
    assert seen(other) == [(7, STARTED + 1, NOON + 10)]


def test_a_host_that_was_away_for_days_still_has_the_same_processes(fleet: Fleet) -> None:
    whole(fleet, NOON - 72 * HOUR, (7, STARTED - 96 * HOUR))
    whole(fleet, NOON, (7, STARTED - 96 * HOUR + 1))

    assert seen(fleet) == [(7, STARTED - 96 * HOUR, NOON)]


def test_a_late_chunk_with_the_other_start_is_the_same_process(fleet: Fleet) -> None:
    whole(fleet, NOON, (7, STARTED))
    whole(fleet, NOON - 10, (7, STARTED + 1))

    assert seen(fleet) == [(7, STARTED, NOON)]


def test_after_a_late_chunk_it_is_still_known_what_ended_since(fleet: Fleet) -> None:
    whole(fleet, NOON, (7, STARTED))
    whole(fleet, NOON + 60, (7, STARTED + 3))
    sighting = a_sighting(7, STARTED + 2)
    for at in (NOON + 10, NOON + 65):
        fleet.store.add([(fleet.org, a_snapshot(sighting, taken_at=at, request_id=at, split_id=at, chunk_count=2))])

    assert seen(fleet) == [(7, STARTED, NOON + 10), (7, STARTED + 3, NOON + 65)]


def test_what_ended_in_a_group_is_another_process_after_it(fleet: Fleet) -> None:
    whole(fleet, NOON, (7, STARTED))
    whole(fleet, NOON + 10, (7, STARTED + 1))
    chunks = [
        a_snapshot(*sightings, taken_at=at, request_id=at, split_id=at, chunk_count=1)
        for at, sightings in ((NOON + 20, ()), (NOON + 30, (a_sighting(7, STARTED + 1),)))
    ]
    fleet.store.add([(fleet.org, chunk) for chunk in chunks])

    assert seen(fleet) == [(7, STARTED, NOON + 10), (7, STARTED + 1, NOON + 30)]


def test_live_numbers_under_the_other_start_are_those_of_the_process(fleet: Fleet, store: Store) -> None:
    whole(fleet, NOON, (7, STARTED))
    live = LiveSnapshot(
        host="web-1", taken_at=NOON + 2, processes=(LiveNumbers(7, STARTED + 1, ProcessNumbers(rss_bytes=42)),)
    )
    store.add_live([(fleet.org, live)])

    (detail,) = store.details(fleet.org, Window(NOON - 60, NOON + 60), fleet.find())
    assert detail.numbers.rss_bytes == 42


Another = Callable[[], ClickHouseStore]


@pytest.fixture
def another(server_store: ClickHouseStore) -> Another:
    """Another server on the same tables: with nothing in its memory."""
    return lambda: ClickHouseStore(server_store._engine, now=lambda: NOON)


def test_it_does_not_matter_which_server_takes_a_snapshot(server_store: ClickHouseStore, another: Another) -> None:
    fleet = Fleet(server_store, 7_000_001)
    servers = itertools.cycle([another(), another(), another()])
    for at in range(NOON, NOON + 60, 10):
        whole(fleet, at, (7, STARTED + at // 10 % 2), (8, STARTED), store=next(servers))
    whole(fleet, NOON + 60, (8, STARTED), store=next(servers))
    whole(fleet, NOON + 70, (7, STARTED + 1), (8, STARTED), store=next(servers))
    whole(fleet, NOON + 80, (7, STARTED + 1), (8, STARTED), store=next(servers))

    assert seen(fleet) == [(7, STARTED, NOON + 50), (8, STARTED, NOON + 80), (7, STARTED + 1, NOON + 80)]


@bounded(20)
@given(st.data())
def test_servers_in_any_turn_keep_what_the_oracle_keeps(
    server_store: ClickHouseStore, another: Another, data: st.DataObject
) -> None:
    fleet = data.draw(strategies.fleets())
    both = Both(server_store)
    servers = [another(), another(), another()]
    for snapshot in fleet:
        data.draw(st.sampled_from(servers)).add([(both.org_id, snapshot)])
        both.oracle.add([(both.org_id, snapshot)])

    for query in data.draw(st.lists(strategies.queries_over(fleet, both.org_id), min_size=4, max_size=4)):
        assert both.store.find(query).processes == both.oracle.find(query).processes
