from __future__ import annotations

import pytest

from procession.errors import PayloadTooLarge
from procession.wire.datadog import Encoding, FrameError, MessageType, frame
from tests.support.agents.vectors import FRAMED, REFUSED, Vector, vector


@pytest.mark.parametrize("recorded", FRAMED, ids=str)
def test_a_frame_gives_the_header_that_was_recorded(recorded: Vector) -> None:
    framed = frame.decode(recorded.data)

    assert framed.version == recorded.facts["version"]
    assert framed.encoding == recorded.facts["encoding"]
    assert framed.type == recorded.facts["type"]
    assert framed.subscription_id == recorded.facts.get("subscriptionId", 0)
    assert framed.org_id == recorded.facts.get("orgId", 0)
    assert framed.timestamp == recorded.facts.get("timestamp", 0)


@pytest.mark.parametrize(
    "name",
    [
        "proc_v1_enc0_protobuf",
        "proc_v2_enc0_protobuf",
        "proc_v3_enc0_full_header",
        "proc_v3_enc2_zstd05",
        "proc_v3_enc4_zstd1x",
        "proc_v3_enc5_zstdnocgo",
    ],
)
def test_every_version_and_compression_holds_the_same_body(name: str) -> None:
    assert frame.decode(vector(name)).body == frame.decode(vector("proc_v3_enc0_protobuf")).body


def test_a_body_of_several_blocks_of_the_old_format_is_read() -> None:
    assert len(frame.decode(vector("proc_900_enc2_zstd05_multiblock")).body) == 234_035


def test_a_body_is_read_by_its_first_bytes_whatever_the_header_says() -> None:
    framed = frame.decode(vector("bad_enc2_but_zstd1x_body"))

    assert framed.encoding is Encoding.ZSTD_05
    assert framed.body == b"\x12\x04test"


@pytest.mark.parametrize("encoding", [Encoding.PLAIN, Encoding.ZSTD])
@pytest.mark.parametrize("body", [b"", b"x", b"x" * 1_000_000])
def test_what_is_encoded_decodes_to_the_same(encoding: Encoding, body: bytes) -> None:
    framed = frame.decode(frame.encode(MessageType.PROCESSES, body, encoding=encoding))

    assert framed == frame.Frame(MessageType.PROCESSES, body, encoding)


def test_the_encoding_of_agents_of_old_is_not_written() -> None:
    with pytest.raises(ValueError, match="not written"):
        frame.encode(MessageType.PROCESSES, b"", encoding=Encoding.ZSTD_05)


@pytest.mark.parametrize("recorded", [v for v in REFUSED if "bomb" not in v.name and v.name != "bad_protobuf"], ids=str)
def test_what_is_no_frame_is_refused(recorded: Vector) -> None:
    with pytest.raises(FrameError):
        frame.decode(recorded.data)


@pytest.mark.parametrize("name", ["proc_100_enc2_zstd05", "proc_100_enc4_zstd1x", "proc_min_enc2_rawblock"])
def test_a_frame_cut_off_anywhere_is_refused(name: str) -> None:
    data = vector(name)

    for length in {*range(64), *range(0, len(data), 97), len(data) - 1}:
        if length == 16:
            continue  # a header alone is an empty message
        with pytest.raises(FrameError):
            frame.decode(data[: min(length, len(data) - 1)])


@pytest.mark.parametrize("name", ["proc_min_enc2", "proc_min_enc4"])
def test_nothing_may_follow_the_compressed_body(name: str) -> None:
    with pytest.raises(FrameError, match="more after"):
        frame.decode(vector(name) + b"\0")


@pytest.mark.parametrize(
    "name", ["proc_900_enc2_zstd05_multiblock", "proc_100_enc2_zstd05", "proc_100_enc4_zstd1x", "proc_v3_enc0_protobuf"]
)
def test_a_body_may_have_exactly_as_many_bytes_as_allowed(name: str) -> None:
    size = len(frame.decode(vector(name)).body)

    assert len(frame.decode(vector(name), max_bytes=size).body) == size
    with pytest.raises(PayloadTooLarge):
        frame.decode(vector(name), max_bytes=size - 1)


def test_json_is_bounded_further_since_reading_it_takes_many_times_its_size() -> None:
    with pytest.raises(PayloadTooLarge):
        frame.decode(bytes((3, Encoding.JSON, MessageType.PROCESSES)) + bytes(13) + b" " * (frame.MAX_JSON_BYTES + 1))


def test_the_type_is_told_by_the_header_alone() -> None:
    assert frame.message_type(vector("connections_empty_enc4")[:16]) is MessageType.CONNECTIONS
    with pytest.raises(FrameError, match="unknown type 99"):
        frame.message_type(vector("bad_type_99"))
