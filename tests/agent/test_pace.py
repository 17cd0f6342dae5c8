from __future__ import annotations

from itertools import pairwise

import pytest

from procession.agent.budget import Budget
from procession.agent.pace import Pace
from tests.support.clock import FastClock

LIVE = 2.0


class Looks:
    """A loop that costs what it is told, and when it looked."""

    def __init__(self, share: float | None = None, interval: float = 10.0) -> None:
        self.clock = FastClock()
        self.lines: list[str] = []
        self.snapshots: list[float] = []
        self.live: list[float] = []
        self.every: list[int | None] = []
        self.snapshot_cost = self.live_cost = 0.0
        self.pace = Pace(
            interval_seconds=interval,
            budget=Budget(share, interval, self.clock),
            max_cpu="1%",
            clock=self.clock,
            report=self.lines.append,
        )

    def run(self, seconds: float, *, watched: bool = False) -> None:
        pace, clock = self.pace, self.clock
        end = clock.monotonic() + seconds
        while clock.monotonic() < end:
            if pace.is_snapshot_due():
                self.every.append(pace.begin_snapshot())
                self.snapshots.append(clock.monotonic())
                clock.use(self.snapshot_cost)
                pace.end_snapshot(LIVE)
            elif watched and pace.is_live_due(LIVE):
                pace.begin_live(LIVE)
                self.live.append(clock.monotonic())
                clock.use(self.live_cost)
                pace.end_live()
            wait = pace.seconds_to_wait(LIVE)
            assert 0 < wait <= LIVE or wait <= 1e-6
            clock.sleep(max(wait, 1e-3))


def gaps(moments: list[float]) -> list[float]:
    return [round(after - before, 1) for before, after in pairwise(moments)]


def test_snapshots_come_at_once_and_then_at_equal_distances() -> None:
    looks = Looks()
    looks.run(60)

    assert looks.snapshots[0] == 0
    assert set(gaps(looks.snapshots)) == {10.0}
    assert looks.live == []
    assert set(looks.every) == {None}


def test_while_somebody_watches_numbers_come_between_snapshots() -> None:
    looks = Looks()
    looks.run(30, watched=True)

    assert [round(moment) for moment in looks.snapshots] == [0, 10, 20]
    assert [round(moment) for moment in looks.live] == [2, 4, 6, 8, 12, 14, 16, 18, 22, 24, 26, 28]


def test_numbers_begin_soon_after_somebody_begins_to_watch_and_end_with_it() -> None:
    looks = Looks()
    looks.run(13)
    looks.run(6, watched=True)
    looks.run(20)

    assert 13 <= looks.live[0] <= 15
    assert looks.live[-1] <= 19
    assert [round(moment) for moment in looks.snapshots] == [0, 10, 20, 30]


def test_snapshots_as_frequent_as_numbers_take_their_place() -> None:
    looks = Looks(interval=1.0)
    looks.run(10, watched=True)

    assert looks.live == []
    assert len(looks.snapshots) == 10


def test_expensive_snapshots_come_less_often_and_a_person_is_told_once() -> None:
    looks = Looks(share=0.01)
    looks.snapshot_cost = 0.3
    looks.run(600)

    assert looks.clock.cpu() <= 0.01 * looks.clock.monotonic() + 0.1 + 0.3
    assert all(27 <= gap <= 31 for gap in gaps(looks.snapshots)[2:])
    assert looks.every[-1] in range(27, 32)
    (line,) = looks.lines
    assert line.startswith("a snapshot takes 300 ms of CPU, and --max-cpu allows 1%: one every ")
    assert line.endswith(" s now, not every 10 s")


def test_when_they_are_cheap_again_they_come_as_often_as_set() -> None:
    looks = Looks(share=0.01)
    looks.snapshot_cost = 0.3
    looks.run(120)
    looks.snapshot_cost = 0.02
    looks.run(120)

    assert gaps(looks.snapshots)[-3:] == [10.0, 10.0, 10.0]
    assert looks.every[-1] is None
    assert looks.lines[-1] == "within --max-cpu 1% again: a snapshot every 10 s"
    assert len(looks.lines) == 2


def test_numbers_are_given_up_before_snapshots_are() -> None:
    looks = Looks(share=0.01)
    looks.snapshot_cost, looks.live_cost = 0.06, 0.02
    looks.run(100, watched=True)

    assert set(gaps(looks.snapshots)) == {10.0}
    assert 10 <= len(looks.live) <= 25  # of 40
    assert looks.clock.cpu() <= 0.01 * looks.clock.monotonic() + 0.1 + 0.06
    assert looks.lines == []


def test_what_can_be_left_out_has_what_snapshots_leave_of_an_interval() -> None:
    looks = Looks(share=0.01)
    pace, clock = looks.pace, looks.clock
    assert pace.spare_seconds() == pytest.approx(0.1)

    pace.begin_snapshot()
    clock.use(0.07)
    pace.end_snapshot(LIVE, spare_spent=0.05)
    assert pace.spare_seconds() == pytest.approx(0.08)
    pace.begin_snapshot()
    clock.use(0.3)
    pace.end_snapshot(LIVE)

    assert pace.spare_seconds() == pytest.approx(-0.2)
    assert Looks().pace.spare_seconds() is None


@pytest.mark.parametrize("late", [4.0, 35.0])
def test_what_was_missed_is_left_out(late: float) -> None:
    looks = Looks()
    looks.run(5)
    looks.clock.sleep(5 + late)
    looks.run(65 - late)

    assert len(looks.snapshots) <= 8  # that come from 0 to 70 s
    assert gaps(looks.snapshots)[-2:] == [10.0, 10.0]
