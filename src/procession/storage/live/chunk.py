"""A chunk of a snapshot as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from procession.packed import PackedProcess, PackedSnapshot
from procession.process import ProcessDescription
from procession.storage.live.columns import PACKED, Array


@dataclass(slots=True)
class Chunk:
    """The sightings of a chunk, all of one moment."""

    at: int
    pids: Array
    starts: Array
    hashes: Array
    numbers: Array
    processes: Sequence[PackedProcess]
    _descriptions: list[ProcessDescription] | None = None

    @classmethod
    def of(cls, snapshot: PackedSnapshot) -> Chunk:
        listing = snapshot.listing
        return cls(
            snapshot.taken_at,
            np.frombuffer(listing.pids, "u4"),
            np.frombuffer(listing.starts, "u4"),
            np.frombuffer(listing.hashes, "i8"),
            np.frombuffer(snapshot.numbers, PACKED),
            listing.processes,
        )

    @property
    def descriptions(self) -> list[ProcessDescription]:
        if self._descriptions is None:
            self._descriptions = [one.description for one in self.processes]
        return self._descriptions

    def part(self, places: Array) -> Chunk:
        """Only the sightings at these places."""
        return Chunk(
            self.at,
            self.pids[places],
            self.starts[places],
            self.hashes[places],
            self.numbers[places],
            [self.processes[place] for place in places.tolist()],
        )
