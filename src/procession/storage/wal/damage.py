"""What keeps a log from being read, said to the person who starts the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from procession.errors import UsageError


class DamagedLog(UsageError):
    """Something in a segment is not what was written there, and no crash of ours can have left it so."""

    def __init__(self, path: Path, offset: int, what: str) -> None:
        super().__init__(
            f"the write-ahead log is damaged: {path} at byte {offset}: {what}; bring back a copy of the data folder, "
            f"or move {path.parent} away, which loses what the store has not taken out of it yet"
        )
        self.path = path
        self.offset = offset


class NewerLog(UsageError):
    def __init__(self, folder: Path, version: int, known: int) -> None:
        super().__init__(
            f"the write-ahead log in {folder} was written by a newer Procession (its format is {version}, this one "
            f"knows {known}); start that version, or use another folder with --data-dir"
        )


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Says which file cannot be read or mended."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot open the write-ahead log: {path}: {reason}") from error
