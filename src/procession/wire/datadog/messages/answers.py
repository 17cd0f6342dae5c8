"""What the intake says to every payload, and with it to the agent: whether somebody is looking."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from procession.wire.datadog import frame
from procession.wire.datadog.frame import Encoding, FrameError, MessageType
from procession.wire.datadog.parsing import parse
from procession.wire.datadog.process_pb2 import ResCollector

REAL_TIME_SECONDS = 2
"""Agents take 0 for a change of their rhythm and start it anew with each answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    active_clients: int = 0
    """Above 0: somebody watches this host, send numbers every `interval_seconds`."""
    interval_seconds: int = REAL_TIME_SECONDS
    message: str = ""
    """An error, for the agent's log."""


@lru_cache(maxsize=64)
def encode_answer(answer: Answer) -> bytes:
    """The frame of it. Plain, since agents of all ages read that. Remembered, since nearly all answers are the same."""
    message = ResCollector(message=answer.message)
    # Agents read through the status without a look whether it is there; an empty one must be on the wire too.
    message.status.SetInParent()
    message.status.activeClients = answer.active_clients
    message.status.interval = answer.interval_seconds
    return frame.encode(MessageType.ANSWER, message.SerializeToString(), encoding=Encoding.PLAIN)


def decode_answer(data: bytes) -> Answer:
    """Raises FrameError for what no intake says."""
    answer = frame.decode(data, max_bytes=2**20)
    if answer.type is not MessageType.ANSWER or answer.encoding is Encoding.JSON:
        raise FrameError("The message is not an answer")
    message = parse(ResCollector, answer.body)
    text = message.message if isinstance(message.message, str) else "an error that is not text"
    return Answer(message.status.activeClients, message.status.interval or REAL_TIME_SECONDS, text)
