"""What a log holds when its folder is opened, made safe on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path

from procession.storage.wal.damage import DamagedLog, readable
from procession.storage.wal.disk import Disk
from procession.storage.wal.reader import Scan, SegmentReader
from procession.storage.wal.record import ORG_REMOVED
from procession.storage.wal.segment import Extent, first_sequence_of, segments_in, unfinished_in


@dataclass(frozen=True, slots=True)
class Recovered:
    extents: tuple[Extent, ...]
    """The oldest first. Only the last one may have no records."""
    removed_orgs: dict[int, int]
    """Org -> sequence number of its newest tombstone."""


def recover(folder: Path, disk: Disk) -> Recovered:
    """Reads all of it once. Raises UsageError: for what is damaged, of a newer version, or cannot be read or mended."""
    with readable(folder):
        paths = segments_in(folder)
    scans = list(_scans(paths))
    for before, after in pairwise(scan.extent for scan in scans):
        if before.next_sequence != after.first_sequence:
            what = f"the records from {before.next_sequence} to {after.first_sequence - 1} are missing before it"
            raise DamagedLog(after.path, 0, what)
    with readable(folder):
        for path in unfinished_in(folder):
            disk.remove(path)
        if scans:
            _settle(disk, scans[-1])
    tombstones = [record for scan in scans for record in scan.tombstones]
    return Recovered(tuple(scan.extent for scan in scans), {record.org_id: record.sequence for record in tombstones})


def _scans(paths: list[Path]) -> Iterator[Scan]:
    """Each segment up to where the next one says that it ends."""
    for path, following in zip_longest(paths, paths[1:]):
        end = None
        if following is not None:
            with SegmentReader(following) as reader:
                if reader.header.previous_sequence != first_sequence_of(path):
                    what = f"the segment from record {reader.header.previous_sequence} on is missing before it"
                    raise DamagedLog(following, 0, what)
                end = reader.header.previous_end
        with SegmentReader(path) as reader:
            yield reader.scan(end, ORG_REMOVED)


def _settle(disk: Disk, scan: Scan) -> None:
    """Make the last group safe, which is read from memory and may never have reached the disk.

    It is written again, over itself: where a sync has failed before, the kernel takes for written what it has not
    written, and another sync alone would do nothing.
    """
    extent = scan.extent
    if scan.last_group_at >= extent.end or extent.next_sequence == extent.first_sequence:
        return
    with extent.path.open("rb") as source:
        source.seek(scan.last_group_at)
        data = source.read(extent.end - scan.last_group_at)
    file = disk.open(extent.path)
    try:
        disk.write(file, data, scan.last_group_at)
        disk.sync(file)
    finally:
        disk.close(file)
