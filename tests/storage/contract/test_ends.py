"""What every store promises, asked of each of them: the numbers of processes, and their ends."""

from __future__ import annotations

from typing import Any

import pytest

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import (
    Ending,
    ExitCost,
    ExitFacts,
    LiveNumbers,
    LiveSnapshot,
    ProcessDetail,
    ProcessKey,
    ProcessNumbers,
    host_key,
)
from procession.query import ProcessQuery
from procession.window import Window
from tests.storage.conftest import Store
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores.fleet import STARTED, Fleet
from tests.support.stores.merges import merge


def details(fleet: Fleet, from_at: int = NOON - 600, to_at: int = NOON + 600) -> dict[tuple[int, int], ProcessDetail]:
    """By pid and start."""
    window = Window(from_at, to_at)
    found = fleet.store.find(ProcessQuery(fleet.org, window)).processes
    answers = fleet.store.details(fleet.org, window, found)  # type: ignore[attr-defined]
    seen = [(ProcessKey.of(process.identity), process.seen_at) for process in found]
    endings = fleet.store.endings(fleet.org, to_at, seen)  # type: ignore[attr-defined]
    assert endings == tuple(detail.ending for detail in answers)
    return {
        (process.identity.pid, process.identity.started_at): detail
        for process, detail in zip(found, answers, strict=True)
    }


def whole(fleet: Fleet, at: int, *pids: int, host: str = "web-1", starts: int = STARTED) -> None:
    """A complete snapshot of one chunk."""
    sightings = [a_sighting(pid, starts) for pid in pids]
    fleet.add(a_snapshot(*sightings, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1))


def exit_of(fleet: Fleet, pid: int, at: int, exit_code: int, host: str = "web-1", **fields: Any) -> None:
    one = ProcessExit(pid=pid, at=at, exit_code=exit_code, description=a_description(), **fields)
    fleet.store.add_exits([(fleet.org, ProcessExits(host, (one,)))])  # type: ignore[attr-defined]


def test_numbers_are_those_of_the_newest_sighting_in_the_window(fleet: Fleet) -> None:
    old = ProcessNumbers(cpu_total_percent=1.0, rss_bytes=1, state="R")
    new = ProcessNumbers(
        cpu_total_percent=412.5,
        cpu_user_percent=400.0,
        cpu_system_percent=12.5,
        rss_bytes=2**40,
        vms_bytes=2**41,
        shared_bytes=2**39,
        swap_bytes=0,
        threads=12,
        open_files=0,
        read_bytes_per_second=0.5,
        voluntary_switches=2**40,
        state="S",
    )
    fleet.see(NOON, numbers=old)
    fleet.see(NOON + 10, numbers=new)

    assert details(fleet)[7, STARTED].numbers == new
    assert details(fleet, to_at=NOON + 9)[7, STARTED].numbers == old


def live(fleet: Fleet, at: int, *pids: int, rss: int, request_id: int = 0) -> None:
    processes = tuple(LiveNumbers(pid, STARTED, ProcessNumbers(rss_bytes=rss, state="R")) for pid in pids)
    snapshot = LiveSnapshot(host="web-1", taken_at=at, processes=processes, request_id=request_id)
    fleet.store.add_live([(fleet.org, snapshot)])  # type: ignore[attr-defined]


def test_live_numbers_that_are_newer_count(fleet: Fleet) -> None:
    fleet.see(NOON, numbers=ProcessNumbers(rss_bytes=1))
    live(fleet, NOON - 2, 7, rss=2)
    live(fleet, NOON + 2, 7, rss=3)
    live(fleet, NOON + 4, 7, rss=4)
    live(fleet, NOON + 4, 8, rss=9, request_id=1)

    for to_at, rss in ((NOON + 1, 1), (NOON + 2, 3), (NOON + 3, 3), (NOON + 100, 4)):
        assert details(fleet, to_at=to_at)[7, STARTED].numbers.rss_bytes == rss


def test_live_numbers_are_no_sightings(fleet: Fleet) -> None:
    live(fleet, NOON, 7, rss=1)

    assert details(fleet) == {}


def test_numbers_nobody_sent_stay_absent(fleet: Fleet) -> None:
    fleet.see(NOON)

    assert details(fleet) == {(7, STARTED): ProcessDetail()}


def test_no_processes_have_no_details(fleet: Fleet) -> None:
    assert details(fleet) == {}


def test_a_process_missing_from_the_next_complete_snapshot_has_ended(fleet: Fleet) -> None:
    whole(fleet, NOON, 1, 2)
    whole(fleet, NOON + 10, 1)
    whole(fleet, NOON + 20, 1)

    found = details(fleet)

    assert found[2, STARTED].ended_at == NOON + 10
    assert found[1, STARTED].ended_at is None
    assert details(fleet, to_at=NOON + 9)[2, STARTED].ended_at is None


