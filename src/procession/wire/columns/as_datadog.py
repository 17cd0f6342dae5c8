"""A whole frame -> the messages of Datadog's format, for a server that does not take columns after all."""

from __future__ import annotations

from collections.abc import Iterator

from procession.packed import ROW, STATES, numbers_from
from procession.process import MAX_UINT32
from procession.text.characters import text
from procession.wire.columns import layout
from procession.wire.columns.layout import BodyLimits
from procession.wire.columns.rows import ROW_BYTES, in_rows
from procession.wire.datadog import FrameError
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.numbers import decode_nice, encode_numbers, encode_state
from procession.wire.datadog.messages.snapshot_encoder import CHUNK_BYTES
from procession.wire.datadog.parsing import parse
from procession.wire.datadog.scalars import signed_int32

MAX_BYTES = 2**30
"""Of a frame that this agent has written itself."""

_LIMITS = BodyLimits(MAX_UINT32, MAX_UINT32, MAX_BYTES)


def as_datadog(data: bytes, *, max_processes: int) -> list[bytes]:
    """The bodies of the messages that carry the snapshot of a whole frame, in their order. Raises FrameError."""
    head = layout.decode_head(data)
    if head.follows:
        raise FrameError("The message is not whole")
    body = layout.parse_body(layout.decode_body(data, MAX_BYTES), _LIMITS)
    rows = in_rows(body.rows)
    processes = [
        _process(pid, started_at, rows[place * ROW_BYTES : (place + 1) * ROW_BYTES], description)
        for place, (pid, started_at, description) in enumerate(
            zip(body.pids, body.starts, body.descriptions, strict=True)
        )
    ]
    containers = {one.id: one for one in (parse(pb.Container, container) for container in body.containers)}
    chunks = list(_chunks(processes, max_processes))
    messages = []
    for chunk in chunks or [[]]:
        message = pb.CollectorProc(
            hostName=text(body.host), groupId=head.split_id, groupSize=max(1, len(chunks)), processes=chunk
        )
        used = sorted({process.containerId for process in chunk} & containers.keys())
        message.containers.extend(containers[one] for one in used)
        messages.append(message.SerializeToString())
    return messages


def _process(pid: int, started_at: int, row: bytes, description: bytes) -> pb.Process:
    process = parse(pb.Process, description)
    process.pid, process.createTime = signed_int32(pid), started_at * 1000
    *values, state = ROW.unpack(row)
    numbers = numbers_from(values, state)
    encode_numbers(numbers, process, decode_nice(process.cpu.nice))
    process.state, process.stateLetter = encode_state(STATES[state])
    return process


def _chunks(processes: list[pb.Process], max_processes: int) -> Iterator[list[pb.Process]]:
    chunk: list[pb.Process] = []
    room = CHUNK_BYTES
    for process in processes:
        size = process.ByteSize()
        if chunk and (len(chunk) == max_processes or size > room):
            yield chunk
            chunk, room = [], CHUNK_BYTES
        chunk.append(process)
        room -= size
    if chunk:
        yield chunk
