from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from procession.process import ProcessKey
from procession.storage.live.columns import Array, keys_of
from procession.storage.live.order import MOST_KEYS, KeyOrder


def keys(*found: ProcessKey) -> Array:
    start, host, pid = (np.array([getattr(one, name) for one in found], "u8") for name in ProcessKey.__struct_fields__)
    return keys_of(start, host, pid)


def rows_in(order: KeyOrder, after: bytes | None = None, size: int = 10_000) -> list[int]:
    return [row for part in order.rows_after(after, itertools.repeat(size)) for row in part.tolist()]


def some_keys(count: int) -> list[ProcessKey]:
    lots = random.Random(7)
    # The last byte is 0 now and then: it is part of a key, not padding.
    return [ProcessKey(lots.randrange(9), lots.randrange(2**64), lots.randrange(4) * 256) for _ in range(count)]


def test_rows_come_in_the_order_of_process_keys() -> None:
    found = some_keys(500)
    order = KeyOrder()
    for row, key in enumerate(found):
        order.add(keys(key), np.array([row], "i4"))
        if row % 50 == 0:
            order.settle()
    order.settle()

    assert [found[row] for row in rows_in(order)] == sorted(found)


@pytest.mark.parametrize("place", [0, 1, 250, 499])
def test_what_comes_after_a_key_begins_right_after_it(place: int) -> None:
    found = sorted(some_keys(500))
    order = KeyOrder()
    order.add(keys(*found), np.arange(500, dtype="i4"))
    order.settle()

    assert rows_in(order, keys(found[place])[0], size=7) == list(range(place + 1, 500))


def test_pieces_are_cut_before_they_are_too_long() -> None:
    order = KeyOrder()
    count = 3 * MOST_KEYS
    start = np.arange(count, dtype="u8")
    for part in np.array_split(np.random.default_rng(7).permutation(count), 5):
        order.add(keys_of(start[part], 1, start[part]), part.astype("i4"))
        order.settle()

    pieces = list(order.rows_after(None, itertools.repeat(count)))
    assert max(map(len, pieces)) <= MOST_KEYS
    assert np.array_equal(np.concatenate(pieces), np.arange(count))


def test_what_is_forgotten_is_in_no_piece_and_small_pieces_are_joined() -> None:
    order = KeyOrder()
    count = 4 * MOST_KEYS
    start = np.arange(count, dtype="u8")
    order.add(keys_of(start, 1, start), np.arange(count, dtype="i4"))
    order.settle()

    order.keep(start % 100 == 0)

    pieces = list(order.rows_after(None, itertools.repeat(count)))
    assert len(pieces) == 1
    assert np.array_equal(pieces[0], np.arange(0, count, 100))
    assert len(order) == len(pieces[0])
