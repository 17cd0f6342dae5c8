from __future__ import annotations

import random

from procession.process import ProcessNumbers, Sighting
from procession.wire.datadog import (
    ContainerInfo,
    MessageType,
    SnapshotDecoder,
    SnapshotEncoder,
    frame,
)
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores.unpacked import unpack


def decode(body: bytes) -> tuple[Sighting, ...]:
    return unpack(SnapshotDecoder().decode(frame.Frame(MessageType.PROCESSES, body), taken_at=NOON)).sightings


def test_what_is_remembered_is_what_would_be_encoded_anew() -> None:
    """Over many snapshots in which processes change in part, go, and come back."""
    chance = random.Random(1)
    encoder = SnapshotEncoder()
    descriptions = [a_description(cmdline=f"program {number}", is_zombie=number == 3) for number in range(4)]
    fleet = [a_sighting(pid) for pid in range(1, 300)]
    for _ in range(20):
        for index in chance.sample(range(len(fleet)), 60):
            before = fleet[index]
            numbers = ProcessNumbers(threads=chance.randint(1, 9), state=chance.choice("RSZ"))
            description = chance.choice([before.description, *descriptions])
            fleet[index] = Sighting(before.pid, before.started_at + chance.randint(0, 1), description, numbers)
        seen = chance.sample(fleet, 250)
        snapshot = a_snapshot(*seen, split_id=7)

        assert encoder.encode(snapshot) == SnapshotEncoder().encode(snapshot)
        assert [sighting.pid for body in encoder.encode(snapshot) for sighting in decode(body)] == [s.pid for s in seen]


def test_a_process_may_be_larger_than_a_chunk() -> None:
    large = a_sighting(2, cmdline="x " * 400_000)
    bodies = SnapshotEncoder().encode(a_snapshot(a_sighting(1), large, a_sighting(3)), max_bytes=1000)

    assert [[sighting.pid for sighting in decode(body)] for body in bodies] == [[1], [2], [3]]
    assert decode(bodies[1])[0].description.cmdline == large.description.cmdline


def test_a_container_is_said_again_in_each_snapshot_and_anew_when_more_is_known() -> None:
    known = {"c": ContainerInfo(container_id="c")}
    encoder = SnapshotEncoder(known.__getitem__)
    snapshot = a_snapshot(a_sighting(1, container_id="c"), a_sighting(2))

    def tags() -> list[tuple[str, ...]]:
        return [sighting.description.tags for body in encoder.encode(snapshot) for sighting in decode(body)]

    assert tags() == [(), ()]
    known["c"] = ContainerInfo(
        container_id="c", runtime="docker", name="web", image="nginx:1", created_at=5, tags=("container_name:web",)
    )
    assert tags() == tags()
    assert "container_name:web" in tags()[0]
    assert tags()[1] == ()
    assert encoder.container_counts == [1]
