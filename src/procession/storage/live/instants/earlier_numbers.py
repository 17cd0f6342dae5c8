"""What the processes of a host used before their newest sighting, for instants that are a little before that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from procession.process import MAX_UINT32
from procession.storage.live.columns import PACKED, Array

_TIMES = 8
"""As many rows are kept as its host has processes, so many times."""

_TIMES_WAITING = 32
"""The same of a host of which something waits for its flush: a minute of an agent that posts every two seconds."""

_LEAST_ROWS = 100

ROW_BYTES = PACKED.itemsize + 4
"""What a row takes."""


class EarlierNumbers:
    """Of one host, by the moment of the sighting. What is not here is not known."""

    def __init__(self) -> None:
        self._parts: dict[int, list[tuple[Array, Array]]] = {}
        self._count = 0

    @property
    def row_count(self) -> int:
        return self._count

    def state(self) -> list[tuple[int, bytes, bytes]]:
        """As a checkpoint has it."""
        return [(at, rows.tobytes(), numbers.tobytes()) for at, rows, numbers in self.between(0, MAX_UINT32)]

    @classmethod
    def of_state(cls, state: Sequence[tuple[int, bytes, bytes]]) -> EarlierNumbers:
        found = cls()
        for at, rows, numbers in state:
            found.keep(at, np.frombuffer(rows, "i4"), np.frombuffer(numbers, PACKED))
        return found

    def keep(self, at: int, rows: Array, numbers: Array) -> None:
        """Numbers of sightings of this moment, after which there are newer ones."""
        self._parts.setdefault(at, []).append((rows, numbers))
        self._count += len(rows)

    def between(self, since: int, until: int) -> Iterator[tuple[int, Array, Array]]:
        """Moments, both ends within, and the rows and numbers of sightings then."""
        for moment, parts in self._parts.items():
            if since <= moment <= until:
                for rows, numbers in parts:
                    yield moment, rows, numbers

    def of(self, row: int, at: int) -> Array | None:
        """The numbers of one sighting."""
        for rows, numbers in self._parts.get(at, ()):
            places = np.flatnonzero(rows == row)
            if len(places):
                return numbers[places[:1]]
        return None

    def hear(self, row: int, at: int, numbers: Array) -> None:
        """Numbers of a sighting that may be known already: what is not the same is not kept."""
        known = self.of(row, at)
        if known is not None and known.tobytes() != numbers.tobytes():
            self.forget(at)

    def forget(self, at: int) -> None:
        self._count -= sum(len(rows) for rows, _ in self._parts.pop(at, ()))

    def forget_before(self, moment: int, process_count: int = 0, *, are_waiting: bool = False) -> None:
        """And the oldest, where there are too many for a host of so many processes. `are_waiting`: whether some of them
        wait for their flush."""
        most = (_TIMES_WAITING if are_waiting else _TIMES) * max(process_count, _LEAST_ROWS)
        for at in sorted(self._parts):
            if at >= moment and (not process_count or self._count <= most):
                break
            self.forget(at)

    def renumber(self, numbers: Array) -> None:
        """Old number of a row -> the new one, below 0 for those that are forgotten."""
        for at, parts in self._parts.items():
            renumbered = [(numbers[rows], packed) for rows, packed in parts]
            self._parts[at] = [(rows[rows >= 0], packed[rows >= 0]) for rows, packed in renumbered]
        self._count = sum(len(rows) for parts in self._parts.values() for rows, _ in parts)

    def held_bytes(self) -> int:
        return self._count * ROW_BYTES + 400 * len(self._parts)
