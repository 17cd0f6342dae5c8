"""Chunks that wait to be stored, shared out among orgs.

One org may fill it, as long as nobody else comes. Then the org that has most there makes room, until both have as much;
and each batch that is taken has as much of one as of the other. So an org that posts without end waits for itself.

While a batch is being stored, nothing else of its orgs is taken: what comes of an org is stored in its order, and
nobody waits for what another org has there.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter
from dataclasses import dataclass, field

from procession.errors import TooManyRequests, Unavailable
from procession.fair_order import RoundRobin
from procession.packed import PackedSnapshot

RETRY_SECONDS = 2
APART_WEIGHT = 2000
CHARACTERS_OF_A_SIGHTING = 1000
"""What has more, on average, weighs more."""


@dataclass(slots=True, eq=False)
class Chunk:
    """A snapshot of which somebody waits to hear that it is safe."""

    org_id: int
    snapshot: PackedSnapshot
    stored: asyncio.Future[None]
    since: float = field(default_factory=time.monotonic)
    characters: int = field(init=False)
    weight: int = field(init=False)
    """In sightings: so much time it takes to store, and so much memory."""

    def __post_init__(self) -> None:
        self.characters = self.snapshot.listing.characters
        # A snapshot of no process takes time too, and somebody waits for it.
        self.weight = max(1, len(self.snapshot), self.characters // CHARACTERS_OF_A_SIGHTING)

    def succeed(self) -> None:
        if not self.stored.done():  # its request may have been cancelled meanwhile
            self.stored.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.stored.done():
            self.stored.set_exception(error)


class FairQueue:
    """In each org, the first that came is the first to go."""

    def __init__(self, max_weight: int) -> None:
        self._max_weight = max_weight
        self._chunks: RoundRobin[Chunk] = RoundRobin()
        self._weights: Counter[int] = Counter()
        """Of all chunks of an org that wait; no org has none."""
        self._being_stored: set[int] = set()
        self.weight = 0
        self.was_of_small_orgs = False
        """Whether the last batch was of those alone who post little."""

    def __bool__(self) -> bool:
        return bool(self._chunks)

    @property
    def next_weight(self) -> int:
        """Of all that may be taken now; 0 where there is nothing."""
        return sum(weight for org_id, weight in self._weights.items() if org_id not in self._being_stored)

    def has_more_of(self, batch: list[Chunk]) -> bool:
        """Whether something of its orgs was left behind."""
        return any(chunk.org_id in self._chunks for chunk in batch)

    def put(self, chunk: Chunk) -> None:
        """Raises TooManyRequests or Unavailable where there is no room for it; fails others that have to make room."""
        # A single chunk is always let in, however large it is.
        while self._chunks and self.weight + chunk.weight > self._max_weight:
            self._make_room_for(chunk)
        self._chunks.put(chunk.org_id, chunk)
        self._weights[chunk.org_id] += chunk.weight
        self.weight += chunk.weight

    def take(self, max_weight: int, max_characters: int) -> list[Chunk]:
        """The next batch: at least one chunk, where there is any, and as much of each org as of any other. Its orgs
        have to be let go once it is stored.

        Those who have little there and those who have much are taken apart, in turn: so what is stored for the ones
        does not take as long as for the others.
        """
        batch: list[Chunk] = []
        weight = characters = 0
        # By how much was taken of them, and then by whose turn it is.
        turns = [(0, turn, org_id) for turn, org_id in enumerate(self._next_orgs())]
        if self.was_of_small_orgs:
            max_weight = max(max_weight, APART_WEIGHT)
        while turns:
            taken, turn, org_id = turns[0]
            chunk = self._chunks.first(org_id)
            weight += chunk.weight
            characters += chunk.characters
            if batch and (weight > max_weight or characters > max_characters):
                break
            batch.append(self._removed(self._chunks.take(org_id)))
            if org_id in self._chunks:
                heapq.heapreplace(turns, (taken + chunk.weight, turn, org_id))
            else:
                heapq.heappop(turns)
        taken_of = {chunk.org_id for chunk in batch}
        for org_id in taken_of:
            self._chunks.end_turn(org_id)
        self._being_stored |= taken_of
        return batch

    def release(self, batch: list[Chunk]) -> None:
        """It is stored, or never will be."""
        self._being_stored -= {chunk.org_id for chunk in batch}

    def refuse_older_than(self, moment: float) -> None:
        for org_id in list(self._chunks):
            while org_id in self._chunks and self._chunks.first(org_id).since < moment:
                chunk = self._removed(self._chunks.take(org_id))
                chunk.fail(Unavailable("The store is too far behind; try again", retry_after_seconds=RETRY_SECONDS))

    def drop(self, chunk: Chunk) -> None:
        """Unless it was taken already."""
        if self._chunks.remove(chunk.org_id, chunk):
            self._removed(chunk)

    def _next_orgs(self) -> list[int]:
        weights = {org_id: self._weights[org_id] for org_id in self._chunks if org_id not in self._being_stored}
        little = sum(weights.values()) / max(1, len(weights)) / 2
        small = [org_id for org_id, weight in weights.items() if weight < little]
        self.was_of_small_orgs = bool(small) and not self.was_of_small_orgs
        return small if self.was_of_small_orgs else [org_id for org_id, weight in weights.items() if weight >= little]

    def _make_room_for(self, chunk: Chunk) -> None:
        largest = max(self._chunks, key=lambda org_id: self._weights[org_id])
        if chunk.weight + self._weights[chunk.org_id] >= self._weights[largest]:
            if self._weights.keys() - {chunk.org_id}:
                raise _over_share()
            raise Unavailable("The store is behind; try again", retry_after_seconds=RETRY_SECONDS)
        # The newest, which has waited for the shortest time.
        self._removed(self._chunks.take_newest(largest)).fail(_over_share())

    def _removed(self, chunk: Chunk) -> Chunk:
        self.weight -= chunk.weight
        self._weights[chunk.org_id] -= chunk.weight
        if not self._weights[chunk.org_id]:
            del self._weights[chunk.org_id]
        return chunk


def _over_share() -> TooManyRequests:
    return TooManyRequests(
        "The store is behind, and more of this org waits for it than its share among other orgs; try again",
        retry_after_seconds=RETRY_SECONDS,
    )
