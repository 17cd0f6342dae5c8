"""What agents post: frames, the messages in them, the events without one, and what an agent says of its host."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from procession.accounts.administration import MAX_TAG_LENGTH
from procession.errors import PayloadTooLarge
from procession.lifecycle.events import ProcessEvents, ProcessExec
from procession.process import MAX_UINT32, ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.server.intake.hosts import host_and_tags
from procession.wire.columns import layout
from procession.wire.columns.decoder import ColumnsDecoder, FrameBeforeUnknown
from procession.wire.datadog import (
    FrameError,
    Limits,
    LiveEncoder,
    MessageType,
    SnapshotDecoder,
    SnapshotEncoder,
    decode_answer,
    decode_events,
    decode_live,
    encode_answer,
    encode_events,
    frame,
)
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.frame import MAX_JSON_BYTES, Encoding, Frame
from procession.wire.datadog.parsing import parse, split
from tests.support.stores.unpacked import unpack

MAX_BYTES = 2**20
ALL = 2**31 - 1
ONLY_REASONS = (FrameError, PayloadTooLarge)
"""Whatever is posted, one of these or a value."""

_PROCESSES = pb.ReadCollectorProc.PROCESSES_FIELD_NUMBER
_BODY_LIMITS = layout.BodyLimits(10_000, 10_000, 2**22)
_DECODER = SnapshotDecoder(cache_bytes=2**20)


def check_frame(data: bytes) -> None:
    """A frame is refused, or no larger than allowed; what is in it, too, is a value or refused."""
    try:
        framed = frame.decode(data, max_bytes=MAX_BYTES)
    except ONLY_REASONS:
        return
    assert len(framed.body) <= (MAX_JSON_BYTES if framed.encoding is Encoding.JSON else MAX_BYTES)
    assert framed.type is frame.message_type(data)
    if framed.encoding is not Encoding.JSON:
        again = frame.decode(frame.encode(framed.type, bytes(framed.body)), max_bytes=MAX_BYTES)
        assert bytes(again.body) == bytes(framed.body)
    _check_message(framed, data)


def check_message(data: bytes) -> None:
    """The same behind the compression: bytes that are said to be a message of some type."""
    if data:
        types = (MessageType.PROCESSES, MessageType.PROCESSES, MessageType.REAL_TIME, MessageType.ANSWER)
        kind = types[data[0] % 4]
        encoding = Encoding.JSON if data[0] >= 0xC0 else Encoding.PLAIN
        _check_message(Frame(kind, data[1:], encoding), bytes((3, encoding, kind)) + bytes(13) + data[1:])
        if kind is MessageType.PROCESSES and encoding is Encoding.PLAIN:
            check_split(data[1:])


def check_split(body: bytes) -> None:
    """Taken apart before it is parsed, a message has the processes that it has when it is parsed as a whole."""
    try:
        rest, parts = split(body, _PROCESSES, {_PROCESSES: 1000})
    except ONLY_REASONS:
        return
    whole, apart = pb.CollectorProc(), pb.CollectorProc()
    try:
        whole.ParseFromString(body)
    except DecodeError:
        whole = None  # type: ignore[assignment]
    try:
        apart.CopyFrom(parse(pb.CollectorProc, rest))
        apart.processes.extend(parse(pb.Process, part) for part in parts)
    except FrameError:
        apart = None  # type: ignore[assignment]
    assert (whole is None) == (apart is None)
    if whole is not None:
        assert list(map(_bytes, whole.processes)) == list(map(_bytes, apart.processes))


def check_columns(data: bytes) -> None:
    """A message of columns is refused, or a snapshot that says the same when it is written and read again."""
    decoder = ColumnsDecoder(Limits())
    try:
        head = layout.decode_head(data)
        body = layout.decode_body(data, MAX_BYTES)
        assert len(body) <= MAX_BYTES
        snapshot = decoder.decode(head, body, taken_at=1)
    except (*ONLY_REASONS, FrameBeforeUnknown):
        return
    facts = {(one.pid, one.started_at): one for one in snapshot.listing.processes}
    assert len(facts) == len(snapshot.listing.processes)
    for one in snapshot.listing.processes:
        _check_description(one.description)
    once = layout.encode(head, layout.parse_body(body, _BODY_LIMITS), level=1)
    again = decoder.decode(layout.decode_head(once), layout.decode_body(once, MAX_BYTES), taken_at=1)
    assert again == snapshot


def check_events(data: bytes) -> None:
    """Events are refused, or values that are the same when they are written and read again."""
    try:
        events = decode_events(data)
    except ONLY_REASONS:
        return
    assert events.host
    for event in events.events:
        assert 0 <= event.pid <= MAX_UINT32
        assert 0 <= event.at <= MAX_UINT32
        before = event.forked_at if isinstance(event, ProcessExec) else event.executed_at
        assert before is None or 0 < before <= MAX_UINT32
        _check_description(event.description)
    # Of an earlier moment nobody can say which unit it has.
    late = ProcessEvents(events.host, tuple(event for event in events.events if event.at > MAX_UINT32 // 1000))
    once = decode_events(encode_events(late))
    assert [(event.pid, event.at) for event in once.events] == [(event.pid, event.at) for event in late.events]
    assert decode_events(encode_events(once)) == once


def check_host_metadata(data: bytes) -> None:
    """What a core agent says of its host gives tags that fit, or nothing."""
    encodings = ("", "zstd", "deflate", "gzip")
    try:
        found = host_and_tags(data[1:], encodings[data[0] % 4] if data else "", MAX_BYTES)
    except PayloadTooLarge:
        return
    if found is not None:
        host, tags = found
        assert 0 < len(host) <= 255
        assert "\0" not in host
        for tag in (host, *tags):
            tag.encode()
        assert all(len(tag) <= MAX_TAG_LENGTH for tag in tags)


def _check_message(framed: Frame, data: bytes) -> None:
    try:
        match framed.type:
            case MessageType.ANSWER:
                answer = decode_answer(data)
                assert decode_answer(encode_answer(answer)) == answer
            case MessageType.REAL_TIME:
                live = decode_live(framed, taken_at=7)
                for process in live.processes:
                    _check_key(process.pid, process.started_at)
                    _check_numbers(process.numbers)
                sightings = [
                    Sighting(one.pid, one.started_at, ProcessDescription(), one.numbers) for one in live.processes
                ]
                for body in LiveEncoder().encode(live.host, sightings, split_id=live.split_id, max_processes=ALL):
                    once = decode_live(Frame(MessageType.REAL_TIME, body), taken_at=7)
                    assert [(one.pid, one.started_at) for one in once.processes] == [
                        (one.pid, one.started_at) for one in live.processes
                    ]
            case _:
                _check_snapshot(unpack(_DECODER.decode(framed, taken_at=7)))
    except ONLY_REASONS:
        return


def _check_snapshot(snapshot: Snapshot) -> None:
    assert snapshot.host
    for sighting in snapshot.sightings:
        _check_key(sighting.pid, sighting.started_at)
        _check_description(sighting.description)
        _check_numbers(sighting.numbers)
    for body in SnapshotEncoder().encode(snapshot, max_processes=ALL, max_bytes=ALL):
        once = _decoded(body)
        keys = [(one.pid, one.started_at) for one in snapshot.sightings]
        assert [(one.pid, one.started_at) for one in once.sightings] == keys
        assert once.host == snapshot.host
        # What our own agent writes is read as it was meant.
        assert _decoded(*SnapshotEncoder().encode(once, max_processes=ALL, max_bytes=ALL)) == once


def _decoded(body: bytes) -> Snapshot:
    return unpack(_DECODER.decode(Frame(MessageType.PROCESSES, body), taken_at=7))


def _check_key(pid: int, started_at: int) -> None:
    assert 0 <= pid <= MAX_UINT32
    assert 0 <= started_at <= MAX_UINT32


def _check_description(description: ProcessDescription) -> None:
    for name in description.__struct_fields__:
        value = getattr(description, name)
        for text in value if name == "tags" else [value]:
            if isinstance(text, str):
                assert "\0" not in text
                text.encode()
    assert list(description.tags) == sorted({tag.strip().lower() for tag in description.tags} - {""})


def _check_numbers(numbers: ProcessNumbers) -> None:
    assert numbers.state in (*"RSDTZXWU", "")
    for name in numbers.__struct_fields__:
        number = getattr(numbers, name)
        assert number is None or isinstance(number, str) or 0 <= number < 1e39, name


def _bytes(message: pb.Process) -> bytes:
    return message.SerializeToString(deterministic=True)
