from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.errors import PayloadTooLarge
from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers
from procession.wire.datadog import FrameError, Limits, LiveEncoder, MessageType, decode_live, frame
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.snapshot_decoder import DEFAULT_LIMITS
from procession.wire.datadog.parsing import parse
from tests.support.agents.vectors import vector
from tests.support.builders import NOON, a_sighting


def decode(body: bytes, limits: Limits = DEFAULT_LIMITS) -> LiveSnapshot:
    return decode_live(frame.Frame(MessageType.REAL_TIME, body), taken_at=NOON, limits=limits)


def test_recorded_numbers_are_read() -> None:
    snapshot = decode_live(frame.decode(vector("rt_enc4")), taken_at=NOON, request_id=5)

    assert snapshot == LiveSnapshot(
        host="web-1",
        taken_at=NOON,
        processes=(
            LiveNumbers(
                4242,
                1_700_000_000,
                ProcessNumbers(
                    cpu_total_percent=97.5,
                    cpu_user_percent=90.0,
                    cpu_system_percent=7.5,
                    rss_bytes=12600000,
                    vms_bytes=268435456,
                    threads=4,
                    open_files=23,
                    voluntary_switches=1510,
                    involuntary_switches=41,
                    state="R",
                ),
            ),
        ),
        request_id=5,
        split_id=8,
        chunk_count=1,
    )


@given(
    st.lists(
        st.builds(
            LiveNumbers,
            st.integers(0, 2**31 - 1),
            st.integers(0, 2**32 - 1),
            st.builds(
                ProcessNumbers,
                cpu_total_percent=st.none() | st.floats(0, 3200, width=32),
                threads=st.none() | st.integers(1, 1000),
                open_files=st.none() | st.integers(0, 1000),
                read_bytes_per_second=st.none() | st.floats(0, 1e9, width=32),
                state=st.sampled_from(("", *"RSZItKPx")),
            ),
        ),
        max_size=5,
        unique_by=lambda process: (process.pid, process.started_at),
    )
)
def test_live_numbers_come_back_from_their_messages(processes: list[LiveNumbers]) -> None:
    sightings = [a_sighting(one.pid, one.started_at, one.numbers) for one in processes]

    chunks = [decode(body) for body in LiveEncoder().encode("h", sightings, split_id=-3, max_processes=2)]

    assert [process for chunk in chunks for process in chunk.processes] == processes
    assert {(chunk.split_id, chunk.chunk_count) for chunk in chunks} <= {(-3, len(chunks))}


def test_the_number_of_threads_stands_in_both_its_places() -> None:
    (body,) = LiveEncoder().encode("h", [a_sighting(1, NOON, ProcessNumbers(threads=7))], split_id=0)

    assert parse(pb.CollectorRealTime, body).stats[0].threads == 7


def test_what_is_no_real_time_message_is_refused() -> None:
    with pytest.raises(FrameError, match="type"):
        decode_live(frame.decode(vector("proc_min_enc4")), taken_at=NOON)
    with pytest.raises(FrameError, match="damaged"):
        decode(b"\x1a\x09")
    with pytest.raises(FrameError, match="host"):
        decode(b"")


@pytest.mark.parametrize("padding", [0, 300_000])
def test_a_message_holds_only_so_many_processes(padding: int) -> None:
    stats = [pb.ProcessStat(pid=pid, containerId="x" * padding) for pid in range(3)]
    body = pb.CollectorRealTime(hostName="h", stats=stats).SerializeToString()

    assert len(decode(body, Limits(processes=3)).processes) == 3
    with pytest.raises(PayloadTooLarge):
        decode(body, Limits(processes=2))
