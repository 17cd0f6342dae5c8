"""What is added to the store: measured, and a line of the log when the store fails, is slow, and is well again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from procession.errors import Unavailable
from procession.packed import AnySnapshot, size_of
from procession.server.runtime.metrics import Metrics, Sink
from procession.server.runtime.throttled_log import ThrottledLog
from procession.storage import ContainerStore, NotAllStored, ProcessStore, ReadStore

SLOW_SECONDS = 5.0
"""For one batch: its agents wait so long for their answer."""

_log = logging.getLogger(__name__)


class _Failures:
    """Says in the log when what is added begins to fail, and when it works again. For several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._throttled_log = ThrottledLog(_log, 1, clock)
        self._lock = threading.Lock()
        self._failed_at: float | None = None
        self._failed = 0

    def note(self, error: Exception, sightings: int) -> None:
        with self._lock:
            self._failed += 1
            if self._failed_at is None:
                self._failed_at = self._clock()
            chunks_lost = len(error.failed_indexes) if isinstance(error, NotAllStored) else None
            self._throttled_log.log(
                logging.WARNING,
                "batch-failed",
                "a batch of %(sightings)d sightings was not stored, and its agents are told to try again: %(reason)s",
                {
                    "sightings": sightings,
                    "reason": str(error) if isinstance(error, Unavailable) else type(error).__name__,
                    "chunks_lost": chunks_lost,
                },
            )

    def note_success(self) -> None:
        if self._failed_at is None:
            return
        with self._lock:
            if self._failed_at is not None:
                _log.warning(
                    "the store takes batches again, after %(seconds).1f s in which %(batches)d failed",
                    {"event": "store-back", "seconds": self._clock() - self._failed_at, "batches": self._failed},
                )
                self._failed_at, self._failed = None, 0


class _Seconds:
    """Measures how long batches take, and says in the log which take long."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._throttled_log = ThrottledLog(_log, 1, clock)

    def note(self, seconds: float, sightings: int) -> None:
        self._metrics.store_seconds.observe(seconds)
        self._metrics.batch_sightings.observe(sightings)
        if seconds >= SLOW_SECONDS:
            self._throttled_log.log(
                logging.WARNING,
                "store-slow",
                "the store took %(seconds).1f s for a batch of %(sightings)d sightings",
                {"seconds": seconds, "sightings": sightings},
            )


class TimedStore:
    """For several threads."""

    def __init__(self, store: ProcessStore, metrics: Metrics, clock: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._clock = clock
        self._seconds = _Seconds(metrics, clock)
        self._failures = _Failures(clock)
        self.find = store.find

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        size = sum(size_of(snapshot) for _, snapshot in snapshots)
        begin = self._clock()
        try:
            self._store.add(snapshots)
        except Exception as error:
            self._failures.note(error, size)
            raise
        self._seconds.note(self._clock() - begin, size)
        self._failures.note_success()


class TimedFlush:
    """What is flushed, measured. Who flushes says itself in the log what fails."""

    def __init__(
        self,
        store: ReadStore,
        containers: ContainerStore,
        metrics: Metrics,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._store = store
        self._clock = clock
        self._seconds = _Seconds(metrics, clock)
        self.add_containers = containers.add
        self.add_exits = store.add_exits
        self.add_live = store.add_live

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        begin = self._clock()
        self._store.add(snapshots)
        self._seconds.note(self._clock() - begin, sum(size_of(snapshot) for _, snapshot in snapshots))


class WatchedSink:
    """A sink that says in the log when it fails, and when it is well again."""

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.perf_counter) -> None:
        self._sink = sink
        self._failures = _Failures(clock)

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        try:
            await self._sink.add(org_id, snapshot)
        except Exception as error:
            self._failures.note(error, size_of(snapshot))
            raise
        self._failures.note_success()
