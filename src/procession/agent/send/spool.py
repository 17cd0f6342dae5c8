"""Payloads on disk, so that they outlive the agent.

A file holds a snapshot with all that goes with it, or what was sent live at one moment. It is written under another
name and renamed, so that what is there is whole, and not synced: it outlives `kill -9`, which is common, not a power
cut, which would cost each snapshot a wait for the disk. What a power cut or a bad disk leaves of a file is told by its
checksum, and is not sent. There is no secret in it: command lines were scrubbed before, and the API key is not among
the headers.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from procession.agent.send.payload import Payload
from procession.errors import UsageError

_SNAPSHOT = ".snapshot"
_LIVE = ".live"
_LOCK = "lock"
_FORMAT = "format"
FORMAT = 1
"""Of the files. An agent that knows less of them leaves the folder alone."""

CHECKSUM_BYTES = 4
_BLOCK_BYTES = 4096
"""A small file takes as much of a disk as this."""


class NewerSpool(UsageError):
    """A newer agent has left snapshots that this one cannot read."""


class SpoolTaken(UsageError):
    """Another agent uses the folder."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the spool."""

    path: Path
    size: int
    """What it takes of the disk."""

    @property
    def is_live(self) -> bool:
        return self.path.suffix == _LIVE


class Spool:
    """One folder of one agent, for one server."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError if it cannot be used: as SpoolTaken, if another agent uses it, and as NewerSpool."""
        self.folder = folder
        _refuse_newer(folder)
        try:
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            is_file = isinstance(error, FileExistsError | NotADirectoryError)
            reason = "there is a file in its place" if is_file else error.strerror
            raise UsageError(f"cannot keep snapshots in {folder}: {reason}; --spool-dir names another") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise SpoolTaken(f"another agent keeps its snapshots in {folder}; --spool-dir names another") from None
        for path in folder.iterdir():
            if path.name not in (_LOCK, _FORMAT) and path.suffix not in (_SNAPSHOT, _LIVE):
                with contextlib.suppress(OSError):  # it may be a folder, of whoever made that
                    path.unlink(missing_ok=True)  # begun and never finished
        with contextlib.suppress(OSError):  # a full disk; the next start tries again
            _say_format(folder)
        self._next = 1 + max((int(path.stem) for path in self._files()), default=0)

    def entries(self) -> list[Entry]:
        """What an agent before this one has left, the oldest first."""
        return [Entry(path, _on_disk(path.stat().st_size)) for path in self._files()]

    def write(self, payloads: Sequence[Payload], *, is_live: bool = False) -> Entry:
        """Raises OSError, as when the disk is full."""
        data = msgspec.msgpack.encode(
            [(item.body, item.headers, item.path, item.is_answered, item.is_tried_once) for item in payloads]
        )
        path = self.folder / f"{self._next:020d}{_LIVE if is_live else _SNAPSHOT}"
        unfinished = path.with_suffix(".new")
        try:
            with open(unfinished, "wb", opener=_private) as file:  # Path.open takes no opener
                file.write(_checksum(data))
                file.write(data)
            unfinished.rename(path)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        self._next += 1
        return Entry(path, _on_disk(CHECKSUM_BYTES + len(data)))

    def read(self, entry: Entry) -> list[Payload]:
        """Empty for a file that is damaged or gone."""
        try:
            found = entry.path.read_bytes()
            checksum, data = found[:CHECKSUM_BYTES], found[CHECKSUM_BYTES:]
            if checksum != _checksum(data):
                return []
            items = msgspec.msgpack.decode(data, type=list[tuple[bytes, dict[str, str], str, bool, bool]])
        except (OSError, msgspec.DecodeError):
            return []
        return [Payload(*item) for item in items]

    def remove(self, entry: Entry) -> None:
        with contextlib.suppress(OSError):
            entry.path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._lock)

    def _files(self) -> list[Path]:
        files = (path for path in self.folder.iterdir() if path.suffix in (_SNAPSHOT, _LIVE) and path.stem.isdecimal())
        return sorted(files, key=lambda path: path.stem)


def _refuse_newer(folder: Path) -> None:
    try:
        text = (folder / _FORMAT).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return
    if text.isdecimal() and int(text[:9]) > FORMAT:
        raise NewerSpool(
            f"a newer Procession has left snapshots in {folder} (their format is {text[:9]}, this one knows {FORMAT});"
            " start that version, or name another folder with --spool-dir"
        )


def _say_format(folder: Path) -> None:
    path = folder / _FORMAT
    if not path.exists():
        unfinished = folder / f"{_FORMAT}.new"
        with open(unfinished, "wb", opener=_private) as file:  # as above
            file.write(b"%d\n" % FORMAT)
        unfinished.rename(path)


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(CHECKSUM_BYTES, "big")


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK_BYTES) * _BLOCK_BYTES


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
