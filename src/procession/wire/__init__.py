"""Bytes on the network <-> values."""

from procession.wire.answers import Answer, decode_answer, encode_answer
from procession.wire.containers import ContainerInfo
from procession.wire.encoder import SnapshotEncoder, encode_snapshot
from procession.wire.events import decode_events, encode_events
from procession.wire.frame import Encoding, Frame, FrameError, MessageType, decompress_zstd
from procession.wire.live_encoder import LiveEncoder
from procession.wire.messages import Limits, SnapshotDecoder
from procession.wire.real_time import decode_live, encode_live
from procession.wire.request_ids import RequestId
from procession.wire.scalars import encodable, host_of, normal_tags

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
    "decode_events",
    "decode_live",
    "decompress_zstd",
    "encodable",
    "encode_answer",
    "encode_events",
    "encode_live",
    "encode_snapshot",
    "host_of",
    "normal_tags",
]
