from __future__ import annotations

import msgspec
import pytest

from procession.clock_skew import MAX_SKEW_SECONDS
from procession.lifecycle.events import ProcessEvents, ProcessExec, ProcessExit, ProcessExits
from procession.lifecycle.reported_events import (
    dated,
    exits_in,
    since,
    snapshot_of_live,
    snapshots_of_execs,
    snapshots_of_orphans,
)
from procession.process import LiveNumbers, LiveSnapshot, ProcessDescription, ProcessNumbers
from tests.support.builders import NOON, a_description


def an_exit(at: int, pid: int = 5, executed_at: int | None = None) -> ProcessExit:
    return ProcessExit(pid=pid, at=at, executed_at=executed_at, exit_code=0, description=a_description(cmdline="ls"))


def test_several_programs_of_a_process_within_a_second_are_one_sighting_of_the_last() -> None:
    sh = ProcessExec(pid=5, at=NOON, forked_at=NOON, description=a_description(cmdline="sh"))
    ls = msgspec.structs.replace(sh, description=a_description(cmdline="ls"))

    (snapshot,) = snapshots_of_execs(ProcessEvents("web-1", (sh, ls)), b"x")

    assert [sighting.description.cmdline for sighting in snapshot.sightings] == ["ls"]
    assert snapshot.chunk_count == 0


def test_an_event_without_a_moment_is_of_now() -> None:
    exit_ = ProcessExit(pid=5, at=0, exit_code=0, description=ProcessDescription())

    assert [one.at for one in exits_in(dated(ProcessEvents("web-1", (exit_,)), NOON)).exits] == [NOON]


@pytest.mark.parametrize(
    ("reported", "kept"),
    [(NOON - 9, NOON - 9), (NOON + MAX_SKEW_SECONDS, NOON + MAX_SKEW_SECONDS), (NOON + MAX_SKEW_SECONDS + 1, NOON)],
)
def test_an_event_of_a_clock_far_ahead_is_of_now(reported: int, kept: int) -> None:
    (event,) = dated(ProcessEvents("web-1", (an_exit(reported),)), NOON).events

    assert event.at == kept


def test_events_of_before_a_moment_are_left_out() -> None:
    events = ProcessEvents("web-1", (an_exit(NOON - 1), an_exit(NOON), an_exit(NOON + 1)))

    assert [event.at for event in since(events, NOON).events] == [NOON, NOON + 1]


def test_execs_of_different_seconds_are_snapshots_of_their_own() -> None:
    first = ProcessExec(pid=5, at=NOON, forked_at=NOON - 3, description=a_description())
    second = ProcessExec(pid=6, at=NOON + 1, forked_at=NOON + 9, description=a_description())
    events = ProcessEvents("web-1", (first, an_exit(NOON), second))

    snapshots = snapshots_of_execs(events, b"x")

    assert [(snapshot.taken_at, snapshot.host) for snapshot in snapshots] == [(NOON, "web-1"), (NOON + 1, "web-1")]
    starts = [[(one.pid, one.started_at) for one in snapshot.sightings] for snapshot in snapshots]
    assert starts == [[(5, NOON - 3)], [(6, NOON + 1)]], "none starts after it was seen"
    assert snapshots == snapshots_of_execs(events, b"x")
    assert snapshots[0].request_id != snapshots_of_execs(events, b"y")[0].request_id


def test_an_orphan_was_seen_dead_when_it_ended() -> None:
    orphans = ProcessExits("web-1", (an_exit(NOON, 5, NOON - 7), an_exit(NOON, 6), an_exit(NOON, 7, NOON + 7)))

    (snapshot,) = snapshots_of_orphans(orphans, b"x")

    assert [(one.pid, one.started_at) for one in snapshot.sightings] == [(5, NOON - 7), (6, NOON), (7, NOON)]
    assert {one.numbers.state for one in snapshot.sightings if one.numbers} == {"X"}
    assert snapshot.taken_at == NOON
    assert snapshot.chunk_count == 0


def test_the_exec_and_the_exit_of_one_payload_are_different_snapshots() -> None:
    exec_ = ProcessExec(pid=5, at=NOON, description=a_description())

    (of_exec,) = snapshots_of_execs(ProcessEvents("web-1", (exec_,)), b"x")
    (of_exit,) = snapshots_of_orphans(ProcessExits("web-1", (an_exit(NOON),)), b"x")

    assert of_exec.request_id != of_exit.request_id


def live_numbers(*pids: int, state: str = "S") -> LiveSnapshot:
    processes = tuple(LiveNumbers(pid, NOON, ProcessNumbers(rss_bytes=pid, state=state)) for pid in pids)
    return LiveSnapshot(host="web-1", taken_at=NOON, processes=processes, request_id=3, split_id=4, chunk_count=2)


def test_live_numbers_are_sightings_of_what_the_processes_are_known_to_be() -> None:
    live = live_numbers(5, 6)

    snapshot = snapshot_of_live(live, [a_description(cmdline="ls"), a_description(cmdline="sh")])

    assert [(one.pid, one.description.cmdline) for one in snapshot.sightings] == [(5, "ls"), (6, "sh")]
    assert [one.numbers for one in snapshot.sightings] == [one.numbers for one in live.processes]
    assert (snapshot.host, snapshot.taken_at) == ("web-1", NOON)
    assert (snapshot.request_id, snapshot.split_id, snapshot.chunk_count) == (3, 4, 2)


def test_live_numbers_of_a_process_that_is_not_known_are_left_out_and_end_none() -> None:
    snapshot = snapshot_of_live(live_numbers(5, 6), [None, a_description()])

    assert ([one.pid for one in snapshot.sightings], snapshot.chunk_count) == ([6], 0)


@pytest.mark.parametrize(("state", "is_zombie"), [("Z", True), ("S", False), ("", None)])
def test_live_numbers_say_whether_a_process_is_a_zombie_if_they_have_a_state(
    state: str, is_zombie: bool | None
) -> None:
    for before in (False, True):
        (sighting,) = snapshot_of_live(live_numbers(5, state=state), [a_description(is_zombie=before)]).sightings

        assert sighting.description.is_zombie is (before if is_zombie is None else is_zombie)
