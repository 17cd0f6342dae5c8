"""When the live table is written into a file, and how it comes back."""

from __future__ import annotations

import errno
import math
import threading
import time
from pathlib import Path

from procession.clock_skew import MAX_SKEW_SECONDS
from procession.storage.live.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from procession.storage.live.table import LiveTable

_SECONDS = 600
_BYTES = 256 * 2**20
"""Of the log: a start has to read what came since the last checkpoint."""

_OUT_OF_SPACE = (errno.ENOSPC, errno.EDQUOT)


class Checkpoints:
    """For any number of threads."""

    def __init__(self, path: Path, table: LiveTable, position: int) -> None:
        """`position`: up to which sequence number of the log the file has everything."""
        self._path = path
        self._writing = threading.Lock()
        self.table = table
        self.position = position
        self.applied = position
        """Up to which sequence number the table has everything."""
        self._written_at = time.monotonic()
        self._least_log_bytes = 0
        """Of the log since the last one was written."""

    @classmethod
    def open(
        cls, path: Path, *, first_sequence: int, last_sequence: int, live_bytes: int, is_empty: bool, now: int
    ) -> Checkpoints:
        """With the table of the newest checkpoint, if the log goes on where it ends; else with an empty one, which
        knows what comes from now on. Raises OSError where none can be written, unless the disk is full: then there is
        none until it has space.

        `first_sequence`, `last_sequence`: of the oldest and the newest record of the log. `live_bytes`: what the table
        takes at most. `is_empty`: whether nothing was ever stored, so that an empty table knows all of it.
        """
        table = LiveTable(0, memory_bytes=live_bytes)
        try:
            position = read_checkpoint(path, table)
            if first_sequence - 1 <= position <= last_sequence:
                return cls(path, table, position)
        except CheckpointError:
            pass
        since = 0 if is_empty else now + MAX_SKEW_SECONDS + 1
        found = cls(path, LiveTable(since, memory_bytes=live_bytes), first_sequence - 1)
        try:
            found.write()
        except OSError as error:
            if error.errno not in _OUT_OF_SPACE:
                raise
            found._written_at = -math.inf
        return found

    def write(self) -> None:
        """Raises OSError."""
        with self._writing:
            self._write()

    def _write(self) -> None:
        position, self._written_at = self.applied, time.monotonic()
        write_checkpoint(self.table, self._path, position)
        self.position = position

    def _write_in_little_space(self) -> None:
        """On a disk that may have no space for two of them. Where it has none even for one there is none then: the
        history has all that the table knows, and a start before the next one asks it."""
        try:
            self._write()
        except OSError as error:
            if error.errno not in _OUT_OF_SPACE:
                raise
            self._path.unlink(missing_ok=True)
            self.position = self.applied
            try:
                self._write()
            except OSError:
                self._written_at = -math.inf  # the next one is due at once
                raise

    def write_if_due(self, last_sequence: int, log_bytes: int, *, is_wanted: bool = False) -> bool:
        """Whether it was, and something has come since the last one. `is_wanted`: it is due, since the disk is full and
        the log keeps what is not in it. Raises OSError."""
        # What the history does not take stays in the log, and is no reason to write the same again.
        self._least_log_bytes = min(self._least_log_bytes, log_bytes)
        is_old = time.monotonic() - self._written_at >= _SECONDS
        is_due = is_old or is_wanted or log_bytes - self._least_log_bytes >= _BYTES
        if last_sequence == self.position or not is_due:
            return False
        self._least_log_bytes = log_bytes
        with self._writing:
            if is_wanted:
                self._write_in_little_space()
            else:
                self._write()
        return True
