"""The log of one data folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from procession.storage.wal.catalog import Catalog
from procession.storage.wal.damage import readable
from procession.storage.wal.disk import Disk
from procession.storage.wal.limits import LogLimits
from procession.storage.wal.reader import SegmentReader
from procession.storage.wal.record import ORG_REMOVED, Entry, Record
from procession.storage.wal.recovery import Recovered, recover
from procession.storage.wal.segment import Extent
from procession.storage.wal.writer import End, GroupWriter


@dataclass(frozen=True, slots=True)
class LogStatus:
    """For metrics. What is counted is counted since the log was opened."""

    segments: int
    size_bytes: int
    first_sequence: int
    """Of the oldest record that is still there."""
    last_sequence: int
    """Of the newest record that is safe on disk; one less than the first where there is none."""
    waiting_bytes: int
    appended: int
    refused: int
    syncs: int
    failures: int
    released_segments: int
    failure: str
    """Why the disk does not take anything now; empty where it does."""


class WriteAheadLog:
    """What was appended and acknowledged is there after any crash, until it is released.

    Any number of threads may call it. Who opens it holds the lock of the data folder.
    """

    def __init__(
        self, folder: Path, limits: LogLimits | None = None, *, taken: int = 0, disk: Disk | None = None
    ) -> None:
        """Reads all that is there once. Raises UsageError where it is damaged, of a newer version, or not to be used;
        a record that a crash has torn at the very end is left out.

        `taken`: the last sequence number that the store has taken, as far as it knows. Where the log does not reach
        that far, as when its folder was moved away, it goes on from there: no number is used twice.
        """
        self.folder = folder
        self._disk = disk or Disk()
        with readable(folder):
            if not folder.is_dir():
                folder.mkdir(mode=0o700)
                self._disk.sync_folder(folder.parent)
        found = recover(folder, self._disk)
        self._catalog = self._catalog_of(found, taken)
        self._orgs_lock = threading.Lock()
        self._removed_orgs = found.removed_orgs
        self._released_segments = 0
        self._writer = GroupWriter(folder, self._disk, self._catalog, limits or LogLimits())

    def append(self, entry: Entry) -> Future[int]:
        """See `GroupWriter.append`. Who appends in order has numbers in order."""
        if entry.kind == ORG_REMOVED:
            raise ValueError("a tombstone is written by remove_org")
        return self._writer.append(entry)

    def append_then(self, entry: Entry, end: End) -> None:
        """See `GroupWriter.append_then`."""
        if entry.kind == ORG_REMOVED:
            raise ValueError("a tombstone is written by remove_org")
        self._writer.append_then(entry, end)

    def remove_org(self, org_id: int, *, now: Callable[[], float] = time.time) -> int:
        """From now on `read` leaves out what this org had appended before, also after a start.

        A new segment begins after the tombstone, so all that the org left is removed from the disk by the first
        `release` up to `last_sequence`. Gives the number of the tombstone. Raises Unavailable as `append` does.
        """
        sequence = self._writer.append(Entry(org_id, ORG_REMOVED, int(now()), b"")).result()
        with self._orgs_lock:
            self._removed_orgs = self._removed_orgs | {org_id: sequence}
        return sequence

    def read(self, after: int = 0) -> Iterator[Record]:
        """What is safe on disk by now and has a greater sequence number, in order, tombstones too.

        Raises UsageError where a segment cannot be read, as `DamagedLog` where it was changed.
        """
        removed = self._removed_orgs
        for extent in self._catalog.extents():
            if extent.next_sequence <= after + 1:
                continue
            with SegmentReader(extent.path) as reader:
                for record in reader.records(extent.end):
                    is_removed = record.kind != ORG_REMOVED and record.sequence < removed.get(record.org_id, 0)
                    if record.sequence > after and not is_removed:
                        yield record

    def release(self, up_to_sequence: int) -> int:
        """Remove segments in which nothing comes later: the store has synced all of it. Gives how many were removed.

        The newest segment stays. What the disk does not remove is tried again by the next call.
        """
        count = 0
        while (extent := self._catalog.oldest_within(up_to_sequence)) is not None and self._remove(extent):
            count += 1
        return count

    def release_newest(self, up_to_sequence: int) -> bool:
        """Remove the newest segment too, where it is the last one, takes nothing more since a write to it has failed,
        and has nothing after this: on a full disk nothing else may have the space for the next one to begin in.

        From then on only the store knows the next sequence number, and has to say so (`taken`). Whether it was removed.
        """
        extent = self._catalog.last_within(up_to_sequence)
        # No segment with records is opened again once the writer has left it.
        return extent is not None and extent.path != self._writer.path and self._remove(extent)

    def _remove(self, extent: Extent) -> bool:
        """The oldest one; whether the disk did it."""
        try:
            self._disk.remove(extent.path)
            # One after the other: a gap in the middle would be damage.
            self._disk.sync_folder(self.folder)
        except OSError:
            return False
        self._catalog.forget(extent)
        self._released_segments += 1
        first = self._catalog.first_sequence
        with self._orgs_lock:
            self._removed_orgs = {org: sequence for org, sequence in self._removed_orgs.items() if sequence >= first}
        return True

    @property
    def is_out_of_space(self) -> bool:
        """Whether the last write failed since the disk is full."""
        return self._writer.is_out_of_space

    @property
    def last_sequence(self) -> int:
        return self._catalog.next_sequence - 1

    def status(self) -> LogStatus:
        counters = self._writer.counters
        return LogStatus(
            segments=len(self._catalog.extents()),
            size_bytes=self._catalog.size_bytes,
            first_sequence=self._catalog.first_sequence,
            last_sequence=self.last_sequence,
            waiting_bytes=self._writer.waiting_bytes,
            appended=counters.appended,
            refused=counters.refused,
            syncs=counters.syncs,
            failures=counters.failures,
            released_segments=self._released_segments,
            failure=self._writer.failure,
        )

    def close(self) -> None:
        """Writes what waits; what comes later is refused."""
        self._writer.close()

    def _catalog_of(self, found: Recovered, taken: int) -> Catalog:
        if not found.extents or found.extents[-1].next_sequence > taken:
            return Catalog(found.extents, next_sequence=taken + 1)
        with readable(self.folder):
            for extent in found.extents:
                self._disk.remove(extent.path)
                self._disk.sync_folder(self.folder)
        return Catalog((), next_sequence=taken + 1)
