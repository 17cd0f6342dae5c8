"""The file of a backup: a head, and a stream of bytes that may be encrypted.

    "procession backup 1\n", length of the head 4, head as JSON; then the stream, in chunks where it is encrypted

The number is that of the format. A file gets its name once it is whole and safe on disk; until then it ends with
`.partial`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol

import msgspec

from procession.backup.sealing import CHUNK_BYTES, TAG_BYTES, Seal, Sealing
from procession.errors import UsageError

FORMAT: Final = 1

_FIRST_LINE = re.compile(rb"procession backup ([1-9][0-9]{0,5})\n")
_LONGEST_LINE = 32
_LENGTH_BYTES = 4
_MOST_HEAD_BYTES = 4096


class Head(msgspec.Struct, forbid_unknown_fields=True):
    sealing: Sealing | None


class BackupWriter:
    """Writes a new file, which only its owner may read. Left with an error, there is none."""

    def __init__(self, path: Path, passphrase: str | None) -> None:
        """Raises UsageError where there is such a file, or none can be written."""
        self.path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._seal = None if passphrase is None else Seal.made(passphrase)
        head = msgspec.json.encode(Head(None if self._seal is None else self._seal.sealing))
        self._head = b"procession backup %d\n" % FORMAT + len(head).to_bytes(_LENGTH_BYTES, "little") + head
        self._waiting = bytearray()
        self._chunks = 0
        if os.path.lexists(path):
            raise UsageError(f"{path} is there already; name another file")
        with _said(path, "write"):
            # What a backup has left that was killed.
            self._partial.unlink(missing_ok=True)
            self._file = os.fdopen(os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._is_whole = False

    def __enter__(self) -> BackupWriter:
        self.write_out(self._head)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_whole:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._partial.unlink()

    def write(self, data: bytes) -> None:
        """Raises UsageError, as where the disk is full."""
        if self._seal is None:
            self.write_out(data)
            return
        self._waiting += data
        while len(self._waiting) > CHUNK_BYTES:
            self._write_chunk(self._seal, bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]

    def finish(self) -> None:
        """The file is whole and has its name then. Raises UsageError."""
        if self._seal is not None:
            self._write_chunk(self._seal, bytes(self._waiting), is_last=True)
        with _said(self.path, "write"):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if os.path.lexists(self.path):
                raise UsageError(f"{self.path} has come to be meanwhile; name another file")
            self._partial.rename(self.path)
            sync_folder(self.path.parent)
        self._is_whole = True

    def write_out(self, data: bytes) -> None:
        with _said(self.path, "write"):
            self._file.write(data)

    def _write_chunk(self, seal: Seal, chunk: bytes, *, is_last: bool) -> None:
        self.write_out(seal.encrypted(chunk, self._chunks, is_last=is_last, head=self._head))
        self._chunks += 1


class Stream(Protocol):
    """What is in a backup, read from anywhere."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes. Raises UsageError where they are damaged, or not there."""


class PlainStream:
    def __init__(self, path: Path, file: IO[bytes], start: int) -> None:
        self._path = path
        self._file = file
        self._start = start
        self.size = os.fstat(file.fileno()).st_size - start

    def read(self, offset: int, length: int) -> bytes:
        with _said(self._path, "read"):
            self._file.seek(self._start + offset)
            data = self._file.read(length)
        if len(data) != length:
            raise UsageError(f"{self._path} is damaged: it ends too early")
        return data


class SealedStream:
    def __init__(self, path: Path, file: IO[bytes], head: bytes, seal: Seal) -> None:
        self._path = path
        self._file = file
        self._head = head
        self._seal = seal
        sealed = os.fstat(file.fileno()).st_size - len(head)
        self._count = max(1, -(-sealed // (CHUNK_BYTES + TAG_BYTES)))
        self.size = max(0, sealed - self._count * TAG_BYTES)
        self._index = -1
        self._chunk = b""

    def read(self, offset: int, length: int) -> bytes:
        found = bytearray()
        while len(found) < length:
            index, skipped = divmod(offset + len(found), CHUNK_BYTES)
            piece = self._chunk_at(index)[skipped : skipped + length - len(found)]
            if not piece:
                raise UsageError(f"{self._path} is damaged: it ends too early")
            found += piece
        return bytes(found)

    def _chunk_at(self, index: int) -> bytes:
        if index != self._index:
            with _said(self._path, "read"):
                self._file.seek(len(self._head) + index * (CHUNK_BYTES + TAG_BYTES))
                data = self._file.read(CHUNK_BYTES + TAG_BYTES)
            try:
                chunk = self._seal.decrypted(data, index, is_last=index == self._count - 1, head=self._head)
            except ValueError:
                raise UsageError(f"{self._path} is damaged, or was cut off: chunk {index} is not as written") from None
            self._index, self._chunk = index, chunk
        return self._chunk


def open_stream(path: Path, passphrase: str | None) -> tuple[IO[bytes], Stream]:
    """The file, which the caller closes, and what is in it. Raises UsageError for what is no backup, of a newer
    version, or not to be read with this passphrase."""
    with _said(path, "read"):
        # What waits for a writer, as a pipe does, would keep us for ever.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    try:
        with _said(path, "read"):
            return file, _stream_in(path, file, passphrase)
    except BaseException:
        file.close()
        raise


def _stream_in(path: Path, file: IO[bytes], passphrase: str | None) -> Stream:
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise UsageError(f"{path} is no backup of Procession: it is not a file")
    line = file.readline(_LONGEST_LINE)
    match = _FIRST_LINE.fullmatch(line)
    if match is None:
        raise UsageError(f"{path} is no backup of Procession")
    if int(match[1]) > FORMAT:
        raise UsageError(f"{path} was written by a newer Procession; restore it with that version")
    length = file.read(_LENGTH_BYTES)
    encoded = file.read(min(int.from_bytes(length, "little"), _MOST_HEAD_BYTES))
    try:
        head = msgspec.json.decode(encoded, type=Head)
        if head.sealing is None:
            return PlainStream(path, file, file.tell())
        if passphrase is None:
            raise UsageError(f"{path} is encrypted; give its passphrase with --passphrase-file")
        seal = Seal.opened(head.sealing, passphrase)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError(f"{path} is damaged at its beginning: {error}") from None
    if seal is None:
        raise UsageError(f"the passphrase is not that of {path}")
    return SealedStream(path, file, line + length + encoded, seal)


def sync_folder(folder: Path) -> None:
    """Which files are in it, under which names. Raises OSError."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_disk(folder: Path) -> None:
    """All that was written, by whomever, to the disk that the folder is on, and to no other. Raises OSError."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(file) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(file)


@contextlib.contextmanager
def _said(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot {verb} {path}: {(error.strerror or str(error)).lower()}") from None
