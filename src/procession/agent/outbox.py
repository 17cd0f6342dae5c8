"""What is to be sent, in order and within bounds: on disk where there is a spool, else in memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from procession.agent.payload import Payload
from procession.agent.spool import Entry, Spool


@dataclass(eq=False, slots=True)
class _Batch:
    """What is left of a snapshot and what goes with it."""

    size: int
    payloads: deque[Payload] | None
    """None while it is only on disk."""
    entry: Entry | None


class Outbox:
    """First in, first out. Beyond `max_bytes` the oldest snapshots go; the newest always stays."""

    def __init__(self, max_bytes: int, spool: Spool | None = None) -> None:
        self._max_bytes = max_bytes
        self._spool = spool
        self._batches = deque(_Batch(entry.size, None, entry) for entry in spool.entries()) if spool else deque()
        self._size = sum(batch.size for batch in self._batches)
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, payloads: Sequence[Payload]) -> int:
        """Add a snapshot, and say how many older ones had to go for it. By one thread.

        Raises OSError if it could not be written to disk; then it is kept in memory.
        """
        if not payloads:
            return 0
        batch = _Batch(sum(len(payload.body) for payload in payloads), deque(payloads), None)
        trouble: OSError | None = None
        if self._spool is not None:
            try:
                batch.entry = self._spool.write(payloads)
                batch.size = batch.entry.size
            except OSError as error:
                trouble = error
        with self._changed:
            if self._batches and batch.entry is not None:
                batch.payloads = None  # it has to wait, and need not do so in memory
            self._batches.append(batch)
            self._size += batch.size
            dropped = 0
            while self._size > self._max_bytes and len(self._batches) > 1:
                self._remove_first()
                dropped += 1
            self._dropped += dropped
            self._changed.notify_all()
        if trouble is not None:
            raise trouble
        return dropped

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
                self._remove_first()
                self._dropped += 1  # it was damaged
            return None

    def done(self, payload: Payload) -> None:
        """It was delivered or given up. Nothing happens if it had to go meanwhile."""
        with self._changed:
            batch = self._batches[0] if self._batches else None
            if batch is None or not batch.payloads or batch.payloads[0] is not payload:
                return
            batch.payloads.popleft()
            if batch.entry is None:
                batch.size -= len(payload.body)
                self._size -= len(payload.body)
            if not batch.payloads:
                self._remove_first()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def snapshots(self) -> int:
        """How many are kept, whole or in part."""
        with self._changed:
            return len(self._batches)

    @property
    def dropped(self) -> int:
        """How many snapshots had to go since the beginning."""
        with self._changed:
            return self._dropped

    def _remove_first(self) -> None:
        batch = self._batches.popleft()
        self._size -= batch.size
        if self._spool is not None and batch.entry is not None:
            self._spool.remove(batch.entry)
