from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procession.process import ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.wire.datadog import MessageType, SnapshotDecoder, SnapshotEncoder, frame
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.parsing import parse
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.sightings import all_sightings
from tests.support.stores.unpacked import unpack


def decode(body: bytes) -> Snapshot:
    data = frame.encode(MessageType.PROCESSES, body)
    return unpack(SnapshotDecoder().decode(frame.decode(data), taken_at=NOON))


def _without_command(sighting: Sighting) -> Sighting:
    """Its short name does not travel."""
    fields = {name: getattr(sighting.description, name) for name in sighting.description.__struct_fields__}
    return Sighting(sighting.pid, sighting.started_at, ProcessDescription(**fields | {"command": ""}), sighting.numbers)


@given(
    st.lists(all_sightings(), max_size=7, unique_by=lambda sighting: (sighting.pid, sighting.started_at)),
    st.integers(-(2**31), 2**31 - 1),
)
def test_a_snapshot_comes_back_from_its_messages(sightings: list[Sighting], split_id: int) -> None:
    snapshot = a_snapshot(*sightings, split_id=split_id)

    chunks = [decode(body) for body in SnapshotEncoder().encode(snapshot, max_processes=3)]

    assert [_without_command(sighting) for chunk in chunks for sighting in chunk.sightings] == sightings
    assert {(chunk.host, chunk.split_id, chunk.chunk_count) for chunk in chunks} <= {
        (snapshot.host, split_id, len(chunks))
    }


def test_a_snapshot_is_cut_into_chunks_by_number_and_by_size() -> None:
    sightings = [a_sighting(pid) for pid in range(250)]
    large = [a_sighting(1, cmdline="x" * 900_000), a_sighting(2, cmdline="y" * 900_000), a_sighting(3)]

    by_number = [decode(body) for body in SnapshotEncoder().encode(a_snapshot(*sightings))]
    by_size = [decode(body) for body in SnapshotEncoder().encode(a_snapshot(*large))]

    assert [len(chunk.sightings) for chunk in by_number] == [100, 100, 50]
    assert {chunk.chunk_count for chunk in by_number} == {3}
    assert [[s.pid for s in chunk.sightings] for chunk in by_size] == [[1], [2, 3]]


def test_an_empty_snapshot_makes_no_message() -> None:
    assert SnapshotEncoder().encode(a_snapshot()) == []


def test_a_text_with_half_a_surrogate_pair_can_be_sent() -> None:
    body = SnapshotEncoder().encode(a_snapshot(a_sighting(cmdline="a\udcffb")))[0]

    assert decode(body).sightings[0].description.cmdline == "a\ufffdb"


def test_absent_numbers_are_minus_one_to_others() -> None:
    body = SnapshotEncoder().encode(a_snapshot(a_sighting(numbers=ProcessNumbers())))[0]
    process = parse(pb.CollectorProc, body).processes[0]

    assert process.openFdCount == -1
    assert process.ioStat.readRate == -1.0
    assert not process.HasField("cpu")
    assert not process.HasField("memory")