def test_an_incomplete_snapshot_ends_nothing(fleet: Fleet) -> None:
    whole(fleet, NOON, 1, 2)
    half = a_snapshot(a_sighting(1, STARTED), taken_at=NOON + 10, request_id=5, split_id=5, chunk_count=2)
    fleet.add(half, half)
    fleet.add(a_snapshot(a_sighting(3, STARTED), taken_at=NOON + 20, request_id=6, split_id=6))

    assert details(fleet)[2, STARTED].ended_at is None

    fleet.add(a_snapshot(taken_at=NOON + 10, request_id=8, split_id=5, chunk_count=2))
    assert details(fleet)[2, STARTED].ended_at == NOON + 10


def test_another_host_ends_nothing(fleet: Fleet) -> None:
    whole(fleet, NOON, 1)
    whole(fleet, NOON + 10, 2, host="web-2")

    assert details(fleet)[1, STARTED].ended_at is None


def test_what_was_seen_again_has_not_ended(fleet: Fleet) -> None:
    whole(fleet, NOON, 1)
    whole(fleet, NOON + 10)
    whole(fleet, NOON + 20, 1)

    assert details(fleet)[1, STARTED].ended_at is None


def test_an_exit_brings_moment_and_code(fleet: Fleet) -> None:
    whole(fleet, NOON, 1, 2)
    exit_of(fleet, 2, NOON + 4, 137)
    exit_of(fleet, 2, NOON + 4, 137)
    whole(fleet, NOON + 10, 1)

    assert details(fleet)[2, STARTED] == ProcessDetail(ended_at=NOON + 4, exit_code=137)
    assert details(fleet, to_at=NOON + 3)[2, STARTED] == ProcessDetail()
    assert details(fleet)[1, STARTED] == ProcessDetail()


def test_an_exit_after_the_snapshot_that_lacks_a_process_is_that_of_another(fleet: Fleet) -> None:
    whole(fleet, NOON, 2)
    whole(fleet, NOON + 10)
    exit_of(fleet, 2, NOON + 14, 1)

    assert details(fleet)[2, STARTED] == ProcessDetail(ended_at=NOON + 10)


def test_the_exit_of_the_last_owner_of_a_pid_is_not_that_of_the_next(fleet: Fleet) -> None:
    whole(fleet, NOON, 2, starts=NOON - 100)
    exit_of(fleet, 2, NOON + 10, 3, executed_at=NOON - 100)
    whole(fleet, NOON + 10, 2, starts=NOON + 10)

    found = details(fleet)

    assert found[2, NOON - 100] == ProcessDetail(ended_at=NOON + 10, exit_code=3)
    assert found[2, NOON + 10] == ProcessDetail()


@pytest.mark.parametrize("others_come_first", [False, True])
def test_of_several_exits_in_one_second_each_is_kept(fleet: Fleet, others_come_first: bool) -> None:
    whole(fleet, NOON, 2, starts=NOON - 100)
    own: list[dict[str, Any]] = [{"exit_code": code, "executed_at": NOON - 100} for code in (9, 137)]
    others: list[dict[str, Any]] = [{"exit_code": 3, "executed_at": NOON - 500}]
    for exit_ in [*others, *own] if others_come_first else [*own, *others]:
        exit_of(fleet, 2, NOON + 4, **exit_)

    for _ in range(2):
        assert details(fleet)[2, NOON - 100] == ProcessDetail(ended_at=NOON + 4, exit_code=9)
        merge(fleet.store)


DEAD = ProcessNumbers(state="X")


def test_a_process_that_was_seen_dead_has_the_exit_before(fleet: Fleet) -> None:
    """What comes and goes between two snapshots is sent with the second."""
    fleet.see(NOON + 10, started_at=NOON + 3, numbers=DEAD)
    exit_of(fleet, 7, NOON + 4, 5, executed_at=NOON + 3)
    whole(fleet, NOON + 20, 1)

    assert details(fleet)[7, NOON + 3] == ProcessDetail(numbers=DEAD, ended_at=NOON + 4, exit_code=5)


def test_a_process_that_was_seen_dead_has_ended_by_then_without_an_exit_too(fleet: Fleet) -> None:
    fleet.see(NOON + 10, started_at=NOON + 3, numbers=DEAD)
    exit_of(fleet, 7, NOON + 2, 5, executed_at=NOON - 100)

    assert details(fleet)[7, NOON + 3] == ProcessDetail(numbers=DEAD, ended_at=NOON + 10)


@pytest.mark.parametrize("states", [("S", ""), ("", "S"), ("X", "S"), ("", "X", "S")])
def test_of_two_sightings_in_a_second_the_one_that_says_more_counts(fleet: Fleet, states: tuple[str, ...]) -> None:
    for state in states:
        fleet.see(NOON, numbers=ProcessNumbers(state=state))

    assert details(fleet)[7, STARTED].numbers.state == max(states, key=("", "S", "X").index)


def test_a_process_that_was_seen_alive_has_no_exit_before(fleet: Fleet) -> None:
    fleet.see(NOON + 10, started_at=NOON + 3, numbers=ProcessNumbers(state="S"))
    exit_of(fleet, 7, NOON + 4, 5)

    assert details(fleet)[7, NOON + 3].ended_at is None


