"""A backup that is open, with the earlier ones that it builds on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from procession.backup.container import SealedStream, Stream, open_stream
from procession.backup.manifest import TRAILER_BYTES, Manifest, Part, decoded, length_of
from procession.errors import UsageError

PIECE_BYTES = 2**20


class Progress(Protocol):
    def __call__(self, done: int, total: int) -> None:
        """In bytes."""


class Backup:
    """One file."""

    def __init__(self, path: Path, stream: Stream) -> None:
        """Raises UsageError where it is damaged."""
        self.path = path
        self._stream = stream
        self.is_sealed = isinstance(stream, SealedStream)
        self.manifest = self._read_manifest()
        self._offsets: dict[tuple[str, str], int] = {}
        self.own: dict[tuple[str, str], Part] = {}
        at = 0
        for part in self.manifest.parts:
            if part.source is None:
                self.own[part.key] = part
                self._offsets[part.key] = at
                at += part.size

    def _read_manifest(self) -> Manifest:
        size = self._stream.size
        trailer = self._stream.read(size - TRAILER_BYTES, TRAILER_BYTES) if size >= TRAILER_BYTES else b""
        length = length_of(trailer) if trailer else None
        if length is None or length + TRAILER_BYTES > size:
            raise UsageError(f"{self.path} is damaged: it was cut off, or never finished")
        start = size - TRAILER_BYTES - length
        try:
            return decoded(self._stream.read(start, length), trailer, own_size=start)
        except (msgspec.MsgspecError, ValueError) as error:
            raise UsageError(f"{self.path} is damaged: {error}") from None

    def file_pieces(self, part: Part, index: int) -> Iterator[bytes]:
        """What a file of one of its own parts has. Raises UsageError at the end, where that is not as it was."""
        file = part.files[index]
        at = self._offsets[part.key] + sum(before.size for before in part.files[:index])
        end = at + file.size
        checksum = hashlib.sha256()
        while at < end:
            piece = self._stream.read(at, min(PIECE_BYTES, end - at))
            checksum.update(piece)
            at += len(piece)
            yield piece
        if checksum.hexdigest() != file.sha256:
            raise UsageError(f"{self.path} is damaged: {part.table}/{part.name}/{file.name} is not as written")


class Archive:
    """A backup as a whole."""

    def __init__(self, newest: Backup, sources: list[Backup]) -> None:
        self.newest = newest
        self._sources = sources

    @property
    def manifest(self) -> Manifest:
        return self.newest.manifest

    def backup_of(self, part: Part) -> Backup:
        """The one that has its bytes."""
        return self.newest if part.source is None else self._sources[part.source]


@contextmanager
def open_backup(path: Path, passphrase: str | None) -> Iterator[Backup]:
    """Raises UsageError."""
    file, stream = open_stream(path, passphrase)
    with file:
        yield Backup(path, stream)


@contextmanager
def open_archive(path: Path, passphrase: str | None) -> Iterator[Archive]:
    """With all that it needs. Raises UsageError, as where an earlier backup is missing or another one."""
    with ExitStack() as opened:
        newest = opened.enter_context(open_backup(path, passphrase))
        # What it builds on may be plain: the files of that are as its own list has them.
        if passphrase is not None and not newest.is_sealed:
            raise UsageError(f"{path} is not encrypted; leave out --passphrase-file if you trust it all the same")
        sources: list[Backup] = []
        for source in newest.manifest.sources:
            earlier = path.parent / source.name
            if not earlier.exists():
                raise UsageError(f"{path} builds on {source.name}, which is not in its folder {path.parent}")
            sources.append(opened.enter_context(open_backup(earlier, passphrase)))
            if sources[-1].manifest.id != source.id:
                raise UsageError(f"{path} builds on another backup than {earlier}")
        for part in newest.manifest.parts:
            if part.source is not None:
                there = sources[part.source].own.get(part.key)
                if there is None or there.files != part.files:
                    raise UsageError(f"{path} is damaged: {part.table}/{part.name} is not in the backup that it names")
        yield Archive(newest, sources)
