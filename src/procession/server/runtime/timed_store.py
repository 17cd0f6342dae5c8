"""What is added to the store: measured, and a line of the log when the store fails, is slow, and is well again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from procession.errors import Unavailable
from procession.packed import AnySnapshot
from procession.server.runtime.metrics import Metrics
from procession.server.runtime.throttled_log import ThrottledLog
from procession.storage import NotAllStored, ProcessStore

SLOW_SECONDS = 5.0
"""For one batch: its agents wait so long for their answer."""

_log = logging.getLogger(__name__)


class TimedStore:
    """For several threads."""

    def __init__(self, store: ProcessStore, metrics: Metrics, clock: Callable[[], float] = time.perf_counter) -> None:
        self._metrics = metrics
        self._store = store
        self._clock = clock
        self._throttled_log = ThrottledLog(_log, 1, clock)
        self._lock = threading.Lock()
        self._failed_at: float | None = None
        self._failed = 0
        self.find = store.find

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        size = sum(len(snapshot.sightings) for _, snapshot in snapshots)
        begin = self._clock()
        try:
            self._store.add(snapshots)
        except Exception as error:
            with self._lock:
                self._note_failure(error, size)
            raise
        seconds = self._clock() - begin
        self._metrics.store_seconds.observe(seconds)
        self._metrics.batch_sightings.observe(size)
        with self._lock:
            self._note_success(seconds, size)

    def _note_failure(self, error: Exception, size: int) -> None:
        self._failed += 1
        if self._failed_at is None:
            self._failed_at = self._clock()
        chunks_lost = len(error.failed_indexes) if isinstance(error, NotAllStored) else None
        self._throttled_log.log(
            logging.WARNING,
            "batch-failed",
            "a batch of %(sightings)d sightings was not stored, and its agents are told to try again: %(reason)s",
            {
                "sightings": size,
                "reason": str(error) if isinstance(error, Unavailable) else type(error).__name__,
                "chunks_lost": chunks_lost,
            },
        )

    def _note_success(self, seconds: float, size: int) -> None:
        if self._failed_at is not None:
            _log.warning(
                "the store takes batches again, after %(seconds).1f s in which %(batches)d failed",
                {"event": "store-back", "seconds": self._clock() - self._failed_at, "batches": self._failed},
            )
            self._failed_at, self._failed = None, 0
        if seconds >= SLOW_SECONDS:
            self._throttled_log.log(
                logging.WARNING,
                "store-slow",
                "the store took %(seconds).1f s for a batch of %(sightings)d sightings",
                {"seconds": seconds, "sightings": size},
            )
