"""Rows of a stranger: made of what travelled, and whether a process can have such numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from procession.packed import ABSENT, NO_STATE, NUMBERS, STATES
from procession.wire.columns.rows import ROW_BYTES


def _places_of(kind: str) -> NDArray[np.intp]:
    """Where the bytes of all numbers of a type lie in a row."""
    places: list[int] = []
    begin = 0
    for _, found in NUMBERS:
        end = begin + int(found[1:])
        if found == kind:
            places.extend(range(begin, end))
        begin = end
    return np.array(places, dtype=np.intp)


_FLOATS, _INTEGERS, _SMALL_INTEGERS = _places_of("f4"), _places_of("i8"), _places_of("i4")
_IS_STATE = np.array([bool(letter) or number == NO_STATE for number, letter in enumerate(STATES)])
_INFINITE = np.uint32(0x7F800000)
"""The bits of it. Below are those of all floats from 0 up; above, those below zero and those that are no number."""
_ABSENT_BITS = np.float32(ABSENT).view(np.uint32)


def received(columns: bytes, before: bytes) -> bytes:
    """`columns` has the bytes of one place side by side, and `before` the rows to which the first of them are the
    difference."""
    rows = np.frombuffer(columns, np.uint8).reshape(ROW_BYTES, -1).T.copy()
    if before:
        differing = np.frombuffer(before, np.uint8).reshape(-1, ROW_BYTES)
        rows[: len(differing)] ^= differing
    return rows.tobytes()


def are_possible(data: bytes) -> bool:
    """Whether each number is known and not below zero, or absent; none is infinite or no number."""
    if not data:
        return True
    rows = np.frombuffer(data, np.uint8).reshape(-1, ROW_BYTES)
    bits = rows.take(_FLOATS, axis=1).view("<u4")
    return bool(
        ((bits < _INFINITE) | (bits == _ABSENT_BITS)).all()
        and rows.take(_INTEGERS, axis=1).view("<i8").min() >= ABSENT
        and rows.take(_SMALL_INTEGERS, axis=1).view("<i4").min() >= ABSENT
        and _IS_STATE[rows[:, -1]].all()
    )
