"""The order in which waiting items of several orgs are taken: the orgs take turns, however much one of them has."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class RoundRobin(Generic[T]):
    """A queue for each org; the orgs take turns. Iterating gives the orgs, the one whose turn comes next first."""

    def __init__(self) -> None:
        self._queues: dict[int, deque[T]] = {}
        """In the order of turns; none is empty."""

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __iter__(self) -> Iterator[int]:
        return iter(self._queues)

    def __contains__(self, org_id: int) -> bool:
        return org_id in self._queues

    def count(self, org_id: int) -> int:
        """How many items of the org wait."""
        return len(self._queues.get(org_id, ()))

    def put(self, org_id: int, item: T) -> None:
        """Add an item at the end of the queue of its org. An org without a queue gets the last turn."""
        self._queues.setdefault(org_id, deque()).append(item)

    def first(self, org_id: int) -> T:
        """The oldest item of an org, which stays in its queue. Raises KeyError for an org that has none."""
        return self._queues[org_id][0]

    def take_turn(self, may_take: Callable[[int], bool] = lambda _: True) -> tuple[int, T] | None:
        """The oldest item of the first org for which `may_take` is true; the org then has the last turn. None if there
        is no such org."""
        for org_id in self._queues:
            if may_take(org_id):
                item = self.take(org_id)
                self.end_turn(org_id)
                return org_id, item
        return None

    def take(self, org_id: int) -> T:
        """Remove and give the oldest item of an org, also if it is not its turn. Raises KeyError for an org that has
        none."""
        return self._took(org_id, self._queues[org_id].popleft())

    def take_newest(self, org_id: int) -> T:
        return self._took(org_id, self._queues[org_id].pop())

    def end_turn(self, org_id: int) -> None:
        """The org has the last turn from now on, if it has anything left."""
        if org_id in self._queues:
            self._queues[org_id] = self._queues.pop(org_id)

    def remove(self, org_id: int, item: T) -> bool:
        """Whether it was still there."""
        if org_id not in self._queues:
            return False
        try:
            self._queues[org_id].remove(item)
        except ValueError:
            return False
        self._took(org_id, item)
        return True

    def _took(self, org_id: int, item: T) -> T:
        if not self._queues[org_id]:
            del self._queues[org_id]
        return item
