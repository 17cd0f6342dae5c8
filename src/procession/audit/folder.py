"""The folder of an audit trail: its files, the key that signs, and the head, which says how far the trail reaches.

    000000000001.jsonl   records, or one anchor in their place; named by the first of them
    head                 number and hash of the newest record, and where it ends; signed
    key                  32 random bytes, in hex
    settings             those of the last start, to tell what has changed

The folder has the mode 0700, its files 0600.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procession.audit.chain import ChainLink, mac_of

SUFFIX = ".jsonl"
_DIGITS = 12
_HEAD_BYTES = 512
"""It is overwritten in place, within one block of any disk."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record, of which it is known that it is on the disk."""

    link: ChainLink
    file: str
    """Its name."""
    end: int
    """Where the record ends in it, in bytes."""

    def encode(self, key: bytes) -> bytes:
        fields = self._fields()
        text = json.dumps({**fields, "mac": mac_of(key, "head", fields)}, separators=(",", ":"))
        return text.encode("ascii").ljust(_HEAD_BYTES - 1) + b"\n"

    def _fields(self) -> dict[str, Any]:
        return {"number": self.link.number, "hash": self.link.hash.hex(), "file": self.file, "end": self.end}

    @staticmethod
    def parse(data: bytes, key: bytes) -> Head | None:
        """None for what nobody with the key wrote."""
        try:
            fields = json.loads(data)
            link = ChainLink(int(fields["number"]), bytes.fromhex(fields["hash"]))
            head = Head(link, str(fields["file"]), int(fields["end"]))
            mac = str(fields["mac"])
        except (ValueError, LookupError, TypeError):
            return None
        is_ours = mac.isascii() and hmac.compare_digest(mac, mac_of(key, "head", head._fields()))
        return head if is_ours and "/" not in head.file else None


@dataclass(frozen=True)
class AuditFolder:
    path: Path

    @classmethod
    def of(cls, data_dir: Path) -> AuditFolder:
        return cls(data_dir / "audit")

    @property
    def head_file(self) -> Path:
        return self.path / "head"

    @property
    def key_file(self) -> Path:
        return self.path / "key"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def settings_file(self) -> Path:
        return self.path / "settings"

    def files(self) -> list[Path]:
        """The oldest first."""
        if not self.path.is_dir():
            return []
        return sorted(path for path in self.path.glob(f"*{SUFFIX}") if path.stem.isdecimal())

    def file_of(self, number: int) -> Path:
        """That begins with this record."""
        return self.path / f"{number:0{_DIGITS}d}{SUFFIX}"

    def key(self) -> bytes | None:
        """None where there is none yet. Raises OSError where it cannot be read."""
        try:
            return bytes.fromhex(self.key_file.read_text(encoding="ascii").strip()) or None
        except (FileNotFoundError, ValueError):
            return None

    def ensure_key(self) -> bytes:
        """Raises OSError."""
        found = self.key()
        if found is None:
            found = secrets.token_bytes(32)
            replace_file(self.key_file, found.hex().encode("ascii") + b"\n")
        return found

    def head(self, key: bytes) -> Head | None:
        """None where there is none, or none that this key signed."""
        try:
            return Head.parse(self.head_file.read_bytes(), key)
        except FileNotFoundError:
            return None


def first_number_of(path: Path) -> int:
    return int(path.stem)


def replace_file(path: Path, data: bytes) -> None:
    """It has these bytes on disk, or what it had before. Raises OSError."""
    new = path.with_name(f".{path.name}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        write_all(file, data, 0)
        os.fsync(file)
    finally:
        os.close(file)
    new.replace(path)
    sync_folder(path.parent)


def write_all(file: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file, rest, offset)
        rest, offset = rest[written:], offset + written


def sync_folder(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
