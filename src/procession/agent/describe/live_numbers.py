"""What goes between two snapshots while somebody watches: numbers of all, and whole what is new or has changed."""

from __future__ import annotations

from collections.abc import Sequence

from procession.agent.describe.collector import Collector
from procession.agent.read.process_reading import ProcessReading
from procession.process import ProcessDescription, Sighting, Snapshot


class LiveNumbers:
    """What those who watch have been told since the newest snapshot. For one thread."""

    def __init__(self, collector: Collector, snapshot: Snapshot) -> None:
        """Goes on from a snapshot and the collector that made it, which stays as it is: its rates are between
        snapshots, and the live ones are between two looks."""
        self._collector = collector.fork()
        self._told = _descriptions(snapshot.sightings)

    def look(
        self, readings: Sequence[ProcessReading], *, taken_at: int, moment: float
    ) -> tuple[list[Sighting], tuple[Sighting, ...]]:
        """Those that are to be sent whole, and all."""
        everything = self._collector.collect(readings, taken_at=taken_at, moment=moment).sightings
        told = self._told
        new = []
        for sighting in everything:
            before = told.get((sighting.pid, sighting.started_at))
            if before is not sighting.description and before != sighting.description:
                new.append(sighting)
        self._told = _descriptions(everything)
        return new, everything

    def was_told(self, snapshot: Snapshot) -> None:
        """All of a snapshot was sent."""
        self._told = _descriptions(snapshot.sightings)


def _descriptions(sightings: Sequence[Sighting]) -> dict[tuple[int, int], ProcessDescription]:
    return {(sighting.pid, sighting.started_at): sighting.description for sighting in sightings}
