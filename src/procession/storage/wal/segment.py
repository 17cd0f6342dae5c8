"""One file of the log: a header of 48 bytes, then records.

    magic 8, format version 4, CRC-32 of these 4; first sequence 8,
    first sequence of the segment before 8, end of the segment before 8, salt 4, CRC-32 of all that 4

The first 16 bytes stay so in any version, so that a newer one is always told from damage. What stands in a segment
behind the end that the next one names was refused, and does not count.
"""

from __future__ import annotations

import contextlib
import secrets
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from procession.storage.wal.disk import Disk

FORMAT_VERSION: Final = 1
SEGMENT_HEADER_BYTES: Final = 48

_MAGIC = b"PROCWAL\n"
_SUFFIX = ".segment"
_UNFINISHED = ".new"
_DIGITS = 20
_PREFIX = struct.Struct("<8sI")
_FIELDS = struct.Struct("<QQQI")
_CRC = struct.Struct("<I")


class NewerFormat(Exception):
    """A segment that only a newer version can read."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    first_sequence: int
    previous_sequence: int
    """What the segment before begins with; 0 where there was none."""
    previous_end: int
    salt: int

    def encode(self) -> bytes:
        prefix = _PREFIX.pack(_MAGIC, FORMAT_VERSION)
        data = prefix + _crc(prefix) + _FIELDS.pack(*self._numbers())
        return data + _crc(data)

    def _numbers(self) -> tuple[int, int, int, int]:
        return self.first_sequence, self.previous_sequence, self.previous_end, self.salt

    @staticmethod
    def parse(data: bytes) -> SegmentHeader | None:
        """None where this is no header. Raises NewerFormat where it is one of a later version."""
        prefix = data[: _PREFIX.size]
        if len(prefix) < _PREFIX.size or data[_PREFIX.size : _PREFIX.size + _CRC.size] != _crc(prefix):
            return None
        magic, version = _PREFIX.unpack(prefix)
        if magic != _MAGIC:
            return None
        if version > FORMAT_VERSION:
            raise NewerFormat(version)
        if len(data) != SEGMENT_HEADER_BYTES or data[-_CRC.size :] != _crc(data[: -_CRC.size]):
            return None
        return SegmentHeader(*_FIELDS.unpack_from(data, _PREFIX.size + _CRC.size))


@dataclass(frozen=True, slots=True)
class Extent:
    """What is safe on disk in one segment."""

    path: Path
    first_sequence: int
    next_sequence: int
    end: int
    """In bytes of the file."""


class Segment:
    """The file that is written to. After an error it is abandoned; nothing is tried again on it."""

    def __init__(self, disk: Disk, path: Path, header: SegmentHeader, file: int) -> None:
        self._disk = disk
        self._file = file
        self.path = path
        self.first_sequence = header.first_sequence
        self.salt = header.salt
        self.end = SEGMENT_HEADER_BYTES
        """Up to where it is synced."""

    @staticmethod
    def begin(disk: Disk, folder: Path, *, first_sequence: int, previous: Extent | None) -> Segment:
        """A new file, which is safe on disk under its name. Takes the place of one that holds no record."""
        before = (previous.first_sequence, previous.end) if previous else (0, 0)
        header = SegmentHeader(first_sequence, *before, secrets.randbits(32))
        path = folder / f"{first_sequence:0{_DIGITS}d}{_SUFFIX}"
        unfinished = path.with_suffix(_UNFINISHED)
        file = disk.create(unfinished)
        try:
            disk.write(file, header.encode(), 0)
            disk.sync(file)
            disk.rename(unfinished, path)
            disk.sync_folder(folder)
        except BaseException:
            with contextlib.suppress(OSError):
                disk.close(file)
            with contextlib.suppress(OSError):
                disk.remove(unfinished)
            raise
        return Segment(disk, path, header, file)

    def append(self, data: bytes) -> None:
        """Returns once it is safe on disk."""
        self._disk.write(self._file, data, self.end)
        self._disk.sync(self._file)
        self.end += len(data)

    def abandon(self) -> None:
        """After an error: what is not synced is cut off, where the disk still does that, and gives its space back."""
        with contextlib.suppress(OSError):
            self._disk.truncate(self._file, self.end)
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it is synced, and there is nothing else to do
            self._disk.close(self._file)


def segments_in(folder: Path) -> list[Path]:
    """The oldest first."""
    return sorted(path for path in folder.glob(f"*{_SUFFIX}") if len(path.stem) == _DIGITS and path.stem.isdecimal())


def newest_format_in(folder: Path) -> int | None:
    """Of its segments, by their headers alone; None where there is none that can be read."""
    found = [_format_of(path) for path in segments_in(folder)]
    return max((version for version in found if version is not None), default=None)


def _format_of(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            header = SegmentHeader.parse(file.read(SEGMENT_HEADER_BYTES))
    except NewerFormat as newer:
        return newer.version
    except OSError:
        return None
    return None if header is None else FORMAT_VERSION


def unfinished_in(folder: Path) -> list[Path]:
    """What a crash left of a segment before it had its name."""
    return sorted(folder.glob(f"*{_UNFINISHED}"))


def first_sequence_of(path: Path) -> int:
    return int(path.stem)


def _crc(data: bytes) -> bytes:
    return _CRC.pack(zlib.crc32(data))
