"""What is to be sent, in order, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Payload:
    """One message, ready to be posted."""

    body: bytes
    headers: dict[str, str]
    path: str = "/api/v1/collector"
    is_answered: bool = True
    """Whether a server that takes it answers in the wire's own way."""
    attempts: int = 0


@dataclass(eq=False, slots=True)
class _Batch:
    """What is left of a snapshot and what goes with it."""

    payloads: deque[Payload]
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(len(payload.body) for payload in self.payloads)


class Outbox:
    """First in, first out. Beyond `max_bytes` the oldest snapshots go; the newest always stays."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._batches: deque[_Batch] = deque()
        self._size = 0
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, payloads: Sequence[Payload]) -> int:
        """Add a snapshot, and say how many older ones had to go for it."""
        if not payloads:
            return 0
        with self._changed:
            batch = _Batch(deque(payloads))
            self._batches.append(batch)
            self._size += batch.size
            dropped = 0
            while self._size > self._max_bytes and len(self._batches) > 1:
                self._size -= self._batches.popleft().size
                dropped += 1
            self._dropped += dropped
            self._changed.notify_all()
            return dropped

    def first(self) -> Payload | None:
        """Wait for the payload whose turn it is, which stays until it is `done`. None once the outbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._batches or self._closed)
            return None if self._closed else self._batches[0].payloads[0]

    def done(self, payload: Payload) -> None:
        """It was delivered or given up. Nothing happens if it had to go meanwhile."""
        with self._changed:
            if not self._batches or self._batches[0].payloads[0] is not payload:
                return
            batch = self._batches[0]
            batch.payloads.popleft()
            batch.size -= len(payload.body)
            self._size -= len(payload.body)
            if not batch.payloads:
                self._batches.popleft()

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
