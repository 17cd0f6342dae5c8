"""A disk that knows what of it would outlive a power cut, and can fail.

Files are real ones. Of each, it keeps what was synced; a cut leaves any of the sectors that were written since, and any
of the names that were given since the folder was synced. A sync that fails forgets what it should have written, as
Linux does: it is read from memory for as long as the machine runs, and a later sync does not write it.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from procession.storage.wal.disk import Disk

SECTOR = 512


@dataclass
class _File:
    content: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    unsafe: set[int] = field(default_factory=set)
    """Sectors that the next sync writes."""


@dataclass(frozen=True)
class Photo:
    """What is on the disk at one moment: in memory, and safe."""

    names: Mapping[Path, tuple[bytes, bytes]]
    safe_names: Mapping[Path, tuple[bytes, bytes]]

    def after_kill(self, folder: Path) -> None:
        """Only the process ends: everything written is there."""
        _fill(folder, {path.name: content for path, (content, _) in self.names.items()})

    def after_power_cut(self, folder: Path, chance: random.Random) -> None:
        found = {}
        for path in {*self.names, *self.safe_names}:
            now, before = self.names.get(path), self.safe_names.get(path)
            kept = now if now == before else chance.choice((now, before))
            if kept is not None:
                found[path.name] = _torn(*kept, chance)
        _fill(folder, found)


class ForgetfulDisk(Disk):
    """Of one folder, which may have files already; all of them are safe then, if the photo does not say otherwise."""

    def __init__(self, folder: Path, photo: Photo | None = None) -> None:
        self._names: dict[Path, _File] = {}
        self._files: dict[int, _File] = {}
        for path in folder.glob("*"):
            content = path.read_bytes()
            self._names[path] = _File(bytearray(content), bytearray(content))
        self._safe_names = dict(self._names)
        if photo is not None:
            self._remember(folder, photo)
        self.operations = 0
        self.syncs = 0
        self.before: Callable[[str], None] = failing()
        """Called on the thread that does it; may wait, or raise OSError."""
        self.written_before_failing = 0
        """Bytes that a write that fails has written."""

    def _remember(self, folder: Path, photo: Photo) -> None:
        """What was not safe when a process ended; the machine writes none of it by itself."""
        for path, (_, safe) in photo.names.items():
            self._names[folder / path.name].safe = bytearray(safe)
        self._safe_names = {}
        for path, state in photo.safe_names.items():
            name = folder / path.name
            is_same = state == photo.names.get(path)
            self._safe_names[name] = self._names[name] if is_same else _File(bytearray(state[0]), bytearray(state[1]))

    def photo(self) -> Photo:
        def states(names: Mapping[Path, _File]) -> dict[Path, tuple[bytes, bytes]]:
            return {path: (bytes(file.content), bytes(file.safe)) for path, file in names.items()}

        return Photo(states(self._names), states(self._safe_names))

    def create(self, path: Path) -> int:
        self._begin("create")
        number = super().create(path)
        self._files[number] = self._names[path] = _File()
        return number

    def open(self, path: Path) -> int:
        self._begin("open")
        number = super().open(path)
        self._files[number] = self._names[path]
        return number

    def write(self, file: int, data: bytes, offset: int) -> None:
        half = len(data) // 2
        try:
            self._begin("write")
        except OSError:
            self._write(file, data[: self.written_before_failing], offset)
            raise
        self._write(file, data[:half], offset)
        self._begin("write on")  # a moment in the middle
        self._write(file, data[half:], offset + half)

    def sync(self, file: int) -> None:
        found = self._files[file]
        try:
            self._begin("sync")
        except OSError:
            found.unsafe.clear()
            raise
        os.fstat(file)  # raises where the file is closed
        for sector in found.unsafe:
            _put(found.safe, found.content[sector * SECTOR : (sector + 1) * SECTOR], sector * SECTOR)
        del found.safe[len(found.content) :]
        found.safe.extend(bytes(len(found.content) - len(found.safe)))
        found.unsafe.clear()
        self.syncs += 1

    def truncate(self, file: int, size: int) -> None:
        self._begin("truncate")
        super().truncate(file, size)
        del self._files[file].content[size:]

    def close(self, file: int) -> None:
        self._begin("close")
        super().close(file)

    def rename(self, source: Path, target: Path) -> None:
        self._begin("rename")
        super().rename(source, target)
        self._names[target] = self._names.pop(source)

    def remove(self, path: Path) -> None:
        self._begin("remove")
        super().remove(path)
        self._names.pop(path, None)

    def sync_folder(self, folder: Path) -> None:
        self._begin("sync_folder")
        super().sync_folder(folder)
        self._safe_names = dict(self._names)

    def _begin(self, operation: str) -> None:
        self.operations += 1
        self.before(operation)

    def _write(self, file: int, data: bytes, offset: int) -> None:
        super().write(file, data, offset)
        found = self._files[file]
        _put(found.content, data, offset)
        found.unsafe.update(range(offset // SECTOR, -(-(offset + len(data)) // SECTOR)))


def failing(*operations: str, number: int = errno.EIO, times: int = 1) -> Callable[[str], None]:
    """The first of these operations fail, so many of them."""
    left = times

    def fail(operation: str) -> None:
        nonlocal left
        if operation in operations and left:
            left -= 1
            raise OSError(number, os.strerror(number))

    return fail


def _put(target: bytearray, data: bytes | bytearray, offset: int) -> None:
    target.extend(bytes(max(0, offset - len(target))))
    target[offset : offset + len(data)] = data


def _torn(content: bytes, safe: bytes, chance: random.Random) -> bytes:
    """What was safe, any of the sectors after that, and any length between the two."""
    size = chance.choice((len(safe), len(content), chance.randint(*sorted((len(safe), len(content))))))
    found = bytearray(safe[:size].ljust(size, b"\0"))
    likely = chance.choice((0.1, 0.5, 0.9))
    for begin in range(0, min(size, len(content)), SECTOR):
        if chance.random() < likely:
            _put(found, content[begin : min(begin + SECTOR, size)], begin)
    return bytes(found)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
