"""What the log has and nobody needs any more goes: now and then, and at once where its disk is full."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from procession.log_throttle import LogThrottle
from procession.storage.embedded.checkpoints import Checkpoints
from procession.storage.embedded.progress import FlushProgress
from procession.storage.wal import WriteAheadLog

_WANTED_SECONDS = 5.0
"""A full disk is a reason for no more than one checkpoint in so many: of a large table it takes a second of CPU."""

_log = logging.getLogger(__name__)


class LogSpace:
    """A segment is needed until all of it is in the history, and in the checkpoint of the live table."""

    def __init__(
        self,
        log: WriteAheadLog,
        checkpoints: Checkpoints,
        progress: FlushProgress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wal = log
        self._checkpoints = checkpoints
        self._progress = progress
        self._clock = clock
        self._made_at = -math.inf
        """When a full disk was last a reason."""
        self._throttle = LogThrottle(clock)

    def release(self) -> None:
        self._wal.release(self._done)

    @property
    def _done(self) -> int:
        return min(self._progress.flushed, self._checkpoints.position)

    def release_if_due(self) -> None:
        """After a flush: with a new checkpoint, if it is time for one or the disk of the log is full."""
        is_wanted = self._wal.is_out_of_space and self._clock() - self._made_at >= _WANTED_SECONDS
        try:
            if self._checkpoints.write_if_due(
                self._wal.last_sequence, self._wal.status().size_bytes, is_wanted=is_wanted
            ):
                self.release()
        except Exception as error:  # the thread that calls this has to go on
            fields = {"event": "checkpoint-failed", "reason": str(error) or type(error).__name__}
            _log.warning("cannot write the checkpoint of the live table: %(reason)s", fields)
        if is_wanted:
            self._made_at = self._clock()
            self._make_space()

    def _make_space(self) -> None:
        removed_before = self._wal.status().released_segments
        self.release()
        self._wal.release_newest(self._done)
        removed = self._wal.status().released_segments - removed_before
        if self._throttle.admits("log-full"):
            fields = {"event": "log-full", "segments": removed}
            _log.warning(
                "the disk of the write-ahead log is full: removed %(segments)d segments that the store has taken",
                fields,
            )
