"""The number that names a payload: the header `X-DD-Request-ID`.

64 bits: 22 of whole seconds since the month began, 28 of a hash of host and agent, 14 of the message's place in its
snapshot, from 0. It stays the same when a payload is sent again, and begins anew each month, so that it names a payload
only together with host and moment.
"""

from __future__ import annotations

import calendar
import time
from dataclasses import dataclass

from procession.process import MAX_UINT64

_INDEX_BITS = 14
_SENDER_BITS = 28
_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193

MAX_CHUNKS = 1 << _INDEX_BITS


@dataclass(frozen=True, slots=True)
class RequestId:
    second_of_month: int
    sender: int
    """Stands for the host and the agent's process on it."""
    index: int
    """Which chunk of its snapshot it is."""

    @classmethod
    def of(cls, host: str, agent_pid: int, taken_at: int, index: int) -> RequestId:
        """Months are those of UTC: agents take their own zone, which nobody needs to know to compare two numbers."""
        year, month, *_ = time.gmtime(taken_at)
        begin = calendar.timegm((year, month, 1, 0, 0, 0))
        sender = _fnv1(f"{host}{agent_pid}".encode("utf-8", "surrogateescape")) & (1 << _SENDER_BITS) - 1
        return cls(taken_at - begin, sender, index % MAX_CHUNKS)

    def pack(self) -> int:
        return (self.second_of_month << _SENDER_BITS | self.sender) << _INDEX_BITS | self.index

    @classmethod
    def unpack(cls, number: int) -> RequestId:
        number &= MAX_UINT64
        rest = number >> _INDEX_BITS
        return cls(rest >> _SENDER_BITS, rest & (1 << _SENDER_BITS) - 1, number & MAX_CHUNKS - 1)


def _fnv1(data: bytes) -> int:
    value = _FNV_OFFSET
    for byte in data:
        value = value * _FNV_PRIME & 0xFFFFFFFF ^ byte
    return value
