"""Where a word is: distinct texts, folded, in blocks, each with a signature of the trigrams in it."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np

from procession.search.pattern import Pattern, fold
from procession.storage.live.columns import Array
from procession.storage.live.dictionaries import Dictionary, Text

BLOCK = 64
"""Texts that have a signature in common."""

NO, YES, UNKNOWN = 0, 1, 2

MAX_REMEMBERED = 32
"""Patterns of which it is remembered where they are: the words that are asked for again and again."""

_BITS = 16_384
_END = b"\xff"
"""After each field of a text. UTF-8 has no such byte, so nothing that is looked for lies in two of them."""


class TextIndex:
    """Of the command line, the executable and the user of each text of a dictionary."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._offsets: list[array[int]] = []
        self._signatures = np.zeros((0, _BITS // 8), "u1")
        self._stale: set[int] = set()
        self._remembered: OrderedDict[Pattern, Array] = OrderedDict()
        self._lock = threading.Lock()
        """Many may read at once, and each may remember. The first of them takes in what was noted before."""

    def held_bytes(self) -> int:
        remembered = sum(known.nbytes for known in self._remembered.values())
        return self._signatures.nbytes + len(self._blocks) * 4 * BLOCK + remembered

    def remembered(self, pattern: Pattern, count: int) -> Array:
        """By number of a text, whether the pattern is in it, as far as anybody found out: NO, YES or UNKNOWN. What the
        caller finds out is to be noted there: all readers would find the same."""
        with self._lock:
            known = self._remembered.pop(pattern, None)
            if known is None or len(known) < count:
                earlier = known
                known = np.full(count, UNKNOWN, "u1")
                if earlier is not None:
                    known[: len(earlier)] = earlier
            self._remembered[pattern] = known
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
            return known[:count]

    def note(self, number: int) -> None:
        """This text is new, or another one."""
        self._stale.add(number // BLOCK)

    def settle(self, texts: Dictionary[Text]) -> None:
        """Take in what was noted."""
        with self._lock:
            for block in sorted(self._stale):
                self._build(block, texts.values[block * BLOCK : (block + 1) * BLOCK])
                for known in self._remembered.values():
                    known[block * BLOCK : (block + 1) * BLOCK] = UNKNOWN
            self._stale.clear()

    def _build(self, block: int, values: list[Text | None]) -> None:
        pieces, offsets, length = [], array("I", [0]), 0
        for value in values:
            piece = b"" if value is None else _folded(value)
            length += len(piece)
            pieces.append(piece)
            offsets.append(length)
        joined = b"".join(pieces)
        if block == len(self._blocks):
            self._blocks.append(joined)
            self._offsets.append(offsets)
            if block == len(self._signatures):
                more = np.zeros((max(4, block // 2), _BITS // 8), "u1")
                self._signatures = np.concatenate([self._signatures, more])
        else:
            self._blocks[block], self._offsets[block] = joined, offsets
        bits = np.zeros(_BITS, bool)
        bits[_trigrams(joined)] = True
        self._signatures[block] = np.packbits(bits)

    def is_in(self, number: int, pattern: Pattern) -> bool:
        """Whether some stretch of one of the fields of a text fits."""
        offsets = self._offsets[number // BLOCK]
        place = number % BLOCK
        text = self._blocks[number // BLOCK][offsets[place] : offsets[place + 1]]
        return _fits(text, pattern)

    def are_in(self, numbers: Iterable[int], pattern: Pattern) -> list[bool]:
        if pattern.is_literal:
            needle = _encoded(pattern.text)
            blocks, all_offsets = self._blocks, self._offsets
            found = []
            for number in numbers:
                block, place = divmod(number, BLOCK)
                offsets = all_offsets[block]
                found.append(blocks[block].find(needle, offsets[place], offsets[place + 1]) >= 0)
            return found
        return [self.is_in(number, pattern) for number in numbers]

    def find(self, pattern: Pattern) -> Array:
        """By number of a text, whether it fits; for all texts."""
        needle = _encoded(max(pattern.parts, key=len))
        if not needle:
            return np.ones(len(self._blocks) * BLOCK, bool)
        found = np.zeros(len(self._blocks) * BLOCK, bool)
        for block in self._candidates(pattern).tolist():
            joined, offsets = self._blocks[block], self._offsets[block]
            position = joined.find(needle)
            while position >= 0:
                place = bisect_right(offsets, position) - 1
                end = offsets[place + 1] if place + 1 < len(offsets) else len(joined)
                if pattern.is_literal or _fits(joined[offsets[place] : end], pattern):
                    found[block * BLOCK + place] = True
                position = joined.find(needle, end)
        return found

    def _candidates(self, pattern: Pattern) -> Array:
        may_be = np.ones(len(self._blocks), bool)
        signatures = self._signatures[: len(self._blocks)]
        for part in pattern.parts:
            for number in np.unique(_trigrams(_encoded(part))).tolist():
                may_be &= (signatures[:, number >> 3] & (128 >> (number & 7))) != 0
        return np.flatnonzero(may_be)


def _folded(value: Text) -> bytes:
    return b"".join(_encoded(fold(field)) + _END for field in (value.cmdline, value.exe, value.user))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _fits(text: bytes, pattern: Pattern) -> bool:
    return any(pattern.is_within(field.decode("utf-8", "surrogatepass")) for field in text.split(_END)[:-1])


def _trigrams(text: bytes) -> Array:
    """A number for each three bytes in a row. Different ones may have the same."""
    letters = np.frombuffer(text, "u1").astype("u4")
    if len(letters) < 3:
        return np.zeros(0, "u4")
    found: Array = (letters[:-2] * 31_153 + letters[1:-1] * 1_789 + letters[2:] * 53) % _BITS
    return found
