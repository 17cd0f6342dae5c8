"""What is in a backup, as its last bytes tell: tables, their parts, and the files of these with sizes and checksums."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

MOST_BYTES: Final = 256 * 2**20

_TRAILER = struct.Struct("<32sQ8s")
TRAILER_BYTES: Final = _TRAILER.size
_MAGIC = b"PROCBEND"

_TABLE = r"\A[a-z_]{1,64}\Z"
_PART = r"\A[0-9A-Za-z]{1,64}(_[0-9]{1,20}){3,4}\Z"
_FILE = r"\A[A-Za-z0-9_][A-Za-z0-9_.%-]{0,250}\Z"
_BACKUP = r"\A[^/\x00-\x1f\x7f-\x9f]{1,250}\Z"
_SHA256 = r"\A[0-9a-f]{64}\Z"

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class PartFile(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=_FILE)]
    size: Count
    sha256: Annotated[str, msgspec.Meta(pattern=_SHA256)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of a table, as the engine keeps them."""

    table: Annotated[str, msgspec.Meta(pattern=_TABLE)]
    name: Annotated[str, msgspec.Meta(pattern=_PART)]
    rows: Count
    files: tuple[PartFile, ...]
    source: int | None = None
    """Which of the earlier backups has its bytes; None: this one. Its parts lie end to end, in this order."""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def key(self) -> tuple[str, str]:
        return self.table, self.name


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An earlier backup, which lies in the same folder."""

    id: str
    name: Annotated[str, msgspec.Meta(pattern=_BACKUP)]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: str
    """Of the Procession that wrote it."""
    taken_at: Count
    schema: Count
    schema_name: str
    sources: tuple[Source, ...]
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Of all that it brings back, wherever it lies."""
        return sum(part.size for part in self.parts)

    @property
    def own_size(self) -> int:
        return sum(part.size for part in self.parts if part.source is None)


def encoded(manifest: Manifest) -> bytes:
    """With its trailer: the end of the stream."""
    data = msgspec.json.encode(manifest)
    return data + _TRAILER.pack(hashlib.sha256(data).digest(), len(data), _MAGIC)


def length_of(trailer: bytes) -> int | None:
    """Of the manifest before it; None where this is no trailer."""
    _, length, magic = _TRAILER.unpack(trailer)
    return int(length) if magic == _MAGIC and length <= MOST_BYTES else None


def decoded(data: bytes, trailer: bytes, *, own_size: int) -> Manifest:
    """`own_size`: of what lies before it. Raises ValueError for what no backup has."""
    checksum, _, _ = _TRAILER.unpack(trailer)
    if hashlib.sha256(data).digest() != checksum:
        raise ValueError("the list of what is in it is not as written")
    manifest = msgspec.json.decode(data, type=Manifest)
    if manifest.own_size != own_size:
        raise ValueError("what is in it has not the size that its list says")
    _refuse_twice(("part", *part.key) for part in manifest.parts)
    _refuse_twice(("earlier backup", source.name) for source in manifest.sources)
    for part in manifest.parts:
        _refuse_twice(("file", file.name) for file in part.files)
        if part.source is not None and not 0 <= part.source < len(manifest.sources):
            raise ValueError("it names an earlier backup that it does not list")
    if any(source.name in (".", "..") for source in manifest.sources):
        raise ValueError("an earlier backup has no such name")
    return manifest


def _refuse_twice(names: Iterable[tuple[str, ...]]) -> None:
    seen: set[tuple[str, ...]] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"it has the {' '.join(name)} twice")
        seen.add(name)
