"""A record as bytes: a header of 44 bytes, then the payload as it came.

    magic 3, version 1, kind 1, zeros 3, length 4, sequence 8, org id 4, group 4, received at 8,
    CRC-32 of the payload 4, CRC-32 of this header 4; all little-endian

*group* is where the group of the record begins in its segment: all that one sync covers. The next group was written
only after that sync, so a record proves that everything before its group was safe on disk. The CRC of the header begins
with the salt of the segment, which nobody else knows: no payload can hold what looks like a record.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

import msgspec

VERSION: Final = 1
"""A later one keeps the size of the header, and the places of magic, version and both CRCs."""

MAGIC: Final = b"\xf0WR"
HEADER_BYTES: Final = 44
MAX_KIND: Final = 255
MAX_PAYLOAD_BYTES: Final = 2**31
MAX_ORG_ID: Final = 2**32 - 1

ORG_REMOVED: Final = 0
"""The kind of a tombstone: no record of this org before it counts any more. Other kinds mean what their writer says."""

_FIELDS = struct.Struct("<3sBB3xIQIIqI")
_CRC = struct.Struct("<I")


class Entry(msgspec.Struct, frozen=True):
    """What is to be kept."""

    org_id: int
    kind: int
    received_at: int
    """A moment."""
    payload: bytes

    def __post_init__(self) -> None:
        """What does not fit into a header is a mistake of the caller."""
        if not (0 <= self.org_id <= MAX_ORG_ID and 0 <= self.kind <= MAX_KIND):
            raise ValueError(f"no record has org id {self.org_id} and kind {self.kind}")
        if len(self.payload) > MAX_PAYLOAD_BYTES or not -(2**63) <= self.received_at < 2**63:
            raise ValueError(f"no record has {len(self.payload)} bytes, received at {self.received_at}")

    @property
    def size(self) -> int:
        """In a segment."""
        return HEADER_BYTES + len(self.payload)


@dataclass(frozen=True, slots=True)
class Record:
    """What was kept. Sequence numbers of a log begin at 1 and have no gaps."""

    sequence: int
    org_id: int
    kind: int
    received_at: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class RecordHeader:
    version: int
    kind: int
    length: int
    sequence: int
    org_id: int
    group_at: int
    received_at: int
    payload_crc: int

    def fits(self, payload: bytes) -> bool:
        return len(payload) == self.length and zlib.crc32(payload) == self.payload_crc

    def with_payload(self, payload: bytes) -> Record:
        return Record(self.sequence, self.org_id, self.kind, self.received_at, payload)


def header_of(entry: Entry, sequence: int, *, group_at: int, salt: int) -> bytes:
    """What stands before the payload."""
    fields = _FIELDS.pack(
        MAGIC,
        VERSION,
        entry.kind,
        len(entry.payload),
        sequence,
        entry.org_id,
        group_at,
        entry.received_at,
        zlib.crc32(entry.payload),
    )
    return fields + _CRC.pack(zlib.crc32(fields, salt))


def parse_header(data: bytes, *, salt: int) -> RecordHeader | None:
    """None where these are no header, or not all of one."""
    if len(data) != HEADER_BYTES:
        return None
    fields = data[: _FIELDS.size]
    if zlib.crc32(fields, salt) != _CRC.unpack_from(data, _FIELDS.size)[0]:
        return None
    magic, *values = _FIELDS.unpack(fields)
    return RecordHeader(*values) if magic == MAGIC else None