@pytest.mark.parametrize("code", [0, 1, 255, -1, 2**31 - 1])
def test_any_exit_code_is_kept(fleet: Fleet, code: int) -> None:
    whole(fleet, NOON, 2)
    exit_of(fleet, 2, NOON + 1, code)

    assert details(fleet)[2, STARTED].exit_code == code


COST = ExitCost(1.25, 0.000001, 2**40, 0, 2**63 - 1)


@pytest.mark.parametrize(
    "facts",
    [
        ExitFacts(cost=COST),
        ExitFacts(True, "/a", ExitCost(peak_rss_bytes=5, is_final=False)),
        ExitFacts(),
        ExitFacts(oom_killed=False),
        ExitFacts(True, ""),
        ExitFacts(True, "/a,b\n\u00e9'\\"),
    ],
)
def test_what_an_agent_knows_of_an_exit_is_kept(fleet: Fleet, facts: ExitFacts) -> None:
    whole(fleet, NOON, 2)
    exit_of(fleet, 2, NOON + 1, 137, facts=facts)
    exit_of(fleet, 2, NOON + 1, 137, facts=facts)

    assert details(fleet)[2, STARTED].ending == Ending(NOON + 1, 137, facts)
    seen = [(ProcessKey(STARTED, host_key("web-1"), 2), NOON)]
    assert fleet.store.endings(fleet.org, NOON + 30, seen) == (Ending(NOON + 1, 137, facts),)  # type: ignore[attr-defined]


def test_of_two_agents_that_report_an_exit_the_one_that_knows_more_counts(fleet: Fleet) -> None:
    facts = ExitFacts(True, "/shop")
    whole(fleet, NOON, 2, 3)
    for pid, executed_at in ((2, None), (3, STARTED)):
        exit_of(fleet, pid, NOON + 1, 137, executed_at=STARTED - 1)
        exit_of(fleet, pid, NOON + 1, 137, facts=facts, executed_at=executed_at)
        exit_of(fleet, pid, NOON + 1, 137, executed_at=STARTED + 1)

    assert details(fleet)[2, STARTED].exit_facts == facts
    assert details(fleet)[3, STARTED].exit_facts == facts


def test_exits_are_of_one_host_and_one_org(store: Store, org: int, fleet: Fleet) -> None:
    other = Fleet(store, org + 5_000_000)
    for one in (fleet, other):
        whole(one, NOON, 2)
    exit_of(fleet, 2, NOON + 1, 1, host="web-2")
    exit_of(other, 2, NOON + 2, 2)

    assert details(fleet)[2, STARTED] == ProcessDetail()
    assert details(other)[2, STARTED] == ProcessDetail(ended_at=NOON + 2, exit_code=2)


def test_what_was_seen_again_has_not_ended_at_the_snapshot_after(fleet: Fleet) -> None:
    for at in (NOON, NOON + 10, NOON + 20):
        whole(fleet, at, 1, *((2,) if at < NOON + 20 else ()))
    seen = [(ProcessKey(STARTED, host_key("web-1"), pid), NOON) for pid in (1, 2)]

    assert fleet.store.endings(fleet.org, NOON + 15, seen) == (Ending(), Ending())  # type: ignore[attr-defined]
    assert fleet.store.endings(fleet.org, NOON + 30, seen) == (Ending(), Ending(NOON + 20))  # type: ignore[attr-defined]
    assert fleet.store.endings(fleet.org, NOON + 30, []) == ()  # type: ignore[attr-defined]


def test_a_complete_snapshot_of_no_process_ends_all_that_the_host_had(fleet: Fleet) -> None:
    whole(fleet, NOON, 1, 2)
    whole(fleet, NOON, 1, host="web-2")
    whole(fleet, NOON + 10)
    fleet.add(a_snapshot(host="web-2", taken_at=NOON + 5, request_id=7))

    found = fleet.store.find(ProcessQuery(fleet.org, Window(NOON - 600, NOON + 600))).processes
    answers = fleet.store.details(fleet.org, Window(NOON - 600, NOON + 600), found)  # type: ignore[attr-defined]
    ended = [(one.identity.host, detail.ended_at) for one, detail in zip(found, answers, strict=True)]
    assert sorted(ended, key=str) == [("web-1", NOON + 10), ("web-1", NOON + 10), ("web-2", None)]


def test_live_numbers_of_no_process_are_nothing(fleet: Fleet) -> None:
    whole(fleet, NOON, 1)
    live = LiveSnapshot(host="web-1", taken_at=NOON + 2, processes=(), split_id=4, chunk_count=1)

    fleet.store.add_live([(fleet.org, live)])  # type: ignore[attr-defined]

    assert details(fleet)[1, STARTED].ended_at is None
    (sightings,) = fleet.store.sightings_of([(fleet.org, live)])  # type: ignore[attr-defined]
    assert (sightings.sightings, sightings.chunk_count) == ((), 1)
