"""An agent turns what it has kept in columns into Datadog's frames, for a server that takes no others."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.process import Sighting
from procession.wire.columns.as_datadog import as_datadog
from procession.wire.columns.encoder import ColumnsEncoder
from procession.wire.datadog import ContainerInfo, FrameError, Limits, MessageType, SnapshotDecoder, frame
from tests.support.agents.column_frames import Facts, datadog_facts, facts_of
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.sightings import all_sightings


def facts_in(bodies: list[bytes]) -> Facts:
    found: Facts = {}
    decoder = SnapshotDecoder(Limits())
    for body in bodies:
        framed = frame.decode(frame.encode(MessageType.PROCESSES, body))
        chunk = decoder.decode(framed, taken_at=NOON)
        assert (chunk.split_id, chunk.chunk_count) == (-5, len(bodies))
        found |= facts_of(chunk)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(all_sightings(), min_size=1, max_size=2, unique_by=lambda one: (one.pid, one.started_at)))
def test_nothing_is_lost_on_the_way(sightings: list[Sighting]) -> None:
    snapshot = a_snapshot(*sightings, split_id=-5)

    bodies = as_datadog(ColumnsEncoder(1).encode(snapshot).whole, max_processes=1)

    assert len(bodies) == len(sightings)
    assert facts_in(bodies) == datadog_facts(snapshot)


def test_containers_go_along_with_their_processes() -> None:
    def look_up(container_id: str) -> ContainerInfo:
        return ContainerInfo(container_id=container_id, image="nginx:1", tags=("team:web",))

    snapshot = a_snapshot(a_sighting(1, container_id="c0ffee"), a_sighting(2), split_id=-5)

    bodies = as_datadog(ColumnsEncoder(1, look_up).encode(snapshot).whole, max_processes=1)

    assert facts_in(bodies) == datadog_facts(snapshot, containers=look_up)


def test_a_large_snapshot_is_split_by_bytes_too() -> None:
    snapshot = a_snapshot(*(a_sighting(pid, cmdline="x" * 400_000) for pid in range(1, 6)), split_id=-5)

    bodies = as_datadog(ColumnsEncoder(1).encode(snapshot).whole, max_processes=1000)

    assert len(bodies) == 3
    assert len(facts_in(bodies)) == 5


def test_a_host_without_processes_says_so() -> None:
    (body,) = as_datadog(ColumnsEncoder(1).encode(a_snapshot(split_id=-5)).whole, max_processes=1000)

    assert facts_in([body]) == {}


def test_changes_alone_make_no_snapshot() -> None:
    encoder = ColumnsEncoder(1)
    encoder.encode(a_snapshot(a_sighting(1)))
    changes = encoder.encode(a_snapshot(a_sighting(2))).changes

    with pytest.raises(FrameError):
        as_datadog(changes or b"", max_processes=1000)
