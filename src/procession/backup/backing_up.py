"""Copies what is frozen of a store into a backup."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from procession import __version__
from procession.backup.archive import PIECE_BYTES, Archive, Progress
from procession.backup.container import BackupWriter
from procession.backup.manifest import Manifest, Part, PartFile, Source, encoded
from procession.backup.sizes import show_size
from procession.errors import UsageError
from procession.inventory import FrozenStore

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SMALL_BYTES = 64 * 1024
_BYTES_FOR_EACH_FILE = 200
"""In the manifest, at most."""


@dataclass(frozen=True)
class FrozenPart:
    table: str
    folder: Path
    sizes: dict[str, int]
    """Name of a file -> its size."""

    @property
    def size(self) -> int:
        return sum(self.sizes.values())


@dataclass(frozen=True)
class Plan:
    """What a backup will have."""

    frozen: FrozenStore
    kept: tuple[Part, ...]
    """That an earlier one has."""
    sources: tuple[Source, ...]
    new: tuple[FrozenPart, ...]

    @property
    def needed_bytes(self) -> int:
        files = sum(len(part.sizes) for part in self.new) + sum(len(part.files) for part in self.kept)
        return self.new_bytes + _BYTES_FOR_EACH_FILE * files + PIECE_BYTES

    @property
    def new_bytes(self) -> int:
        return sum(part.size for part in self.new)

    @property
    def kept_bytes(self) -> int:
        return sum(part.size for part in self.kept)


def plan(frozen: FrozenStore, since: Archive | None) -> Plan:
    """`since`: an earlier backup; what it has is not copied again. Raises UsageError where what is frozen has gone."""
    known = {} if since is None else {part.key: part for part in since.manifest.parts}
    sources: list[Source] = []
    kept: list[Part] = []
    new: list[FrozenPart] = []
    try:
        for part in _parts_of(frozen):
            earlier = known.get((part.table, part.folder.name))
            if since is None or earlier is None or not _is_same(part, earlier):
                new.append(part)
                continue
            backup = since.backup_of(earlier)
            source = Source(backup.manifest.id, backup.path.name)
            if source not in sources:
                sources.append(source)
            kept.append(Part(earlier.table, earlier.name, earlier.rows, earlier.files, sources.index(source)))
    except OSError as error:
        raise _has_gone(error) from None
    return Plan(frozen, tuple(kept), tuple(sources), tuple(new))


def check_place(path: Path, since: Path | None) -> None:
    """Raises UsageError where there is such a file, or an earlier backup lies elsewhere."""
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already; name another file")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}")
    if since is not None and not since.name.isprintable():
        raise UsageError(f"{since.name!r} has characters that no backup can name; give it another name")
    if since is not None and since.absolute().parent.resolve() != path.absolute().parent.resolve():
        raise UsageError(f"{path} builds on {since}, so it has to be in the same folder; name a file there")


def check_space(path: Path, needed_bytes: int) -> int:
    """What is free where the file will be. Raises UsageError where that is too little, before anything is written."""
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None
    if free < needed_bytes:
        raise UsageError(
            f"the backup takes {show_size(needed_bytes)} and {path.parent} has {show_size(free)} free;"
            " make room, or name a file elsewhere"
        )
    return free


def write_backup(plan: Plan, path: Path, passphrase: str | None, progress: Progress) -> Manifest:
    """Raises UsageError; there is no file then."""
    with BackupWriter(path, passphrase) as writer:
        parts = list(plan.kept)
        done = 0
        progress(done, plan.new_bytes)
        for part in plan.new:
            try:
                parts.append(_copied(part, writer))
            except OSError as error:
                raise _has_gone(error) from None
            done += part.size
            progress(done, plan.new_bytes)
        manifest = Manifest(
            id=secrets.token_hex(16),
            version=__version__,
            taken_at=plan.frozen.taken_at,
            schema=plan.frozen.schema,
            schema_name=plan.frozen.schema_name,
            sources=plan.sources,
            parts=tuple(parts),
        )
        writer.write(encoded(manifest))
        writer.finish()
    return manifest


def _parts_of(frozen: FrozenStore) -> Iterator[FrozenPart]:
    for table, folder in sorted(frozen.folders.items()):
        for part in sorted(Path(folder).iterdir()):
            yield FrozenPart(
                table, part.absolute(), {file.name: file.stat().st_size for file in sorted(part.iterdir())}
            )


def _is_same(part: FrozenPart, earlier: Part) -> bool:
    """A part of this name may be another one, where a store was restored. Its small files have the checksums of the
    large ones."""
    if part.sizes != {file.name: file.size for file in earlier.files}:
        return False
    return all(
        hashlib.sha256(_read(part.folder / file.name)).hexdigest() == file.sha256
        for file in earlier.files
        if file.size <= _SMALL_BYTES
    )


def _copied(part: FrozenPart, writer: BackupWriter) -> Part:
    files = []
    for name, size in part.sizes.items():
        checksum = hashlib.sha256()
        left = size
        with _open(part.folder / name) as file:
            while piece := file.read(PIECE_BYTES):
                checksum.update(piece)
                left -= len(piece)
                writer.write(piece)
        if left:
            raise UsageError(f"{part.folder / name} changes while it is copied")
        files.append(PartFile(name, size, checksum.hexdigest()))
    rows = int(_read(part.folder / "count.txt"))
    return Part(part.table, part.folder.name, rows, tuple(files))


def _read(path: Path) -> bytes:
    with _open(path) as file:
        return file.read()


def _open(path: Path) -> IO[bytes]:
    """By no link, and no pipe: who writes to the store may not read all that we can. Raises OSError, and UsageError."""
    folder = os.open(path.anchor, _FOLDER)
    try:
        for name in path.parts[1:-1]:
            inner = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        file = os.fdopen(os.open(path.name, _FILE, dir_fd=folder), "rb")
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise UsageError(f"{path} is no file of a store: a link leads to it") from None
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UsageError(f"{path} is no file of a store")
    return file


def _has_gone(error: OSError) -> UsageError:
    reason = os.strerror(error.errno or 0).lower()
    return UsageError(
        f"cannot read {error.filename}: {reason}; if the server was started anew meanwhile, make the backup again"
    )
