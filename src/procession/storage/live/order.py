"""The order of the API: all processes of an org by their keys."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from procession.storage.live.columns import KEY, Array

MOST_KEYS = 32_768
"""In one piece. A new process moves what comes after it in its piece, and no more."""


class KeyOrder:
    """Sorted keys with the numbers of their rows, in pieces."""

    def __init__(self) -> None:
        self._keys: list[Array] = [np.zeros(0, KEY)]
        self._rows: list[Array] = [np.zeros(0, "i4")]
        self._new: list[tuple[Array, Array]] = []

    def __len__(self) -> int:
        return sum(map(len, self._rows)) + sum(len(rows) for _, rows in self._new)

    def held_bytes(self) -> int:
        return len(self) * (KEY.itemsize + 4)

    def add(self, keys: Array, rows: Array) -> None:
        """New processes in any order. They are sorted in when somebody reads."""
        self._new.append((keys, rows))

    def settle(self) -> None:
        """Sort in what is new."""
        if not self._new:
            return
        keys = np.concatenate([keys for keys, _ in self._new])
        rows = np.concatenate([rows for _, rows in self._new])
        self._new = []
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], rows[order]
        firsts = np.array([piece[0] for piece in self._keys[1:]], KEY)
        cuts = np.searchsorted(keys, firsts)
        bounds = [0, *cuts.tolist(), len(keys)]
        for piece in range(len(bounds) - 2, -1, -1):
            since, until = bounds[piece], bounds[piece + 1]
            if since < until:
                self._insert(piece, keys[since:until], rows[since:until])

    def _insert(self, piece: int, keys: Array, rows: Array) -> None:
        places = np.searchsorted(self._keys[piece], keys)
        keys = np.insert(self._keys[piece], places, keys)
        rows = np.insert(self._rows[piece], places, rows)
        count = -(-len(keys) // MOST_KEYS)
        # Halves have room for what comes; whole pieces would be cut again by the next process.
        parts = count if count == 1 else max(2, 2 * (count - 1))
        self._keys[piece : piece + 1] = np.array_split(keys, parts)
        self._rows[piece : piece + 1] = np.array_split(rows, parts)

    def in_order(self) -> Array:
        """All rows."""
        self.settle()
        found: Array = np.concatenate(self._rows)
        return found

    def restore(self, keys: Array, rows: Array) -> None:
        """Keys that are in order."""
        parts = max(1, 2 * (len(keys) // MOST_KEYS))
        self._keys, self._rows = np.array_split(keys, parts), np.array_split(rows, parts)

    def keep(self, is_kept: Array) -> None:
        """Only rows that are marked so."""
        self.settle()
        kept = [is_kept[rows] for rows in self._rows]
        keys = [keys[mask] for keys, mask in zip(self._keys, kept, strict=True)]
        rows = [rows[mask] for rows, mask in zip(self._rows, kept, strict=True)]
        self._keys, self._rows = [keys[0]], [rows[0]]
        for some_keys, some_rows in zip(keys[1:], rows[1:], strict=True):
            if len(self._keys[-1]) + len(some_keys) <= MOST_KEYS // 2 or not len(self._keys[-1]):
                self._keys[-1] = np.concatenate([self._keys[-1], some_keys])
                self._rows[-1] = np.concatenate([self._rows[-1], some_rows])
            elif len(some_keys):
                self._keys.append(some_keys)
                self._rows.append(some_rows)

    def renumber(self, numbers: Array) -> None:
        """Old number of a row -> the new one."""
        self.settle()
        self._rows = [numbers[rows] for rows in self._rows]

    def rows_after(self, key: bytes | None, sizes: Iterator[int]) -> Iterator[Array]:
        """Rows in order that come after a key, in parts of these sizes or less."""
        piece, start = 0, 0
        if key is not None:
            sought = np.array([key], KEY)
            firsts = np.array([keys[0] for keys in self._keys[1:]], KEY)
            piece = int(np.searchsorted(firsts, sought, side="right")[0])
            start = int(np.searchsorted(self._keys[piece], sought, side="right")[0])
        for rows in self._rows[piece:]:
            while start < len(rows):
                size = next(sizes)
                yield rows[start : start + size]
                start += size
            start = 0
