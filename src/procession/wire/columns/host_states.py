"""What a server remembers of the hosts whose agents send columns: their newest frame."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock

import msgspec

from procession.packed import Listing

IDLE_SECONDS = 900.0
"""An agent that has sent nothing for so long sends the whole when it comes again."""

_LOOK_SECONDS = 60.0
_ROOM_SHARE = 0.9
"""Of the memory: beyond it no more hosts are asked for columns."""
_BYTES_PER_HOST = 2000
_BYTES_PER_PROCESS = 350
"""A process with its row, and its places in the state."""


class StateKey(msgspec.Struct, frozen=True):
    """Whose state it is. The org comes from the key of the post, so that none reaches that of another."""

    org_id: int
    host: str
    run: int


class HostState(msgspec.Struct, frozen=True, kw_only=True):
    """A host after one frame. Another frame makes another one."""

    number: int
    checksum: int
    listing: Listing
    numbers: bytes
    """The rows of all, end to end."""
    own_tags: tuple[tuple[str, ...], ...]
    """Of each process: its own, without those of host and container."""
    host_tags: tuple[str, ...]
    container_tags: Mapping[str, tuple[str, ...]]
    size: int
    """In bytes, about."""


def size_of(listing: Listing, container_tags: Mapping[str, tuple[str, ...]]) -> int:
    """Texts count twice: a process may have them as its own tags, too."""
    size = _BYTES_PER_HOST + _BYTES_PER_PROCESS * len(listing) + 2 * listing.characters
    return size + sum(200 + sum(map(len, tags)) for tags in container_tags.values())


class HostStates:
    """About so many bytes of them. For many threads.

    Beyond, the org that holds the most loses the host that has been silent for longest: so nobody can push out the
    hosts of others. A new host of that org is not remembered: else its hosts would push out each other, and each would
    have to send the whole each time.
    """

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = Lock()
        self._orgs: dict[int, OrderedDict[StateKey, tuple[HostState, float]]] = {}
        """The newest last."""
        self._org_bytes: dict[int, int] = {}
        self.used_bytes = 0
        self._looked_at = clock()

    def __len__(self) -> int:
        return sum(len(hosts) for hosts in list(self._orgs.values()))

    def get(self, key: StateKey) -> HostState | None:
        with self._lock:
            hosts = self._orgs.get(key.org_id)
            found = None if hosts is None else hosts.get(key)
        return None if found is None else found[0]

    def put(self, key: StateKey, state: HostState) -> None:
        now = self._clock()
        with self._lock:
            if now - self._looked_at > _LOOK_SECONDS:
                self._looked_at = now
                self._forget_idle(now - IDLE_SECONDS)
            if self._is_too_many(key, state.size):
                return
            hosts = self._orgs.setdefault(key.org_id, OrderedDict())
            before = hosts.pop(key, None)
            hosts[key] = (state, now)
            self._count(key.org_id, state.size - (0 if before is None else before[0].size))
            while self.used_bytes > self._max_bytes:
                self._forget_oldest(max(self._org_bytes, key=self._org_bytes.__getitem__))

    @property
    def has_room(self) -> bool:
        """For hosts that are not remembered yet."""
        return self.used_bytes < _ROOM_SHARE * self._max_bytes

    def _is_too_many(self, key: StateKey, size: int) -> bool:
        if self.used_bytes + size <= self._max_bytes or key in self._orgs.get(key.org_id, ()):
            return False
        return self._org_bytes.get(key.org_id, 0) >= max(self._org_bytes.values(), default=0)

    def _forget_idle(self, before: float) -> None:
        for org_id in list(self._orgs):
            while (hosts := self._orgs.get(org_id)) and next(iter(hosts.values()))[1] < before:
                self._forget_oldest(org_id)

    def _forget_oldest(self, org_id: int) -> None:
        hosts = self._orgs[org_id]
        _, (state, _) = hosts.popitem(last=False)
        self._count(org_id, -state.size)
        if not hosts:
            del self._orgs[org_id], self._org_bytes[org_id]

    def _count(self, org_id: int, more: int) -> None:
        self.used_bytes += more
        self._org_bytes[org_id] = self._org_bytes.get(org_id, 0) + more
