"""What processes use while somebody watches: CollectorRealTime <-> LiveSnapshot."""

from __future__ import annotations

from procession.process import LiveNumbers, LiveSnapshot
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.frame import Frame, FrameError, MessageType
from procession.wire.datadog.messages.numbers import decode_numbers, encode_numbers, encode_state
from procession.wire.datadog.messages.snapshot_decoder import DEFAULT_LIMITS, Limits
from procession.wire.datadog.parsing import parse_in_parts, protobuf_of
from procession.wire.datadog.request_ids import MAX_CHUNKS
from procession.wire.datadog.scalars import clamped_uint32, host_of, signed_int32

_STATS = pb.ReadCollectorRealTime.STATS_FIELD_NUMBER


def decode_live(frame: Frame, *, taken_at: int, request_id: int = 0, limits: Limits = DEFAULT_LIMITS) -> LiveSnapshot:
    """Raises FrameError for what is damaged or no CollectorRealTime, PayloadTooLarge beyond the limits."""
    if frame.type is not MessageType.REAL_TIME:
        raise FrameError(f"The message has type {frame.type}, not {MessageType.REAL_TIME}")
    message, stats = parse_in_parts(
        pb.ReadCollectorRealTime,
        pb.ReadProcessStat,
        protobuf_of(pb.CollectorRealTime, frame),
        _STATS,
        {_STATS: limits.processes},
        limits.process_bytes,
    )
    processes: dict[tuple[int, int], LiveNumbers] = {}
    for stat in stats:
        pid, started_at = clamped_uint32(stat.pid), clamped_uint32(stat.createTime // 1000)
        processes[pid, started_at] = LiveNumbers(pid, started_at, decode_numbers(stat, stat.processState))
    return LiveSnapshot(
        host=host_of(message.hostName),
        taken_at=taken_at,
        processes=tuple(processes.values()),
        request_id=request_id,
        split_id=message.groupId,
        chunk_count=min(max(message.groupSize, 0), MAX_CHUNKS),
    )


def encode_stat(process: LiveNumbers) -> pb.ProcessStat:
    stat = pb.ProcessStat(pid=signed_int32(process.pid), createTime=process.started_at * 1000)
    encode_numbers(process.numbers, stat)
    stat.threads = stat.cpu.numThreads
    stat.processState, stat.stateLetter = encode_state(process.numbers.state)
    return stat
