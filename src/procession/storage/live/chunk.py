"""A chunk of a snapshot as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from procession.packed import AnySnapshot, pack
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
    descriptions: list[ProcessDescription]

    @classmethod
    def of(cls, snapshot: AnySnapshot) -> Chunk:
        sightings = pack(snapshot).sightings
        descriptions = [one.description for one in sightings]
        return cls(
            snapshot.taken_at,
            np.array([one.pid for one in sightings], "u4"),
            np.array([one.started_at for one in sightings], "u4"),
            np.array(list(map(hash, descriptions)), "i8"),
            np.frombuffer(b"".join([one.numbers for one in sightings]), PACKED),
            descriptions,
        )

    def part(self, places: Array) -> Chunk:
        """Only the sightings at these places."""
        return Chunk(
            self.at,
            self.pids[places],
            self.starts[places],
            self.hashes[places],
            self.numbers[places],
            [self.descriptions[place] for place in places.tolist()],
        )
