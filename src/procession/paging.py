"""Part of a result, and the opaque way on."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from procession.accounts.visibility import Visibility
from procession.analysis import MAX_NAMED_CHUNKS, SORT_COLUMNS, InstantPin, Order
from procession.errors import InvalidParameter
from procession.process import MAX_UINT32, MAX_UINT64, ProcessKey, ProcessSummary
from procession.window import Window

_VERSION = 1
_LAYOUT = struct.Struct(">BqqIQI8s")  # version, from, to, start, host key, pid, fingerprint


@dataclass(frozen=True, slots=True)
class Page:
    """Processes in the order of their keys: as many as the query's limit, fewer only at the end of the result."""

    processes: tuple[ProcessSummary, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The window of page one and the last process shown, so that a scan neither repeats nor misses a process.

    It grants nothing: what may be seen comes from the key. `fingerprint` ties it to that and to its filters.
    """

    window: Window
    last: ProcessKey
    fingerprint: bytes

    def encode(self) -> str:
        """82 hex digits; not to be read by clients."""
        return _LAYOUT.pack(
            _VERSION,
            self.window.from_at,
            self.window.to_at,
            self.last.started_at,
            MAX_UINT64 - self.last.host_key,
            MAX_UINT32 - self.last.pid,
            self.fingerprint,
        ).hex()

    @classmethod
    def decode(cls, text: str, *, fingerprint: bytes) -> Cursor:
        """Raises InvalidParameter for what is no cursor, one of another version, or one from other filters."""
        try:
            version, from_at, to_at, started_at, host, pid, found = _LAYOUT.unpack(bytes.fromhex(text))
        except (ValueError, struct.error):
            raise InvalidParameter("page[cursor]", "it is not a cursor that this server gave") from None
        if version != _VERSION or from_at > to_at:
            raise InvalidParameter("page[cursor]", "it is not a cursor that this server gave")
        if found != fingerprint:
            raise InvalidParameter("page[cursor]", "it comes from a query with other parameters")
        return cls(Window(from_at, to_at), ProcessKey(started_at, MAX_UINT64 - host, MAX_UINT32 - pid), found)


def fingerprint(visibility: Visibility, *filters: str) -> bytes:
    """8 bytes that tell the filters of one scan, and what its reader may see, from those of another."""
    parts = (visibility.text, *filters)
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


_INSTANT_VERSION = 3
_INSTANT_LAYOUT = struct.Struct(">BqB?IQI8sI8s")
"""Version, at, column, descending, start, host key, pid, fingerprint; and of a pin `received_at` and digest, after
which its numbers follow."""
_NO_DIGEST = bytes(8)


@dataclass(frozen=True, slots=True)
class InstantCursor:
    """The instant, the order and the last process shown of a list of the processes at an instant, and what its first
    page was made of."""

    at: int
    order: Order
    last: ProcessKey
    fingerprint: bytes
    pin: InstantPin | None = None

    def encode(self) -> str:
        pin = InstantPin(0, (), _NO_DIGEST) if self.pin is None else self.pin
        head = _INSTANT_LAYOUT.pack(
            _INSTANT_VERSION,
            self.at,
            SORT_COLUMNS.index(self.order.column),
            self.order.is_descending,
            self.last.started_at,
            MAX_UINT64 - self.last.host_key,
            MAX_UINT32 - self.last.pid,
            self.fingerprint,
            pin.received_at,
            pin.digest,
        )
        return (head + struct.pack(f">{len(pin.newest)}I", *pin.newest)).hex()

    @staticmethod
    def is_one(text: str) -> bool:
        """Whether it is said to be such a cursor, and not one of a window."""
        return text.startswith(f"{_INSTANT_VERSION:02x}")

    @classmethod
    def decode(cls, text: str, *, fingerprint: bytes) -> InstantCursor:
        """Raises InvalidParameter as `Cursor.decode` does."""
        try:
            data = bytes.fromhex(text)
            head, named = data[: _INSTANT_LAYOUT.size], data[_INSTANT_LAYOUT.size :]
            version, at, column, is_descending, started_at, host, pid, found, *pinned = _INSTANT_LAYOUT.unpack(head)
            newest = struct.unpack(f">{len(named) // 4}I", named)
            order = Order(SORT_COLUMNS[column], is_descending)
        except (ValueError, IndexError, struct.error):
            raise InvalidParameter("page[cursor]", "it is not a cursor that this server gave") from None
        if version != _INSTANT_VERSION or not 0 <= at <= MAX_UINT32 or len(newest) > MAX_NAMED_CHUNKS:
            raise InvalidParameter("page[cursor]", "it is not a cursor that this server gave")
        if found != fingerprint:
            raise InvalidParameter("page[cursor]", "it comes from a query with other parameters")
        received_at, digest = pinned
        pin = InstantPin(received_at, newest, digest) if received_at or newest or digest != _NO_DIGEST else None
        return cls(at, order, ProcessKey(started_at, MAX_UINT64 - host, MAX_UINT32 - pid), found, pin)
