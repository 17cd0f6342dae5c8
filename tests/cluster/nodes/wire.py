"""Numbers and texts as ClickHouse's native protocol writes them, and blocks of columns, taken apart by their types."""

from __future__ import annotations

import re
import struct
from typing import Protocol

_WIDTHS = {
    "Bool": 1,
    "Date": 2,
    "Date32": 4,
    "DateTime": 4,
    "DateTime64": 8,
    "Decimal32": 4,
    "Decimal64": 8,
    "Decimal128": 16,
    "Decimal256": 32,
    "Enum8": 1,
    "Enum16": 2,
    "Float32": 4,
    "Float64": 8,
    "IPv4": 4,
    "IPv6": 16,
    "Nothing": 1,
    "UUID": 16,
    **{f"{sign}Int{bits}": bits // 8 for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256)},
}


class Refused(Exception):
    """What this node cannot do, with the code that a server would answer."""

    def __init__(self, message: str, code: int = 48) -> None:
        super().__init__(message)
        self.code = code


class Source(Protocol):
    def read(self, size: int) -> bytes:
        """So many bytes; fewer at the end."""


class Reader:
    """Reads what the protocol is made of. Raises EOFError where the other side has gone."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.taken: bytearray | None = None
        """What was read since this was set."""

    def take(self, size: int) -> bytes:
        found = self._source.read(size) if size else b""
        if len(found) < size:
            raise EOFError
        if self.taken is not None:
            self.taken += found
        return found

    def varint(self) -> int:
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def raw_text(self) -> bytes:
        return self.take(self.varint())

    def text(self) -> str:
        return self.raw_text().decode()

    def uint64(self) -> int:
        return int.from_bytes(self.take(8), "little")


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def text(value: str) -> bytes:
    encoded = value.encode()
    return varint(len(encoded)) + encoded


def read_block(reader: Reader) -> tuple[int, bytes]:
    """How many rows the next block has, and its bytes, which are those of FORMAT Native."""
    reader.taken = bytearray()
    columns, rows = reader.varint(), reader.varint()
    for _ in range(columns):
        reader.raw_text()
        kind = reader.text()
        if rows:
            _skip_prefix(reader, kind)
            _skip_values(reader, kind, rows)
    taken, reader.taken = bytes(reader.taken), None
    return rows, taken


def parts_of(kind: str) -> tuple[str, list[str]]:
    """`Map(String, Array(UInt8))` -> its name and what stands between its parentheses, part by part."""
    name, separator, rest = kind.partition("(")
    if not separator:
        return name, []
    parts, depth, quoted, begin = [], 0, False, 0
    inner = rest[:-1]
    for place, character in enumerate(inner):
        if character == "'" and (place == 0 or inner[place - 1] != "\\"):
            quoted = not quoted
        elif quoted:
            continue
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth == 0:
            parts.append(inner[begin:place].strip())
            begin = place + 1
    return name, [*parts, inner[begin:].strip()]


def _elements(parts: list[str]) -> list[str]:
    """Of a tuple, whose elements may have names."""
    named = [re.fullmatch(r"(?:`[^`]*`|\w+) +([A-Z].*)", part, re.DOTALL) for part in parts]
    return [part if match is None else match[1] for part, match in zip(parts, named, strict=True)]


def _children(kind: str) -> list[str]:
    """The types whose values follow each other inside of one."""
    name, parts = parts_of(kind)
    if name in ("Array", "Nullable"):
        return parts
    if name == "Map":
        return parts
    if name == "SimpleAggregateFunction":
        return parts[1:]
    return _elements(parts) if name == "Tuple" else []


def _skip_prefix(reader: Reader, kind: str) -> None:
    if parts_of(kind)[0] == "LowCardinality":
        reader.take(8)  # its version
    for child in _children(kind):
        _skip_prefix(reader, child)


def _skip_values(reader: Reader, kind: str, rows: int) -> None:
    name, parts = parts_of(kind)
    if rows == 0:
        return
    if name in _WIDTHS:
        reader.take(_WIDTHS[name] * rows)
    elif name == "String":
        for _ in range(rows):
            reader.raw_text()
    elif name == "FixedString":
        reader.take(int(parts[0]) * rows)
    elif name == "Decimal":
        digits = int(parts[0])
        reader.take(rows * (4 if digits <= 9 else 8 if digits <= 18 else 16 if digits <= 38 else 32))
    elif name == "Nullable":
        reader.take(rows)
        _skip_values(reader, parts[0], rows)
    elif name in ("Array", "Map"):
        (total,) = struct.unpack("<Q", reader.take(8 * rows)[-8:])
        for child in _children(kind):
            _skip_values(reader, child, total)
    elif name == "LowCardinality":
        _skip_low_cardinality(reader, parts[0])
    elif name in ("Tuple", "SimpleAggregateFunction"):
        for child in _children(kind):
            _skip_values(reader, child, rows)
    else:
        raise Refused(f"this node cannot tell where a column of type {kind} ends")


def _skip_low_cardinality(reader: Reader, kind: str) -> None:
    flags = reader.uint64()
    if flags & 0x100 or not flags & 0x200:
        raise Refused("this node takes low cardinality with keys of its own only")
    name, parts = parts_of(kind)
    _skip_values(reader, parts[0] if name == "Nullable" else kind, reader.uint64())
    reader.take(reader.uint64() << (flags & 0xFF))
