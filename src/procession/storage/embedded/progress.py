"""How far the history and the checkpoint are in the log, kept in the data folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec


class _Progress(msgspec.Struct):
    flushed: int


class FlushProgress:
    """Up to which sequence number everything is in the history. To lose it only repeats flushes, which change
    nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.flushed = 0
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            self.flushed = msgspec.json.decode(path.read_bytes(), type=_Progress).flushed

    def note(self, flushed: int) -> None:
        """Raises OSError."""
        self.flushed = flushed
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(_Progress(flushed)))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
