"""Protobuf, as far as the answers of the CRI need it: the fields of a message by their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

MAX_FIELDS: Final = 300_000
"""In one answer: a machine with a thousand containers, each with twenty labels, has half as many."""

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FIXED: Final = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
_MAX_VARINT_BYTES: Final = 10

Value = int | bytes


class Damaged(Exception):
    """The message is not whole, or more than anybody would send."""


class FieldReader:
    """Reads the messages of one answer."""

    def __init__(self, max_fields: int = MAX_FIELDS) -> None:
        self._left = max_fields

    def fields(self, data: bytes) -> Iterator[tuple[int, Value]]:
        """In their order: a number, or the bytes of a text or of a message. Raises Damaged."""
        position = 0
        while position < len(data):
            self._left -= 1
            if self._left < 0:
                raise Damaged
            key, position = _varint(data, position)
            kind = key & 7
            if kind == _VARINT:
                value, position = _varint(data, position)
                yield key >> 3, value
                continue
            if kind == _BYTES:
                length, position = _varint(data, position)
            elif kind in _FIXED:
                length = _FIXED[kind]
            else:
                raise Damaged
            end = position + length
            if end > len(data):
                raise Damaged
            yield key >> 3, data[position:end]
            position = end

    def messages(self, data: bytes, number: int) -> Iterator[bytes]:
        """All that a message has under this number: texts or messages."""
        return (value for found, value in self.fields(data) if found == number and isinstance(value, bytes))


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, position + place + 1
    raise Damaged
