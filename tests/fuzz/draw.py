"""Values out of a fuzzer's bytes: the same bytes give the same values, and few bytes give small ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Takes from the front. Where nothing is left, all is 0 and empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def raw(self, length: int) -> bytes:
        begin = self._position
        self._position = min(begin + length, len(self._data))
        return self._data[begin : self._position]

    def rest(self) -> bytes:
        return self.raw(len(self._data))

    def number(self, most: int) -> int:
        """From 0 to `most`."""
        return int.from_bytes(self.raw((most.bit_length() + 7) // 8), "little") % (most + 1)

    def signed(self, bits: int) -> int:
        number = self.number(2**bits - 1)
        return number - 2**bits if number >= 2 ** (bits - 1) else number

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.number(len(choices) - 1)]

    def some(self, most: int) -> bytes:
        """Up to so many bytes, without NUL."""
        return self.raw(self.number(most)).replace(b"\0", b"0")
