from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from procession.process import ProcessDescription
from procession.simulate import Fleet, FleetShape, LoadPlan, Progress
from procession.simulate.load_worker import post_part
from procession.text.tags import normal_tags
from tests.support.agents.intake import FakeIntake, Posted, Reply
from tests.support.builders import NOON

SHAPE = FleetShape(hosts=4, processes=130, begin_at=NOON, with_host_tags=False, churn=5)


@pytest.fixture
def intake() -> Iterator[FakeIntake]:
    taking = FakeIntake()
    yield taking
    taking.close()


def a_plan(intake: FakeIntake, **fields: Any) -> LoadPlan:
    defaults: dict[str, Any] = {"shape": SHAPE, "until": NOON + 30, "speed": None, "connections": 2}
    return LoadPlan(url=intake.url, api_key="k" * 32, **defaults | fields)


def post(plan: LoadPlan) -> Progress:
    progress = Progress()

    async def run() -> None:
        await post_part(plan, progress, asyncio.Event())

    asyncio.run(run())
    return progress


def bodies(intake: FakeIntake) -> list[tuple[str, str, str, bytes]]:
    """What was posted, without the order between hosts."""
    return sorted(
        (one.headers.get("x-dd-hostname", ""), one.headers.get("x-dd-request-id", ""), one.path, one.body)
        for one in intake.posted
    )


def processes_of(intake: FakeIntake) -> list[Posted]:
    return [one for one in intake.posted if one.path == "/api/v1/collector"]


def test_agents_post_what_the_fleet_saw(intake: FakeIntake) -> None:
    progress = post(a_plan(intake))

    chunks = [one.snapshot for one in processes_of(intake)]
    expected = [step.snapshot for step in Fleet(SHAPE).steps(NOON + 30)]
    assert progress.sightings == sum(len(chunk.sightings) for chunk in chunks)
    assert progress.sightings == sum(len(snapshot.sightings) for snapshot in expected)
    for snapshot in expected:
        parts = [chunk for chunk in chunks if (chunk.host, chunk.taken_at) == (snapshot.host, snapshot.taken_at)]
        sent = {one.pid: one for part in parts for one in part.sightings}
        assert {pid: one.description for pid, one in sent.items()} == {
            one.pid: one.description for one in snapshot.sightings
        }
        assert {len(parts)} == {part.chunk_count for part in parts}


def test_the_same_shape_posts_the_same_bytes_whoever_shares_the_work(intake: FakeIntake) -> None:
    post(a_plan(intake))
    first = bodies(intake)
    intake.posted.clear()

    for part in range(2):
        post(a_plan(intake, part=part, parts=2, connections=1))

    assert bodies(intake) == first


def test_hosts_say_their_tags_where_agents_do(intake: FakeIntake) -> None:
    post(a_plan(intake))

    said = [json.loads(one.body) for one in intake.about_hosts]
    assert {document["internalHostname"]: tuple(document["host-tags"]["system"]) for document in said} == {
        host.traits.name: host.traits.tags for host in Fleet(SHAPE).hosts
    }


def test_a_process_is_the_same_whether_it_is_posted_or_written() -> None:
    posted = next(Fleet(SHAPE).steps(NOON + 10))
    written = next(
        Fleet(FleetShape(hosts=4, processes=130, begin_at=NOON, with_host_tags=True, churn=5)).steps(NOON + 10)
    )

    def with_tags(description: ProcessDescription) -> tuple[str, ...]:
        return normal_tags((*posted.host.traits.tags, *description.tags))

    assert [with_tags(one.description) for one in posted.snapshot.sightings] == [
        one.description.tags for one in written.snapshot.sightings
    ]


def test_what_the_server_cannot_take_now_is_sent_again(intake: FakeIntake) -> None:
    intake.replies.extend([Reply(503), Reply(closes=True)])

    progress = post(a_plan(intake, connections=1))

    assert progress.retries == 1
    assert progress.refused == 0
    assert len({one.headers["x-dd-request-id"] for one in processes_of(intake)}) == 2 * 4 * 3


def test_what_the_server_never_takes_is_counted_and_left(intake: FakeIntake) -> None:
    intake.replies.extend([Reply(413)])

    progress = post(a_plan(intake, connections=1))

    assert progress.refused == 1
    assert len(processes_of(intake)) == 2 * 4 * 3


def test_a_fleet_stops_when_it_is_told_to(intake: FakeIntake) -> None:
    progress = Progress()

    async def run() -> None:
        stop = asyncio.Event()
        posting = asyncio.create_task(post_part(a_plan(intake, until=None, speed=1.0), progress, stop))
        while not processes_of(intake):
            await asyncio.sleep(0.01)
        stop.set()
        await asyncio.wait_for(posting, 30)

    asyncio.run(run())

    assert progress.sightings < 4 * 150 * 30
