"""What every store promises of live numbers that list every process of a host: they become sightings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from procession.process import LiveNumbers, LiveSnapshot, ProcessDetail, ProcessNumbers, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.window import Window
from tests.storage.conftest import Store
from tests.support.builders import NOON, a_sighting, a_snapshot

STARTED = NOON - 5000


@dataclass
class Watched:
    """One host of one org."""

    store: Store
    org: int
    host: str = "web-1"

    def whole(self, at: int, *pids: int, **fields: Any) -> None:
        """A complete snapshot."""
        sightings = [a_sighting(pid, STARTED, **({"cmdline": f"program {pid}"} | fields)) for pid in pids]
        snapshot = a_snapshot(*sightings, host=self.host, taken_at=at, request_id=at, split_id=at, chunk_count=1)
        self.store.add([(self.org, snapshot)])

    def live(
        self,
        at: int,
        *pids: int,
        starts: int = STARTED,
        rss: int = 1,
        state: str = "S",
        chunk: int = 0,
        chunks: int = 1,
    ) -> Snapshot:
        """A chunk of a live group, as the snapshot that was added."""
        numbers = ProcessNumbers(rss_bytes=rss, state=state)
        live = LiveSnapshot(
            host=self.host,
            taken_at=at,
            processes=tuple(LiveNumbers(pid, starts, numbers) for pid in pids),
            request_id=at * 10 + chunk,
            split_id=-at,
            chunk_count=chunks,
        )
        (snapshot,) = self.store.sightings_of([(self.org, live)])
        self.store.add([(self.org, snapshot)])
        return snapshot

    def find(self, to_at: int = NOON + 900) -> dict[int, ProcessSummary]:
        window = Window(to_at - 900, to_at)
        return {one.identity.pid: one for one in self.store.find(ProcessQuery(self.org, window)).processes}

    def detail(self, pid: int, to_at: int = NOON + 900) -> ProcessDetail:
        (detail,) = self.store.details(self.org, Window(to_at - 900, to_at), [self.find(to_at)[pid]])
        return detail


@pytest.fixture
def watched(store: Store, org: int) -> Watched:
    return Watched(store, org)


def test_a_live_group_moves_the_newest_sighting_on_and_keeps_what_a_process_is(watched: Watched) -> None:
    watched.whole(NOON, 1, 2, user="alice", tags=("env:prod",), uid=1000, cwd="/srv")
    before = watched.find()

    watched.live(NOON + 2, 1, 2, rss=5)
    watched.live(NOON + 4, 1, 2, rss=7)

    after = watched.find()
    assert {pid: one.seen_at for pid, one in after.items()} == {1: NOON + 4, 2: NOON + 4}
    assert {pid: one.description for pid, one in after.items()} == {pid: one.description for pid, one in before.items()}
    assert watched.detail(1).numbers.rss_bytes == 7
    assert watched.detail(1, to_at=NOON + 3).numbers.rss_bytes == 5


def test_a_process_missing_from_a_complete_live_group_has_ended(watched: Watched) -> None:
    watched.whole(NOON, 1, 2)

    watched.live(NOON + 2, 1)

    assert watched.detail(2).ended_at == NOON + 2
    assert watched.detail(1).ended_at is None


def test_a_live_group_ends_nothing_before_its_last_chunk_came(watched: Watched) -> None:
    watched.whole(NOON, 1, 2, 3)
    watched.live(NOON + 2, 1, chunk=0, chunks=2)
    watched.live(NOON + 2, 1, chunk=0, chunks=2)

    assert [watched.detail(pid).ended_at for pid in (1, 2, 3)] == [None, None, None]

    watched.live(NOON + 2, 2, chunk=1, chunks=2)
    assert [watched.detail(pid).ended_at for pid in (1, 2, 3)] == [None, None, NOON + 2]


def test_a_process_that_nobody_knows_is_left_out_and_the_group_ends_nothing(watched: Watched) -> None:
    watched.whole(NOON, 1, 2)

    snapshot = watched.live(NOON + 2, 1, 9)

    assert ([one.pid for one in snapshot.sightings], snapshot.chunk_count) == ([1], 0)
    assert sorted(watched.find()) == [1, 2]
    assert watched.detail(1).ended_at is watched.detail(2).ended_at is None


def test_a_new_process_is_told_whole_first_and_then_lives_on(watched: Watched) -> None:
    watched.whole(NOON, 1)
    partial = a_snapshot(a_sighting(9, NOON + 1, cmdline="new"), taken_at=NOON + 2, request_id=4)
    watched.store.add([(watched.org, partial)])

    numbers = ProcessNumbers(state="R")
    processes = (LiveNumbers(1, STARTED, numbers), LiveNumbers(9, NOON + 1, numbers))
    live = LiveSnapshot(host="web-1", taken_at=NOON + 2, processes=processes, request_id=5, split_id=6, chunk_count=1)
    (snapshot,) = watched.store.sightings_of([(watched.org, live)])
    watched.store.add([(watched.org, snapshot)])

    assert {pid: one.seen_at for pid, one in watched.find().items()} == {1: NOON + 2, 9: NOON + 2}
    assert watched.find()[9].description.cmdline == "new"
    assert watched.detail(1).ended_at is watched.detail(9).ended_at is None


def test_a_pid_with_another_start_is_not_taken_for_the_last_owner(watched: Watched) -> None:
    watched.whole(NOON, 1)

    snapshot = watched.live(NOON + 2, 1, starts=NOON + 1)

    assert (snapshot.sightings, snapshot.chunk_count) == ((), 0)


@pytest.mark.parametrize("shift", [-2, 1, 2])
def test_a_start_may_be_two_seconds_off(watched: Watched, shift: int) -> None:
    watched.whole(NOON, 1)

    (sighting,) = watched.live(NOON + 2, 1, starts=STARTED + shift).sightings

    assert sighting.description.cmdline == "program 1"


def test_what_a_process_is_now_is_what_its_newest_sighting_says(watched: Watched) -> None:
    watched.whole(NOON, 1, cmdline="sh")
    watched.whole(NOON + 10, 1, cmdline="make")

    for at, cmdline in ((NOON + 12, "make"), (NOON + 8, "sh"), (NOON + 14, "make")):
        (sighting,) = watched.live(at, 1).sightings
        assert sighting.description.cmdline == cmdline


def test_a_process_that_became_a_zombie_is_one(watched: Watched) -> None:
    watched.whole(NOON, 1)

    watched.live(NOON + 2, 1, state="Z")
    assert watched.find()[1].description.is_zombie

    watched.live(NOON + 4, 1, state="")
    assert watched.find()[1].description.is_zombie


def test_sightings_of_the_last_hour_say_what_a_process_is_and_older_ones_do_not(watched: Watched) -> None:
    watched.whole(NOON - 3600, 1)
    assert len(watched.live(NOON, 1).sightings) == 1

    watched.whole(NOON - 8000, 2)
    assert watched.live(NOON, 2, chunk=1).sightings == ()


def test_a_live_group_over_the_turn_of_an_hour_is_found_in_both(watched: Watched) -> None:
    turn = (NOON // 3600 + 1) * 3600
    watched.whole(turn - 5, 1)

    watched.live(turn + 1, 1)
    watched.live(turn + 3, 1)

    assert watched.find(turn + 900)[1].seen_at == turn + 3
    assert watched.find(turn + 900)[1].description.cmdline == "program 1"
    assert watched.find(turn - 1)[1].seen_at == turn - 5


def test_hosts_and_orgs_are_kept_apart(store: Store, org: int, watched: Watched) -> None:
    other_org = Watched(store, org + 5_000_000)
    other_host = Watched(store, org, "web-2")
    watched.whole(NOON, 1, cmdline="ours")
    other_org.whole(NOON, 1, cmdline="theirs")
    other_host.whole(NOON, 1, cmdline="next door")
    numbers = ProcessNumbers(state="S")

    asked = [
        (one.org, LiveSnapshot(host=one.host, taken_at=NOON + 2, processes=(LiveNumbers(1, STARTED, numbers),)))
        for one in (watched, other_org, other_host)
    ]
    found = store.sightings_of(asked)

    assert [one.sightings[0].description.cmdline for one in found] == ["ours", "theirs", "next door"]


def test_the_same_chunk_again_changes_nothing(watched: Watched) -> None:
    watched.whole(NOON, 1, 2)
    first = watched.live(NOON + 2, 1)

    assert watched.live(NOON + 2, 1) == first
    assert watched.find()[1].seen_at == NOON + 2
    assert watched.detail(2).ended_at == NOON + 2


def test_no_chunks_are_no_snapshots(store: Store, org: int) -> None:
    assert store.sightings_of([]) == ()
    store.add_live([])
