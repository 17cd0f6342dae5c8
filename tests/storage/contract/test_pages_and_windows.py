"""What every store promises, asked of each of them: which processes a window holds, and as what."""

from __future__ import annotations

from typing import Any

import pytest

from procession.process import MAX_UINT32, ProcessDescription, ProcessIdentity, ProcessNumbers, ProcessSummary
from procession.query import ProcessQuery
from procession.window import Window
from tests.storage.conftest import Store
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores.fleet import Fleet
from tests.support.stores.strategies import HOUR, TURN_OF_HOUR

# What is found


def test_a_sighting_is_found_with_all_that_it_says(fleet: Fleet) -> None:
    description = a_description(
        cmdline="java -jar app.jar",
        exe="/usr/bin/java",
        argument_words=(1, 0),
        cwd="/srv",
        root="/jail",
        comm="java-main",
        command="java",
        user="app",
        uid=1000,
        gid=MAX_UINT32,
        group_name="staff",
        ppid=MAX_UINT32,
        namespace_pid=3,
        nice=-1,
        container_id="c0ffee",
        is_zombie=True,
        tags=("env:prod", "pci"),
    )
    numbers = ProcessNumbers(cpu_total_percent=412.5, rss_bytes=2**40, threads=12, state="Z")
    fleet.see(NOON, pid=MAX_UINT32, started_at=0, numbers=numbers, **_fields(description))

    found = fleet.find()

    assert found == (ProcessSummary(ProcessIdentity("web-1", MAX_UINT32, 0), NOON, description),)
    assert found[0].tags == (
        "env:prod",
        "pci",
        "host:web-1",
        "user:app",
        "command:java",
        "state_zombie:true",
    )


def _fields(description: ProcessDescription) -> dict[str, Any]:
    return {name: getattr(description, name) for name in description.__struct_fields__}


def test_what_an_agent_could_not_read_stays_absent(fleet: Fleet) -> None:
    fleet.see(NOON, cmdline="", exe="", cwd="", comm="", command="", user="", ppid=0)

    (process,) = fleet.find()

    description = process.description
    assert (description.uid, description.gid, description.namespace_pid) == (None, None, None)
    assert description == a_description(cmdline="", exe="", cwd="", comm="", command="", user="", ppid=0)


def test_zero_is_not_absent(fleet: Fleet) -> None:
    fleet.see(NOON, uid=0, gid=0, namespace_pid=0)

    (process,) = fleet.find()

    assert (process.description.uid, process.description.gid, process.description.namespace_pid) == (0, 0, 0)


def test_an_empty_store_has_an_empty_page(fleet: Fleet) -> None:
    assert fleet.find() == ()
    assert fleet.find(search="x", tags="a:b") == ()


def test_a_snapshot_of_no_processes_is_nothing(fleet: Fleet) -> None:
    fleet.add(a_snapshot())
    fleet.add()

    assert fleet.find() == ()


# Windows


def test_both_ends_of_the_window_are_inside(fleet: Fleet) -> None:
    fleet.see(NOON)

    assert fleet.pids(NOON, NOON) == [7]
    assert fleet.pids(NOON - 5, NOON) == [7]
    assert fleet.pids(NOON, NOON + 5) == [7]
    assert fleet.pids(NOON - 5, NOON - 1) == []
    assert fleet.pids(NOON + 1, NOON + 5) == []


def test_a_window_may_begin_before_time_did_and_end_when_it_does(fleet: Fleet) -> None:
    fleet.see(NOON)

    assert fleet.pids(-(2**40), NOON) == [7]
    assert fleet.pids(-(2**63), 2**63 - 1) == [7]
    assert fleet.pids(2**40, 2**41) == []
    assert fleet.pids(-(2**41), -(2**40)) == []
    assert fleet.pids(NOON, NOON - 1) == []


def test_a_process_seen_in_the_window_is_in_it_dead_or_alive(fleet: Fleet) -> None:
    fleet.see(NOON, NOON + 10, pid=1)
    fleet.see(NOON + 10, NOON + 60, pid=2)
    fleet.see(NOON + 60, pid=3)

    assert fleet.pids(NOON, NOON + 60) == [1, 2, 3]
    assert fleet.pids(NOON + 5, NOON + 10) == [1, 2]
    assert fleet.pids(NOON + 11, NOON + 60) == [2, 3]


def test_a_window_between_two_sightings_is_empty(fleet: Fleet) -> None:
    fleet.see(NOON, NOON + 10, NOON + 600)

    assert fleet.find(NOON + 1, NOON + 9) == ()
    assert fleet.find(NOON + 11, NOON + 599) == ()


