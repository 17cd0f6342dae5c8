"""Bytes on the network <-> values."""

from procession.wire.answers import Answer, decode_answer, encode_answer
from procession.wire.frame import Encoding, Frame, FrameError, MessageType
from procession.wire.messages import SnapshotDecoder, encode_snapshot
from procession.wire.request_ids import RequestId

__all__ = [
    "Answer",
    "Encoding",
    "Frame",
    "FrameError",
    "MessageType",
    "RequestId",
    "SnapshotDecoder",
    "decode_answer",
    "encode_answer",
    "encode_snapshot",
]
