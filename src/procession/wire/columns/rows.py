"""Rows of numbers, as they lie in memory and as they travel: bytes of one place side by side, which compresses well."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from procession.packed import ROW

ROW_BYTES = ROW.size


def side_by_side(rows: bytes) -> bytes:
    """The first byte of every row, then the second of every row, and so on."""
    return b"".join([rows[place::ROW_BYTES] for place in range(ROW_BYTES)])


def in_rows(columns: bytes) -> bytes:
    """The way back."""
    count = len(columns) // ROW_BYTES
    rows = bytearray(len(columns))
    for place in range(ROW_BYTES):
        rows[place::ROW_BYTES] = columns[place * count : (place + 1) * count]
    return bytes(rows)


def difference(one: bytes, other: bytes) -> bytes:
    """Zero where the two are the same. The difference of that and one of them is the other."""
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")


def checksum_of(rows: Iterable[bytes]) -> int:
    """Of the rows of all processes in their order."""
    return zlib.crc32(b"".join(rows))