def test_snapshots_seconds_apart_are_told_apart(fleet: Fleet) -> None:
    for at, pids in ((NOON, (1, 2, 3)), (NOON + 1, (2, 3)), (NOON + 2, (3,)), (NOON + 4, (1, 2, 3))):
        fleet.add(a_snapshot(*(a_sighting(pid, cmdline=str(at)) for pid in pids), taken_at=at))

    def moments(from_at: int, to_at: int) -> dict[int, tuple[int, str]]:
        return {
            process.identity.pid: (process.seen_at - NOON, str(int(process.description.cmdline) - NOON))
            for process in fleet.find(from_at, to_at)
        }

    assert moments(NOON, NOON + 3) == {1: (0, "0"), 2: (1, "1"), 3: (2, "2")}
    assert moments(NOON + 1, NOON + 1) == {2: (1, "1"), 3: (1, "1")}
    assert moments(NOON + 1, NOON + 4) == {1: (4, "4"), 2: (4, "4"), 3: (4, "4")}
    assert moments(NOON + 3, NOON + 3) == {}


def test_the_newest_sighting_inside_the_window_is_shown_whatever_came_after(fleet: Fleet) -> None:
    fleet.see(NOON, NOON + 10, NOON + 20, NOON + 30)

    for to_at, seen_at in ((NOON, NOON), (NOON + 19, NOON + 10), (NOON + 20, NOON + 20), (NOON + 99, NOON + 30)):
        (process,) = fleet.find(NOON - 100, to_at)

        assert process.seen_at == seen_at


@pytest.mark.parametrize("turn", [TURN_OF_HOUR, TURN_OF_HOUR - TURN_OF_HOUR % (24 * HOUR)], ids=["hour", "day"])
def test_windows_reach_over_the_turn_of(fleet: Fleet, turn: int) -> None:
    fleet.see(turn - 10, turn, turn + 10, pid=1)
    fleet.see(turn - 1, pid=2)
    fleet.see(turn, pid=3)

    assert fleet.pids(turn - 5, turn + 5) == [1, 2, 3]
    assert fleet.pids(turn - 5, turn - 1) == [2]
    assert fleet.pids(turn, turn) == [1, 3]
    assert [process.seen_at for process in fleet.find(turn - 10, turn - 1)] == [turn - 10, turn - 1]


def test_a_window_may_be_many_hours_long(fleet: Fleet) -> None:
    hours = range(-12, 13, 3)
    for number, hour in enumerate(hours):
        fleet.see(TURN_OF_HOUR + hour * HOUR + 5, pid=100 + number)
        fleet.see(TURN_OF_HOUR + hour * HOUR + 5, pid=7)

    found = fleet.find(TURN_OF_HOUR - 12 * HOUR, TURN_OF_HOUR + 12 * HOUR + 5)

    assert sorted(process.identity.pid for process in found) == [7, *range(100, 100 + len(hours))]
    assert {process.identity.pid: process.seen_at for process in found}[7] == TURN_OF_HOUR + 12 * HOUR + 5
    assert fleet.pids(TURN_OF_HOUR - 2 * HOUR, TURN_OF_HOUR - HOUR) == []
    assert fleet.pids(TURN_OF_HOUR - 7 * HOUR, TURN_OF_HOUR + 4 * HOUR) == [7, 102, 103, 104, 105]
    assert len(fleet.scan(TURN_OF_HOUR - 12 * HOUR, TURN_OF_HOUR + 12 * HOUR + 5, limit=2)) == len(found)


def test_a_process_quiet_for_hours_is_not_in_a_window_of_those_hours(fleet: Fleet) -> None:
    fleet.see(TURN_OF_HOUR - 5 * HOUR, TURN_OF_HOUR + 5 * HOUR)

    assert fleet.pids(TURN_OF_HOUR - 5 * HOUR + 1, TURN_OF_HOUR + 5 * HOUR - 1) == []


# Which state


def test_a_description_that_changes_and_changes_back_is_shown_as_it_was_at_the_end_of_the_window(fleet: Fleet) -> None:
    states = ["x", "y", "x", "z", "y", "y", "x"]
    for number, state in enumerate(states):
        fleet.see(NOON + 10 * number, cmdline=state)

    for number, state in enumerate(states):
        for to_at in (NOON + 10 * number, NOON + 10 * number + 9):
            for from_at in (NOON, NOON + 10 * number):
                (process,) = fleet.find(from_at, to_at)

                assert (process.seen_at, process.description.cmdline) == (NOON + 10 * number, state)


def test_a_description_may_change_at_the_turn_of_an_hour_and_back(fleet: Fleet) -> None:
    states = {-10: "x", 0: "y", 10: "x", HOUR - 10: "y", HOUR: "x", HOUR + 10: "y"}
    for shift, state in states.items():
        fleet.see(TURN_OF_HOUR + shift, cmdline=state)

    for shift, state in states.items():
        (process,) = fleet.find(TURN_OF_HOUR - HOUR, TURN_OF_HOUR + shift)

        assert (process.seen_at, process.description.cmdline) == (TURN_OF_HOUR + shift, state)


