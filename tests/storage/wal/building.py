"""Logs for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from procession.storage.wal import Entry, LogLimits, WriteAheadLog
from procession.storage.wal.disk import Disk
from procession.storage.wal.record import header_of
from procession.storage.wal.segment import Extent, Segment

SMALL = LogLimits(segment_bytes=4000, total_bytes=2**20, retry_seconds=0)


def an_entry(payload: bytes = b"payload", *, org_id: int = 1, kind: int = 1) -> Entry:
    return Entry(org_id, kind, 1_700_000_000, payload)


@contextmanager
def opened(
    folder: Path, limits: LogLimits = SMALL, *, taken: int = 0, disk: Disk | None = None
) -> Iterator[WriteAheadLog]:
    log = WriteAheadLog(folder, limits, taken=taken, disk=disk)
    try:
        yield log
    finally:
        log.close()


def append(log: WriteAheadLog, *payloads: bytes, org_id: int = 1) -> list[int]:
    """One after the other, so each in a group of its own."""
    return [log.append(an_entry(payload, org_id=org_id)).result(60) for payload in payloads]


def payloads_in(folder: Path) -> list[bytes]:
    with opened(folder) as log:
        return payloads_of(log)


def payloads_of(log: WriteAheadLog, after: int = 0) -> list[bytes]:
    return [record.payload for record in log.read(after)]


def a_segment(folder: Path, groups: Sequence[Sequence[bytes]], *, previous: Extent | None = None) -> Extent:
    """A file with these groups of payloads, each of them synced."""
    first = sequence = previous.next_sequence if previous else 1
    segment = Segment.begin(Disk(), folder, first_sequence=first, previous=previous)
    for group in groups:
        data = b""
        for payload in group:
            data += header_of(an_entry(payload), sequence, group_at=segment.end, salt=segment.salt) + payload
            sequence += 1
        segment.append(data)
    segment.close()
    return Extent(segment.path, first, sequence, segment.end)
