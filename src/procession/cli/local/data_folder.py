"""What a server keeps in its data folder for the commands of its own machine: the secrets of its first keys, and
where it listens. Mode 0600 in a folder of mode 0700: who may read them may do everything anyway."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path

from procession.accounts.orgs import KeyKind
from procession.errors import UsageError

FILE_NAMES = {
    KeyKind.API: "api-key",
    KeyKind.APPLICATION: "application-key",
    KeyKind.ADMIN: "admin-key",
}


@dataclass(frozen=True)
class LocalFiles:
    """The local keys and the address of the server in one data folder."""

    data_dir: Path

    @classmethod
    def of(cls, data_dir: str) -> LocalFiles:
        """The files of the folder that the setting names, or of the user's data folder if it is empty."""
        if data_dir:
            return cls(Path(data_dir).expanduser().absolute())
        import platformdirs

        return cls(Path(platformdirs.user_data_dir("procession")))

    @property
    def backup_note(self) -> Path:
        return self.data_dir / "last-backup"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def address_file(self) -> Path:
        return self.data_dir / "address"

    def key_file(self, kind: KeyKind) -> Path:
        return self.keys_dir / FILE_NAMES[kind]

    def secret(self, kind: KeyKind) -> str | None:
        """None where there is no such file, or where it is not ours to read."""
        return _read(self.key_file(kind))

    def address(self) -> str | None:
        """The URL of the server that runs on this folder, or ran and was killed."""
        return _read(self.address_file)

    def write_secret(self, kind: KeyKind, secret: str) -> None:
        make_private_dir(self.keys_dir)
        _write(self.key_file(kind), secret)

    def remove_secret(self, kind: KeyKind) -> None:
        with contextlib.suppress(OSError):
            self.key_file(kind).unlink()

    def write_address(self, url: str) -> None:
        _write(self.address_file, url)

    def remove_address(self) -> None:
        with contextlib.suppress(OSError):
            self.address_file.unlink()


@dataclass(frozen=True)
class BackupNote:
    """The last backup of a store, said in its folder."""

    path: Path
    taken_at: int
    procession: str
    """That made it."""

    @classmethod
    def of(cls, local: LocalFiles) -> BackupNote | None:
        try:
            found = json.loads(local.backup_note.read_bytes())
            return cls(Path(found["path"]), int(found["taken_at"]), str(found["procession"]))
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def write(self, local: LocalFiles) -> None:
        """Whoever owns the folder may read it. Raises UsageError."""
        content = {"path": str(self.path), "taken_at": self.taken_at, "procession": self.procession}
        _write(local.backup_note, json.dumps(content), like=local.data_dir)


def make_private_dir(path: Path) -> None:
    """A folder that only its owner may enter. Raises UsageError where that cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(_cannot_write(path, error)) from None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _write(path: Path, text: str, *, like: Path | None = None) -> None:
    """`like`: its owner becomes that of the file."""
    # To a new file first, and private from its first byte on: a reader never sees half of it, nor anybody else a byte.
    new = path.with_name(f".{path.name}.new")
    try:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            if like is not None and os.geteuid() == 0:
                owner = like.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise UsageError(_cannot_write(path, error)) from None


def _cannot_write(path: Path, error: OSError) -> str:
    reason = os.strerror(error.errno or 0).lower()
    room = "make room, or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return f"cannot write {path}: {reason}; {room}name another folder with --data-dir"
