"""Bytes on the network <-> values."""

from procession.wire.datadog.frame import Encoding, Frame, FrameError, MessageType, decompress_zstd
from procession.wire.datadog.messages.answers import Answer, decode_answer, encode_answer
from procession.wire.datadog.messages.container_snapshots import (
    decode_container_stats,
    decode_containers,
    decode_containers_of_processes,
)
from procession.wire.datadog.messages.containers import ContainerInfo, encode_containers
from procession.wire.datadog.messages.events import decode_events, encode_events
from procession.wire.datadog.messages.real_time import decode_live
from procession.wire.datadog.messages.real_time_encoder import LiveEncoder
from procession.wire.datadog.messages.snapshot_decoder import Limits, SnapshotDecoder
from procession.wire.datadog.messages.snapshot_encoder import SnapshotEncoder
from procession.wire.datadog.request_ids import RequestId
from procession.wire.datadog.scalars import host_of

__all__ = [
    "Answer",
    "ContainerInfo",
    "Encoding",
    "Frame",
    "FrameError",
    "Limits",
    "LiveEncoder",
    "MessageType",
    "RequestId",
    "SnapshotDecoder",
    "SnapshotEncoder",
    "decode_answer",
    "decode_container_stats",
    "decode_containers",
    "decode_containers_of_processes",
    "decode_events",
    "decode_live",
    "decompress_zstd",
    "encode_answer",
    "encode_containers",
    "encode_events",
    "host_of",
]
