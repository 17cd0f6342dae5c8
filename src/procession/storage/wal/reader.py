"""Reads segments: whole records in their order, and where that ends, whether a crash or damage ended it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from procession.storage.wal.damage import DamagedLog, NewerLog, readable
from procession.storage.wal.record import HEADER_BYTES, MAGIC, VERSION, Record, RecordHeader, parse_header
from procession.storage.wal.segment import (
    FORMAT_VERSION,
    SEGMENT_HEADER_BYTES,
    Extent,
    NewerFormat,
    SegmentHeader,
    first_sequence_of,
)

_BUFFER_BYTES = 2**20
_SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""


class _BrokenRecord(Exception):
    """Where the next record should be, there is none, or not all of it."""

    def __init__(self, offset: int, what: str, header: RecordHeader | None) -> None:
        super().__init__(offset)
        self.offset = offset
        self.what = what
        self.header = header


@dataclass(frozen=True, slots=True)
class Scan:
    """What one segment holds."""

    extent: Extent
    last_group_at: int
    """Where the group of its last record begins; its end where it has none. Whoever wrote that group may not have got
    to sync it."""
    tombstones: tuple[Record, ...]


class SegmentReader:
    """One file, from its beginning. Every error says where in the file it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with readable(path):
            self._file = path.open("rb", buffering=_BUFFER_BYTES)
        try:
            self.size = os.fstat(self._file.fileno()).st_size
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> SegmentReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def records(self, end: int) -> Iterator[Record]:
        """Up to `end`, which is that of a record; anything else is damage."""
        try:
            for header, payload, _ in self._walk(end):
                yield header.with_payload(payload)
        except _BrokenRecord as broken:
            raise DamagedLog(self.path, broken.offset, broken.what) from None

    def scan(self, end: int | None, tombstone_kind: int) -> Scan:
        """`end`: up to where it counts, if that is known. In the last segment it is not, and a crash may have torn what
        was being written."""
        sequence, done, group_at = self.header.first_sequence, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES
        tombstones = []
        try:
            for header, payload, after in self._walk(self.size if end is None else end):
                sequence, done, group_at = header.sequence + 1, after, header.group_at
                if header.kind == tombstone_kind:
                    tombstones.append(header.with_payload(payload))
        except _BrokenRecord as broken:
            if end is not None or not self._is_torn(broken):
                raise DamagedLog(self.path, broken.offset, broken.what) from None
        extent = Extent(self.path, self.header.first_sequence, sequence, done)
        return Scan(extent, group_at, tuple(tombstones))

    def _read_header(self) -> SegmentHeader:
        try:
            header = SegmentHeader.parse(self._read(SEGMENT_HEADER_BYTES))
        except NewerFormat as newer:
            raise NewerLog(self.path.parent, newer.version, FORMAT_VERSION) from None
        if header is None or header.first_sequence != first_sequence_of(self.path):
            raise DamagedLog(self.path, 0, "this is not the header of the segment")
        return header

    def _walk(self, end: int) -> Iterator[tuple[RecordHeader, bytes, int]]:
        """Each record with where it ends. Raises _BrokenRecord at the first that is not whole before `end`."""
        offset = SEGMENT_HEADER_BYTES
        sequence, group_at = self.header.first_sequence, offset
        salt = self.header.salt
        while offset < end:
            header = parse_header(self._read(min(HEADER_BYTES, end - offset)), salt=salt)
            if header is None:
                raise _BrokenRecord(offset, "there is no header of a record", None)
            if header.version > VERSION:
                raise NewerLog(self.path.parent, header.version, VERSION)
            if header.sequence != sequence or header.group_at not in (offset, group_at):
                raise DamagedLog(self.path, offset, f"record {header.sequence} stands where {sequence} should")
            payload = self._read(min(header.length, end - offset - HEADER_BYTES))
            if not header.fits(payload):
                raise _BrokenRecord(offset, f"the payload of record {sequence} is not what was written", header)
            offset += HEADER_BYTES + header.length
            yield header, payload, offset
            sequence, group_at = sequence + 1, header.group_at

    def _is_torn(self, broken: _BrokenRecord) -> bool:
        """Whether a crash in the middle of the last group can have left this.

        Of what was not synced, a disk may lack any sectors: those at the end, and others, which are zeros then. Nothing
        can be missing before a group that was begun later. And a record that is all there, with no sector of zeros,
        was changed by something else.
        """
        rest = self._rest(broken.offset)
        length = HEADER_BYTES + (broken.header.length if broken.header else 0)
        if self._has_later_group(rest, broken.offset, length if broken.header else 1):
            return False
        return len(rest) < length or _lacks_a_sector(rest, broken.offset, length)

    def _has_later_group(self, rest: bytes, begin: int, skipped: int) -> bool:
        """In `rest`, which begins at `begin`. What is skipped is inside of the record that is broken."""
        at = rest.find(MAGIC, skipped)
        while at >= 0:
            header = parse_header(rest[at : at + HEADER_BYTES], salt=self.header.salt)
            if header is not None and header.group_at > begin:
                return True
            at = rest.find(MAGIC, at + 1)
        return False

    def _rest(self, offset: int) -> bytes:
        with readable(self.path):
            self._file.seek(offset)
            return self._file.read()

    def _read(self, count: int) -> bytes:
        with readable(self.path):
            return self._file.read(count)


def _lacks_a_sector(rest: bytes, begin: int, length: int) -> bool:
    """Whether some sector is zeros as far as it reaches into `rest`, which begins at `begin`; of the first `length`."""
    at = 0
    while at < length:
        after = at + _SECTOR_BYTES - (begin + at) % _SECTOR_BYTES
        if not rest[at:after].strip(b"\0"):
            return True
        at = after
    return False
