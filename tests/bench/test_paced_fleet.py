from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from bench.paced_fleet import PacedFleet, Posted, fleet_process
from procession.simulate import FleetShape
from tests.support.agents.intake import FakeIntake, Reply
from tests.support.agents.intake import Posted as Payload

SHAPE = FleetShape(hosts=4, processes=130, begin_at=0, interval_seconds=1)


@pytest.fixture
def intake() -> Iterator[FakeIntake]:
    taking = FakeIntake()
    yield taking
    taking.close()


def post(intake: FakeIntake, snapshots: int = 1, *, shape: FleetShape = SHAPE, seconds: float = 1e9) -> Posted:
    async def run() -> Posted:
        fleet = PacedFleet(intake.url, "k" * 32, shape, "datadog")
        begin_at = fleet.make(snapshots)
        posted = await fleet.post(begin_at, begin_at + seconds)
        fleet.close()
        return posted

    return asyncio.run(run())


def with_processes(intake: FakeIntake) -> list[Payload]:
    return [one for one in intake.posted if one.path == "/api/v1/collector"]


def test_each_host_posts_a_snapshot_in_each_interval_in_chunks_of_100(intake: FakeIntake) -> None:
    before = time.time()

    posted = post(intake, 2)

    by_host: dict[str, list[Payload]] = {}
    for one in with_processes(intake):
        by_host.setdefault(one.headers["x-dd-hostname"], []).append(one)
    assert len(by_host) == SHAPE.hosts
    for payloads in by_host.values():
        moments = [int(one.headers["x-dd-agent-timestamp"]) for one in payloads]
        assert moments == [moments[0], moments[0], moments[0] + 1, moments[0] + 1]
        assert before < moments[0] < time.time()
        assert [len(one.snapshot.sightings) == 100 for one in payloads] == [True, False, True, False]
    assert posted.sightings == sum(len(one.snapshot.sightings) for one in with_processes(intake))
    assert posted.payloads == 16
    assert 0 < posted.p50 <= posted.p99


class NotingIntake(FakeIntake):
    """Knows when payloads came."""

    def __init__(self) -> None:
        self.came_at: list[float] = []
        super().__init__()

    def take(self, posted: Payload) -> Reply:
        self.came_at.append(time.time())
        return super().take(posted)


def test_hosts_are_spread_evenly_over_the_interval() -> None:
    intake = NotingIntake()
    shape = FleetShape(hosts=2, processes=20, begin_at=0, interval_seconds=2)
    try:
        post(intake, shape=shape)
    finally:
        intake.close()

    moments = sorted(int(one.headers["x-dd-agent-timestamp"]) for one in with_processes(intake))
    assert moments == [moments[0], moments[0] + 1]
    assert min(intake.came_at) >= moments[0]
    assert max(intake.came_at) >= moments[1]


def test_each_host_says_its_tags_before_all_else_and_once(intake: FakeIntake) -> None:
    post(intake, 2)

    assert len(intake.about_hosts) == SHAPE.hosts


def test_what_is_due_after_the_end_is_posted_when_it_is_asked_for(intake: FakeIntake) -> None:
    async def run() -> tuple[Posted, Posted]:
        fleet = PacedFleet(intake.url, "k" * 32, SHAPE, "datadog")
        begin_at = fleet.make(1)
        before = await fleet.post(0, begin_at)
        after = await fleet.post(begin_at, 1e12)
        fleet.close()
        return before, after

    before, after = asyncio.run(run())

    assert (before.payloads, before.sightings) == (0, 0)
    assert after.payloads == 8
    assert after.sightings >= 4 * SHAPE.processes


def test_what_the_server_cannot_take_yet_is_posted_again_and_counts_as_one_answer(intake: FakeIntake) -> None:
    shape = FleetShape(hosts=1, processes=20, begin_at=0, interval_seconds=1)
    intake.replies.append(Reply(status=503))

    posted = post(intake, shape=shape)

    assert posted.retries == 1
    assert posted.payloads == 1
    assert posted.p50 >= 200
    assert len(with_processes(intake)) == 2


def test_a_fleet_whose_payloads_are_refused_fails(intake: FakeIntake) -> None:
    intake.usual = Reply(status=400)

    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        post(intake)


def test_a_process_plays_a_fleet_step_by_step(intake: FakeIntake) -> None:
    shape = FleetShape(hosts=2, processes=20, begin_at=0, interval_seconds=1)

    with fleet_process(intake.url, "k" * 32, shape) as fleet:
        fleet.begin_making(1)
        first_at = fleet.made()
        fleet.begin_posting()
        first = fleet.posted()
        fleet.begin_making(1)
        then_at = fleet.made()
        fleet.begin_posting(measured_from=then_at)
        then = fleet.posted()

    assert first_at < then_at
    assert (first.payloads, then.payloads) == (2, 2)
    assert len(with_processes(intake)) == 4
