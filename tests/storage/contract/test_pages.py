"""What every store promises, asked of each of them: order, pages, and what is added meanwhile, late or twice."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from procession.process import MAX_UINT32, ProcessIdentity, ProcessKey, Snapshot
from procession.query import MAX_LIMIT
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.fleet import EARLY, STARTED, Fleet
from tests.support.stores.strategies import HOUR

# Order and pages


def test_processes_come_by_start_then_host_then_pid(fleet: Fleet) -> None:
    for started_at, host in itertools.product((STARTED, STARTED - 10, 0), ("b", "a", "c", "d")):
        with fleet.at_once():
            for pid in (2, 10, 1):
                fleet.see(NOON, host=host, pid=pid, started_at=started_at)

    keys = [ProcessKey.of(process.identity) for process in fleet.find()]

    assert len(keys) == 36
    assert keys == sorted(keys)
    ids = [(key.started_at, key.id_of(1).hex()) for key in keys]
    assert ids == sorted(sorted(ids, key=lambda pair: pair[1], reverse=True), key=lambda pair: pair[0])


def test_one_process_is_found_by_its_key_alone(fleet: Fleet) -> None:
    fleet.see(NOON, NOON + 10, pid=1, cmdline="even")
    fleet.see(NOON, NOON + HOUR, pid=2, cmdline="odd")
    fleet.see(NOON + 10, pid=2, host="web-2")
    one, two, other = (
        ProcessKey.of(ProcessIdentity(*of))
        for of in (("web-1", 1, STARTED), ("web-1", 2, STARTED), ("web-2", 2, STARTED))
    )
    for key, seen_at in ((one, NOON + 10), (two, NOON + HOUR), (other, NOON + 10)):
        assert [(ProcessKey.of(process.identity), process.seen_at) for process in fleet.find(only=key)] == [
            (key, seen_at)
        ]
    assert [process.seen_at for process in fleet.find(NOON - 5, NOON + 5, only=two)] == [NOON]
    assert fleet.find(NOON + 5, NOON + 15, only=two) == ()
    assert fleet.find(only=ProcessKey.of(ProcessIdentity("web-1", 3, STARTED))) == ()
    assert fleet.find(only=one, search="even") == fleet.find(only=one)
    assert fleet.find(only=two, search="even") == ()
    assert fleet.find(only=one, after=one) == ()


@pytest.mark.parametrize("limit", [1, 2, 7, 50, 51])
@pytest.mark.parametrize("search", ["", "even"])
def test_pages_of_any_size_hold_each_process_once(fleet: Fleet, limit: int, search: str) -> None:
    sightings = [a_sighting(pid, STARTED + pid % 5, cmdline="even" if pid % 2 == 0 else "odd") for pid in range(1, 51)]
    for at in (NOON, NOON + 10, NOON + HOUR):
        fleet.add(
            a_snapshot(*sightings[:30], taken_at=at, request_id=1),
            a_snapshot(*sightings[30:], taken_at=at, request_id=2),
        )

    found = fleet.scan(NOON, NOON + HOUR, limit=limit, search=search)

    expected = sorted(
        ProcessKey.of(ProcessIdentity("web-1", sighting.pid, sighting.started_at))
        for sighting in sightings
        if search in sighting.description.cmdline
    )
    assert [ProcessKey.of(process.identity) for process in found] == expected
    assert {process.seen_at for process in found} == {NOON + HOUR}


def test_a_page_begins_right_after_the_last_process_of_the_one_before(fleet: Fleet) -> None:
    for pid in (1, 2, 3):
        fleet.see(NOON, pid=pid)
    first, second, third = fleet.find()

    def after(identity: ProcessIdentity) -> list[int]:
        return [process.identity.pid for process in fleet.find(after=ProcessKey.of(identity))]

    assert after(first.identity) == [2, 3]
    assert after(second.identity) == [3]
    assert after(third.identity) == []
    assert after(ProcessIdentity("web-1", 0, STARTED)) == [1, 2, 3]  # it need not be there itself
    assert after(ProcessIdentity("web-1", 2, STARTED - 1)) == [1, 2, 3]
    assert after(ProcessIdentity("web-1", 2, STARTED + 10)) == []


@pytest.mark.parametrize("after", [ProcessKey(0, 0, 0), ProcessKey(STARTED, 2**64 - 1, MAX_UINT32)])
def test_a_page_may_begin_after_any_key(fleet: Fleet, after: ProcessKey) -> None:
    fleet.see(NOON, started_at=STARTED)
    fleet.see(NOON, started_at=STARTED + 10)

    starts = [process.identity.started_at for process in fleet.find(after=after)]

    assert starts == [start for start in (STARTED, STARTED + 10) if start > after.started_at]


def test_a_page_after_the_end_of_time_is_empty(fleet: Fleet) -> None:
    fleet.see(NOON)

    assert fleet.find(after=ProcessKey(MAX_UINT32, 2**64 - 1, MAX_UINT32)) == ()
    assert fleet.find(after=ProcessKey(2**63 - 1, 0, 0)) == ()
    assert len(fleet.find(after=ProcessKey(-(2**63), 0, 0))) == 1


def test_a_limit_larger_than_the_fleet_gives_all(fleet: Fleet) -> None:
    fleet.add(a_snapshot(*(a_sighting(pid) for pid in range(1, 201))))

    assert len(fleet.find(limit=MAX_LIMIT)) == 200
    assert len(fleet.find(limit=10**9)) == 200


def test_a_page_is_full_though_few_of_many_fit(fleet: Fleet) -> None:
    sightings = [a_sighting(pid, cmdline="rare" if pid % 100 == 0 else "common") for pid in range(1, 1001)]
    fleet.add(a_snapshot(*sightings, taken_at=NOON), a_snapshot(*sightings, taken_at=NOON + 10))

    found = fleet.find(NOON, NOON + 9, search="rare", limit=8)

    assert [process.identity.pid for process in found] == [100, 200, 300, 400, 500, 600, 700, 800]


def test_a_page_is_full_though_most_processes_changed_out_of_it(fleet: Fleet) -> None:
    before = [a_sighting(pid, cmdline="old") for pid in range(1, 501)]
    now = [a_sighting(pid, cmdline="old" if pid > 495 else "new") for pid in range(1, 501)]
    fleet.add(a_snapshot(*before, taken_at=NOON), a_snapshot(*now, taken_at=NOON + 10))

    found = fleet.find(search="old", limit=3)

    assert [process.identity.pid for process in found] == [496, 497, 498]


def test_a_page_is_full_though_most_processes_were_not_seen_in_the_window(fleet: Fleet) -> None:
    sightings = [a_sighting(pid) for pid in range(1, 501)]
    for at in (NOON, NOON + 60):
        fleet.add(a_snapshot(*sightings, taken_at=at, request_id=1))
    fleet.add(a_snapshot(*sightings[-5:], taken_at=NOON + 30, request_id=2))

    found = fleet.find(NOON + 1, NOON + 59, limit=3)

    assert [process.identity.pid for process in found] == [496, 497, 498]


def test_many_versions_of_one_process_do_not_hide_the_others(fleet: Fleet) -> None:
    fleet.add(
        *(a_snapshot(a_sighting(1, cmdline=f"step {step}"), taken_at=NOON + step, request_id=1) for step in range(800)),
        a_snapshot(a_sighting(2, cmdline="step"), taken_at=NOON, request_id=2),
    )

    for search in ("", "step"):
        assert [process.description.cmdline for process in fleet.scan(search=search, limit=1)] == ["step 799", "step"]
        assert [process.description.cmdline for process in fleet.find(NOON, NOON + 400, search=search)] == [
            "step 400",
            "step",
        ]


# Adding


def test_the_same_chunk_again_changes_nothing(fleet: Fleet) -> None:
    chunks = [a_snapshot(a_sighting(1), request_id=1), a_snapshot(a_sighting(2), a_sighting(3), request_id=2)]
    fleet.add(*chunks)
    before = fleet.find()

    fleet.add(*chunks)
    fleet.add(chunks[1], chunks[1])

    assert fleet.find() == before
    assert len(before) == 3


def test_a_chunk_sent_again_after_newer_ones_changes_nothing(fleet: Fleet) -> None:
    old = a_snapshot(a_sighting(cmdline="old"), taken_at=NOON, request_id=1)
    new = a_snapshot(a_sighting(cmdline="new"), taken_at=NOON + 10, request_id=2)
    fleet.add(old)
    fleet.add(new)

    fleet.add(old)

    assert [(process.seen_at, process.description.cmdline) for process in fleet.find()] == [(NOON + 10, "new")]


def test_late_chunks_find_their_place_in_time(fleet: Fleet) -> None:
    for at in (NOON + 20, NOON, NOON - 2 * HOUR, NOON + 10):
        fleet.see(at, cmdline=str(at))

    for at in (NOON - 2 * HOUR, NOON, NOON + 10, NOON + 20):
        (process,) = fleet.find(EARLY, at)

        assert (process.seen_at, process.description.cmdline) == (at, str(at))


def test_chunks_of_one_snapshot_may_come_in_any_order_and_not_at_all(fleet: Fleet) -> None:
    fleet.add(a_snapshot(a_sighting(3), request_id=3, split_id=1, chunk_count=3))
    fleet.add(a_snapshot(a_sighting(1), request_id=1, split_id=1, chunk_count=3))

    assert fleet.pids(NOON, NOON) == [1, 3]


def test_a_chunk_acknowledged_is_found_at_once(fleet: Fleet) -> None:
    for pid in range(1, 6):
        fleet.see(NOON, pid=pid)

        assert fleet.pids() == list(range(1, pid + 1))


def test_a_host_whose_clock_goes_back_keeps_all_its_sightings(fleet: Fleet) -> None:
    for at in (NOON, NOON + 10, NOON - HOUR, NOON - HOUR + 10, NOON + 20):
        fleet.see(at, cmdline=str(at))

    assert [process.description.cmdline for process in fleet.find(EARLY, NOON - 1)] == [str(NOON - HOUR + 10)]
    assert [process.description.cmdline for process in fleet.find()] == [str(NOON + 20)]


def test_many_threads_may_add_and_find_at_once(fleet: Fleet) -> None:
    def add_and_find(worker: int) -> list[int]:
        mine = range(1000 * worker, 1000 * worker + 5)
        for pid in mine:
            fleet.see(NOON, host=f"web-{worker}", pid=pid)
            fleet.scan(NOON, NOON, limit=4, search="nginx")
        return [process.identity.pid for process in fleet.find(tags=f"host:web-{worker}")]

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(add_and_find, range(6)))

    assert found == [list(range(1000 * worker, 1000 * worker + 5)) for worker in range(6)]
    assert len(fleet.find()) == 30


def test_orgs_with_the_same_hosts_may_be_stored_beside_each_other_while_hours_pass(fleet: Fleet) -> None:
    def live_for_hours(some: Fleet) -> list[tuple[int, int]]:
        for at in range(NOON, NOON + 5 * HOUR, HOUR // 2):
            # What began lately, and starts that shift.
            pids = range((at - NOON) // HOUR + 1, (at - NOON) // HOUR + 10)
            sightings = (a_sighting(pid, STARTED + pid + (at // 1800 + pid) % 2, cmdline=str(pid)) for pid in pids)
            some.add(a_snapshot(*sightings, taken_at=at, chunk_count=1, request_id=at))
        found = some.find(NOON, NOON + 5 * HOUR)
        return sorted((process.identity.pid, process.seen_at) for process in found)

    with ThreadPoolExecutor(2) as threads:
        one, another = threads.map(live_for_hours, (fleet, Fleet(fleet.store, fleet.org + 5_000_000)))

    last = {pid: NOON + min(pid, 5) * HOUR - HOUR // 2 for pid in range(1, 14)}
    assert one == another == sorted(last.items())


def test_what_is_added_during_a_scan_neither_doubles_nor_hides_a_process(fleet: Fleet) -> None:
    def snapshot(at: int, pids: range) -> Snapshot:
        return a_snapshot(*(a_sighting(pid, STARTED + pid % 3) for pid in pids), taken_at=at)

    fleet.add(snapshot(NOON, range(1, 31)))
    found: list[int] = []
    after = None
    for step in itertools.count(1):
        page = fleet.find(NOON, NOON, after=after, limit=4)
        if not page:
            break
        found += [process.identity.pid for process in page]
        after = ProcessKey.of(page[-1].identity)
        fleet.add(snapshot(NOON + 10 * step, range(step, 40)), snapshot(NOON - 10 * step, range(1, 10)))

    assert sorted(found) == list(range(1, 31))
