"""What is to be sent to one server, in order and within bounds: on disk where there is a spool, else in memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from procession.agent.send.payload import Payload
from procession.agent.send.spool import Entry, Spool


@dataclass(eq=False, slots=True)
class _Batch:
    """What is left of a snapshot and what goes with it, or of what was sent live at one moment."""

    size: int
    payloads: deque[Payload] | None
    """None while it is only on disk."""
    entry: Entry | None
    is_live: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """What had to go since the beginning."""

    snapshots: int = 0
    live: int = 0
    """Moments whose live numbers were dropped."""

    def __str__(self) -> str:
        snapshots = f"{self.snapshots} snapshot" + ("" if self.snapshots == 1 else "s")
        moments = f"live numbers of {self.live} moment" + ("" if self.live == 1 else "s")
        return f"{snapshots} and {moments}" if self.live else snapshots


class Outbox:
    """First in, first out. Beyond `max_bytes` the oldest live data go, then the oldest snapshots; the newest snapshot
    always stays."""

    def __init__(self, max_bytes: int, spool: Spool | None = None) -> None:
        self._max_bytes = max_bytes
        self._spool = spool
        self._batches = deque(
            _Batch(entry.size, None, entry, entry.is_live) for entry in (spool.entries() if spool else ())
        )
        self._live = sum(batch.is_live for batch in self._batches)
        self._size = sum(batch.size for batch in self._batches)
        self._dropped = Dropped()
        self._damaged = 0
        self._closed = False
        self._changed = threading.Condition()
        self._drop_what_is_too_much()

    def put(self, payloads: Sequence[Payload], *, is_live: bool = False) -> None:
        """Add a snapshot, or what is sent live, and drop what is too much then. By one thread.

        Raises OSError if it could not be written to disk; then it is kept in memory.
        """
        if not payloads:
            return
        batch = _Batch(sum(len(payload.body) for payload in payloads), deque(payloads), None, is_live)
        trouble: OSError | None = None
        if self._spool is not None:
            try:
                batch.entry = self._spool.write(payloads, is_live=is_live)
                batch.size = batch.entry.size
            except OSError as error:
                trouble = error
        with self._changed:
            if self._batches and batch.entry is not None:
                batch.payloads = None  # it has to wait, and need not do so in memory
            self._batches.append(batch)
            self._live += is_live
            self._size += batch.size
            self._drop_what_is_too_much()
            self._changed.notify_all()
        if trouble is not None:
            raise trouble

    def first(self) -> Payload | None:
        """Wait for the payload whose turn it is, which stays until it is `done`. None once the outbox is closed."""
        with self._changed:
            while not self._closed:
                if not self._batches:
                    self._changed.wait()
                    continue
                batch = self._batches[0]
                if batch.payloads is None and self._spool is not None and batch.entry is not None:
                    batch.payloads = deque(self._spool.read(batch.entry))
                if batch.payloads:
                    return batch.payloads[0]
                self._damaged += 1
                self._drop(batch)
            return None

    def done(self, payload: Payload) -> None:
        """It was delivered, or will never be taken. Nothing happens if it had to go meanwhile."""
        with self._changed:
            batch = self._batch_of(payload)
            if batch is None or batch.payloads is None:
                return
            batch.payloads.popleft()
            if batch.entry is None:
                batch.size -= len(payload.body)
                self._size -= len(payload.body)
            if not batch.payloads:
                self._remove(batch)

    def replace(self, payload: Payload, others: Sequence[Payload]) -> None:
        """Others go in its place. What is on disk stays as it is. Nothing happens if it had to go meanwhile."""
        with self._changed:
            batch = self._batch_of(payload)
            if batch is None or batch.payloads is None:
                return
            batch.payloads.popleft()
            batch.payloads.extendleft(reversed(others))
            if batch.entry is None:
                more = sum(len(other.body) for other in others) - len(payload.body)
                batch.size += more
                self._size += more

    def give_up(self, payload: Payload) -> None:
        """Neither it nor what goes with it will be sent."""
        with self._changed:
            batch = self._batch_of(payload)
            if batch is not None:
                self._drop(batch)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def snapshots(self) -> int:
        """How many are kept, whole or in part, without what is live."""
        with self._changed:
            return len(self._batches) - self._live

    @property
    def is_empty(self) -> bool:
        return not self._batches  # without the lock, under which a batch is read from the disk

    @property
    def dropped(self) -> Dropped:
        with self._changed:
            return self._dropped

    @property
    def damaged(self) -> int:
        """How many of those that were dropped could no longer be read from the disk."""
        with self._changed:
            return self._damaged

    def _batch_of(self, payload: Payload) -> _Batch | None:
        batch = self._batches[0] if self._batches else None
        return batch if batch is not None and batch.payloads and batch.payloads[0] is payload else None

    def _drop_what_is_too_much(self) -> None:
        while self._size > self._max_bytes:
            if self._live:
                self._drop(next(batch for batch in self._batches if batch.is_live))
            elif len(self._batches) > 1:
                self._drop(self._batches[0])
            else:
                return

    def _drop(self, batch: _Batch) -> None:
        self._remove(batch)
        dropped = self._dropped
        self._dropped = Dropped(dropped.snapshots + (not batch.is_live), dropped.live + batch.is_live)

    def _remove(self, batch: _Batch) -> None:
        self._batches.remove(batch)
        self._live -= batch.is_live
        self._size -= batch.size
        if self._spool is not None and batch.entry is not None:
            self._spool.remove(batch.entry)