def test_search_and_tags_are_matched_against_the_newest_state_in_the_window_only(fleet: Fleet) -> None:
    fleet.see(NOON, cmdline="bash", tags=("env:old",))
    fleet.see(NOON + 10, cmdline="java", tags=("env:new",))
    fleet.see(NOON + 20, cmdline="bash", tags=("env:old",))

    assert fleet.pids(NOON, NOON + 19, search="java", tags="env:new") == [7]
    assert fleet.pids(NOON, NOON + 19, search="bash") == []
    assert fleet.pids(NOON, NOON + 19, tags="env:old") == []
    assert fleet.pids(NOON, NOON + 20, search="bash", tags="env:old") == [7]
    assert fleet.pids(NOON, NOON + 20, search="java") == []
    assert fleet.pids(NOON, NOON + 9, search="bash") == [7]
    assert fleet.pids(NOON + 10, NOON + 10, search="bash") == []


@pytest.mark.parametrize(
    "change",
    [
        {"exe": "/bin/x"},
        {"argument_words": (2,)},
        {"cwd": "/x"},
        {"root": "/x"},
        {"comm": "x"},
        {"command": "x"},
        {"user": "x"},
        {"uid": 5},
        {"gid": 5},
        {"group_name": "x"},
        {"ppid": 5},
        {"namespace_pid": 5},
        {"nice": -20},
        {"container_id": "x"},
        {"is_zombie": True},
        {"tags": ("x",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_any_part_of_the_description_is_kept(fleet: Fleet, change: dict[str, Any]) -> None:
    fleet.see(NOON)
    fleet.see(NOON + 10, **change)

    assert [process.description for process in fleet.find(NOON, NOON)] == [a_description()]
    assert [process.description for process in fleet.find(NOON, NOON + 10)] == [a_description(**change)]


# Which process


def test_a_reused_pid_is_another_process(fleet: Fleet) -> None:
    fleet.see(NOON, started_at=NOON - 5, cmdline="old")
    fleet.see(NOON + 20, started_at=NOON + 11, cmdline="new")

    found = fleet.find(NOON, NOON + 20)

    assert [(process.identity.started_at, process.description.cmdline) for process in found] == [
        (NOON - 5, "old"),
        (NOON + 11, "new"),
    ]
    assert [process.description.cmdline for process in fleet.find(NOON + 1, NOON + 20)] == ["new"]


def test_a_pid_may_be_reused_within_one_snapshot(fleet: Fleet) -> None:
    fleet.add(a_snapshot(a_sighting(7, NOON - 5, cmdline="old"), a_sighting(7, NOON - 1, cmdline="new")))

    assert [process.description.cmdline for process in fleet.find()] == ["old", "new"]


def test_the_same_pid_and_start_on_two_hosts_are_two_processes(fleet: Fleet) -> None:
    fleet.see(NOON, host="web-1", cmdline="one")
    fleet.see(NOON + 10, host="web-2", cmdline="two")

    assert {(process.identity.host, process.description.cmdline) for process in fleet.find()} == {
        ("web-1", "one"),
        ("web-2", "two"),
    }
    assert [process.identity.host for process in fleet.find(NOON, NOON)] == ["web-1"]


def test_hosts_whose_names_differ_in_case_are_two(fleet: Fleet) -> None:
    fleet.see(NOON, host="Web-1")
    fleet.see(NOON, host="web-1")

    assert {process.identity.host for process in fleet.find()} == {"Web-1", "web-1"}
    assert len(fleet.find(tags="host:WEB-1")) == 2


def test_one_org_never_sees_what_is_anothers(store: Store, org: int, fleet: Fleet) -> None:
    other = Fleet(store, org + 1_000_000)
    fleet.see(NOON, cmdline="mine", tags=("a:mine",))
    other.see(NOON, cmdline="theirs", tags=("a:theirs",))
    other.see(NOON, host="theirs", tags=("only:theirs",))

    assert [process.description.cmdline for process in fleet.find()] == ["mine"]
    assert {process.identity.host for process in other.find()} == {"web-1", "theirs"}
    for search in ("theirs", "a:theirs", "only:*", "host:theirs", "theirs OR a:theirs OR only:theirs"):
        assert fleet.find(search=search) == ()
    assert fleet.pids(search="NOT theirs") == [7]
    assert fleet.pids(tags="!a:theirs,!host:theirs,!only:theirs") == [7]


def test_one_group_may_hold_chunks_of_several_orgs(store: Store, org: int) -> None:
    chunk = a_snapshot(a_sighting(cmdline="same"), request_id=1)
    store.add([(org, chunk), (org + 2_000_000, chunk)])

    for one in (org, org + 2_000_000):
        found = store.find(ProcessQuery(one, Window(NOON, NOON))).processes

        assert [process.description.cmdline for process in found] == ["same"]


def test_one_group_may_hold_chunks_of_any_number_of_days(fleet: Fleet) -> None:
    # More than the hundred partitions that ClickHouse allows in an insert unless it is told otherwise.
    days = [NOON - day * 86400 for day in range(110)]
    fleet.add(*(a_snapshot(a_sighting(7, day - 5), taken_at=day) for day in days))

    assert len(fleet.find(days[-1], NOON)) == len(days)
