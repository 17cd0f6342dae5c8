"""Group commit: many threads append, one thread writes, and one sync covers all that came meanwhile."""

from __future__ import annotations

import contextlib
import errno
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from procession.errors import Unavailable
from procession.storage.wal.catalog import Catalog
from procession.storage.wal.disk import Disk
from procession.storage.wal.limits import LogLimits
from procession.storage.wal.record import ORG_REMOVED, Entry, header_of
from procession.storage.wal.segment import Extent, Segment

_WAITING_BYTES = 1800
"""What a record that waits takes in memory besides its own bytes."""

_OUT_OF_SPACE = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class _PendingRecord:
    entry: Entry
    acknowledged: Future[int]
    arrived_at: float


@dataclass(slots=True)
class WriterCounters:
    """Since the log was opened."""

    appended: int = 0
    refused: int = 0
    syncs: int = 0
    failures: int = 0
    """Of writes and syncs, each of which ended a segment or kept one from beginning."""


class GroupWriter:
    """The one thread that writes to a log."""

    def __init__(self, folder: Path, disk: Disk, catalog: Catalog, limits: LogLimits) -> None:
        self._folder = folder
        self._disk = disk
        self._catalog = catalog
        self._limits = limits
        self._changed = threading.Condition(threading.Lock())
        self._queue = deque[_PendingRecord]()
        self._queue_bytes = 0
        self._group: Sequence[_PendingRecord] = ()
        self._group_bytes = 0
        """What is being written, which is in memory as well."""
        self._is_closing = False
        self._next_sequence = catalog.next_sequence
        self._segment: Segment | None = None
        self._retry_at = 0.0
        self._failure = ""
        self.is_out_of_space = False
        """Whether the last write failed since the disk is full."""
        self.counters = WriterCounters()
        self._thread = threading.Thread(target=self._run, name="write-ahead-log", daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """In memory."""
        count = len(self._queue) + len(self._group)
        return self._queue_bytes + self._group_bytes + _WAITING_BYTES * count

    @property
    def failure(self) -> str:
        """Why the last write failed; empty once one has succeeded."""
        return self._failure

    @property
    def path(self) -> Path | None:
        """Of the segment that is written to, if any. It is in the catalog no sooner than here."""
        segment = self._segment
        return None if segment is None else segment.path

    def append(self, entry: Entry) -> Future[int]:
        """Resolves to the sequence number once the record is safe on disk, in the order of these numbers and on the
        thread that writes; to Unavailable where the disk did not take it. Cancelled in time, it is not written.

        Raises Unavailable where too much waits, or the log is full.
        """
        waiting = _PendingRecord(entry, Future(), time.monotonic())
        with self._changed:
            if self._is_closing:
                raise Unavailable("The server is stopping")
            self._check_space(entry.size)
            self._queue.append(waiting)
            self._queue_bytes += entry.size
            if len(self._queue) == 1 or self._queue_bytes >= self._limits.group_bytes:
                self._changed.notify()
        return waiting.acknowledged

    def close(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()

    def _check_space(self, size: int) -> None:
        if self._queue and self.waiting_bytes + size + _WAITING_BYTES > self._limits.waiting_bytes:
            self.counters.refused += 1
            raise Unavailable("The write-ahead log does not get to write what it has; try again")
        if self._catalog.size_bytes + self._queue_bytes + self._group_bytes + size > self._limits.total_bytes:
            self.counters.refused += 1
            raise Unavailable("The write-ahead log is full: the store has not taken out of it for long; try again")

    def _run(self) -> None:
        while self._wait():
            self._take()
            if self._group:
                self._write(self._group)
                self._group, self._group_bytes = (), 0
        if self._segment is not None:
            self._segment.close()

    def _wait(self) -> bool:
        """Until there is a group to write; False at the end."""
        with self._changed:
            while not self._queue:
                if self._is_closing:
                    return False
                self._changed.wait()
            until = self._queue[0].arrived_at + self._limits.gather_seconds
            while not self._is_closing and self._queue_bytes < self._limits.group_bytes:
                seconds = until - time.monotonic()
                if seconds <= 0:
                    break
                self._changed.wait(seconds)
            return True

    def _take(self) -> None:
        """The next group; those who gave up waiting are left out."""
        group = list[_PendingRecord]()
        with self._changed:
            while self._queue:
                size = self._queue[0].entry.size
                if group and self._group_bytes + size > self._limits.group_bytes:
                    break
                waiting = self._queue.popleft()
                self._queue_bytes -= size
                if waiting.acknowledged.set_running_or_notify_cancel():
                    self._group_bytes += size
                    group.append(waiting)
            self._group = group

    def _write(self, group: Sequence[_PendingRecord]) -> None:
        first = self._next_sequence
        try:
            self._store([waiting.entry for waiting in group])
        except OSError as error:
            self._fail(group, Unavailable(f"The write-ahead log cannot be written: {_reason(error)}"))
        except Unavailable as error:
            self._fail(group, error)
        except Exception as error:  # whoever waits must be told, and the next group may do better
            self._fail(group, error)
        else:
            self._failure, self.is_out_of_space = "", False
            self.counters.appended += len(group)
            for sequence, waiting in enumerate(group, first):
                waiting.acknowledged.set_result(sequence)

    def _store(self, entries: Sequence[Entry]) -> None:
        """All of them are safe on disk, or none of them counts."""
        segment = self._segment_for(sum(entry.size for entry in entries))
        data = self._encode(entries, segment)
        try:
            segment.append(data)
        except BaseException as error:
            self._give_up(error)
            raise
        self.counters.syncs += 1
        self._next_sequence += len(entries)
        self._catalog.grow(next_sequence=self._next_sequence, end=segment.end)
        if any(entry.kind == ORG_REMOVED for entry in entries):
            self._part_with(segment)

    def _encode(self, entries: Sequence[Entry], segment: Segment) -> bytes:
        parts = list[bytes]()
        for sequence, entry in enumerate(entries, self._next_sequence):
            parts.append(header_of(entry, sequence, group_at=segment.end, salt=segment.salt))
            parts.append(entry.payload)
        return b"".join(parts)

    def _segment_for(self, size: int) -> Segment:
        """That has space for so many bytes, or else is empty."""
        if self._segment is not None:
            is_empty = self._segment.first_sequence == self._next_sequence
            if is_empty or self._segment.end + size <= self._limits.segment_bytes:
                return self._segment
            self._segment.close()
            self._segment = None
        if time.monotonic() < self._retry_at:
            raise Unavailable(f"The write-ahead log cannot be written: {self._failure}")
        return self._begin()

    def _begin(self) -> Segment:
        first = self._next_sequence
        previous = self._catalog.before(first)
        try:
            segment = Segment.begin(self._disk, self._folder, first_sequence=first, previous=previous)
        except BaseException as error:
            self._give_up(error)
            raise
        self._segment = segment
        self._catalog.begin(Extent(segment.path, segment.first_sequence, segment.first_sequence, segment.end))
        return segment

    def _part_with(self, segment: Segment) -> None:
        """Begin another one at once, so that what an org left can be removed though nobody posts any more."""
        segment.close()
        self._segment = None
        with contextlib.suppress(OSError):  # the next group tries again
            self._begin()

    def _give_up(self, error: BaseException) -> None:
        """Nothing is tried again on the same file. Where not even the first group of a segment can be written, the disk
        is left alone for a moment."""
        self.counters.failures += 1
        self._failure = _reason(error)
        self.is_out_of_space = isinstance(error, OSError) and error.errno in _OUT_OF_SPACE
        segment, self._segment = self._segment, None
        if segment is None or segment.first_sequence == self._next_sequence:
            self._retry_at = time.monotonic() + self._limits.retry_seconds
        if segment is not None:
            segment.abandon()

    def _fail(self, group: Sequence[_PendingRecord], error: Exception) -> None:
        self.counters.refused += len(group)
        for waiting in group:
            waiting.acknowledged.set_exception(error)


def _reason(error: BaseException) -> str:
    return ((isinstance(error, OSError) and error.strerror) or str(error)).lower()
