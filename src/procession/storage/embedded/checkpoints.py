"""When the live table is written into a file, and how it comes back."""

from __future__ import annotations

import time
from pathlib import Path

from procession.clock_skew import MAX_SKEW_SECONDS
from procession.storage.live.checkpoint import CheckpointError, read_checkpoint, write_checkpoint
from procession.storage.live.table import LiveTable

_SECONDS = 600
_BYTES = 256 * 2**20
"""Of the log: a start has to read what came since the last checkpoint."""


class Checkpoints:
    """One thread at a time writes them."""

    def __init__(self, path: Path, table: LiveTable, position: int) -> None:
        """`position`: up to which sequence number of the log the file has everything."""
        self._path = path
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
        knows what comes from now on. Raises OSError where none can be written.

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
        found.write()
        return found

    def write(self) -> None:
        """Raises OSError."""
        position, self._written_at = self.applied, time.monotonic()
        write_checkpoint(self.table, self._path, position)
        self.position = position

    def write_if_due(self, last_sequence: int, log_bytes: int) -> bool:
        """Whether it was, and something has come since the last one. Raises OSError."""
        # What the history does not take stays in the log, and is no reason to write the same again.
        self._least_log_bytes = min(self._least_log_bytes, log_bytes)
        is_old = time.monotonic() - self._written_at >= _SECONDS
        if last_sequence == self.position or not (is_old or log_bytes - self._least_log_bytes >= _BYTES):
            return False
        self._least_log_bytes = log_bytes
        self.write()
        return True
