"""Group commit: many threads append, one thread writes, and one sync covers all that came meanwhile."""

from __future__ import annotations

import contextlib
import errno
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import msgspec

from procession.errors import Unavailable
from procession.storage.wal.catalog import Catalog
from procession.storage.wal.disk import Disk
from procession.storage.wal.group_pace import GroupPace
from procession.storage.wal.limits import LogLimits
from procession.storage.wal.record import ORG_REMOVED, Entry, header_of
from procession.storage.wal.segment import Extent, Segment

_WAITING_BYTES = 1800
"""What a record that waits takes in memory besides its own bytes."""

_OUT_OF_SPACE = (errno.ENOSPC, errno.EDQUOT)

_log = logging.getLogger(__name__)

End = Callable[[int, Exception | None], None]
"""Told once, on the thread that writes: the sequence number, or what went wrong."""


class _PendingRecord(msgspec.Struct, frozen=True):
    entry: Entry
    end: End
    acknowledged: Future[int] | None
    """Of who may give up waiting."""
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
        self._lock = threading.Lock()
        self._wakes = queue.SimpleQueue[None]()
        """Wakes the thread: it costs a fraction of what a condition does."""
        self._pace = GroupPace()
        self._is_resting = False
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
        acknowledged: Future[int] = Future()

        def end(sequence: int, error: Exception | None) -> None:
            if error is None:
                acknowledged.set_result(sequence)
            else:
                acknowledged.set_exception(error)

        self._append(_PendingRecord(entry, end, acknowledged, time.monotonic()))
        return acknowledged

    def append_then(self, entry: Entry, end: End) -> None:
        """The same for who wants to be told, and does not give up. Raises as `append`."""
        self._append(_PendingRecord(entry, end, None, time.monotonic()))

    def close(self) -> None:
        """Write what waits, and end."""
        with self._lock:
            self._is_closing = True
            self._wakes.put(None)
        self._thread.join()

    def _append(self, waiting: _PendingRecord) -> None:
        size = waiting.entry.size
        with self._lock:
            if self._is_closing:
                raise Unavailable("The server is stopping")
            self._check_space(size)
            self._queue.append(waiting)
            self._queue_bytes += size
            is_first = len(self._queue) == 1 and not self._is_resting
            if is_first or self._queue_bytes >= self._limits.group_bytes:
                self._wakes.put(None)

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
                seconds = self._pace.rest_after(len(self._group))
                self._group, self._group_bytes = (), 0
                if seconds:
                    self._rest(seconds)
        if self._segment is not None:
            self._segment.close()

    def _wait(self) -> bool:
        """Until there is a group to write; False at the end."""
        while not self._queue:
            if self._is_closing and not self._queue:  # what came before the end is written
                return False
            self._wakes.get()
        self._gather(self._queue[0].arrived_at + self._limits.gather_seconds)
        return True

    def _rest(self, seconds: float) -> None:
        """Let records gather, without being woken by the first of them."""
        self._is_resting = True
        self._gather(time.monotonic() + seconds)
        self._is_resting = False

    def _gather(self, until: float) -> None:
        """Wait, unless there is enough for a group."""
        while not self._is_closing and self._queue_bytes < self._limits.group_bytes:
            seconds = until - time.monotonic()
            if seconds <= 0:
                break
            with contextlib.suppress(queue.Empty):
                self._wakes.get(timeout=seconds)

    def _take(self) -> None:
        """The next group; those who gave up waiting are left out."""
        group = list[_PendingRecord]()
        with self._lock:
            while self._queue:
                size = self._queue[0].entry.size
                if group and self._group_bytes + size > self._limits.group_bytes:
                    break
                waiting = self._queue.popleft()
                self._queue_bytes -= size
                acknowledged = waiting.acknowledged
                if acknowledged is None or acknowledged.set_running_or_notify_cancel():
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
                _tell(waiting, sequence)

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
            _tell(waiting, 0, error)


def _tell(waiting: _PendingRecord, sequence: int, error: Exception | None = None) -> None:
    try:
        waiting.end(sequence, error)
    except Exception:  # the thread has to go on
        _log.exception("whoever appended record %d cannot be told", sequence)


def _reason(error: BaseException) -> str:
    return ((isinstance(error, OSError) and error.strerror) or str(error)).lower()
