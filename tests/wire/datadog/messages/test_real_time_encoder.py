from __future__ import annotations

from procession.process import LiveNumbers, ProcessNumbers
from procession.wire.datadog import LiveEncoder, MessageType, decode_live, frame
from tests.support.builders import NOON, a_sighting

NUMBERS = ProcessNumbers(cpu_total_percent=12.5, rss_bytes=4096, threads=3, voluntary_switches=7, state="R")


def decoded(body: bytes) -> list[LiveNumbers]:
    framed = frame.decode(frame.encode(MessageType.REAL_TIME, body))
    return list(decode_live(framed, taken_at=NOON).processes)


def test_sightings_arrive_as_their_numbers_in_order_and_in_chunks() -> None:
    sightings = [a_sighting(pid, NOON - pid, NUMBERS) for pid in range(1, 251)]

    bodies = LiveEncoder().encode("web-1", sightings, split_id=7, max_processes=100)

    arrived = [process for body in bodies for process in decoded(body)]
    assert [len(decoded(body)) for body in bodies] == [100, 100, 50]
    assert [(process.pid, process.started_at) for process in arrived] == [(pid, NOON - pid) for pid in range(1, 251)]
    snapshot = decode_live(frame.decode(frame.encode(MessageType.REAL_TIME, bodies[2])), taken_at=NOON)
    assert (snapshot.host, snapshot.split_id, snapshot.chunk_count) == ("web-1", 7, 3)
    assert [process.numbers for process in arrived] == [NUMBERS] * 250


def test_bytes_are_kept_for_the_very_same_sighting_and_no_other() -> None:
    encoder = LiveEncoder()
    first = a_sighting(7, NOON - 5, NUMBERS)
    second = a_sighting(7, NOON - 5, ProcessNumbers(rss_bytes=8192))

    bodies = [encoder.encode("web-1", [sighting], split_id=0)[0] for sighting in (first, first, second)]

    assert bodies[0] == bodies[1] != bodies[2]
    assert decoded(bodies[2])[0].numbers.rss_bytes == 8192


def test_no_processes_make_no_message() -> None:
    assert LiveEncoder().encode("web-1", [], split_id=0) == []
