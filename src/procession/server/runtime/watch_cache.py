"""Who watches live. A lease of a few seconds, which a page or a terminal renews for as long as somebody looks at it.

Leases are in the store, so that the agents of every server of it hear of them. Nobody has to say goodbye: a lease that
is not renewed runs out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from procession.accounts.hosts import WatchLease
from procession.errors import Unavailable
from procession.server.runtime.refreshing_cache import RefreshingCache
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import AccountsAtHand, HostStore

LEASE_SECONDS = 10
REFRESH_SECONDS = 2.0

FRESH_SECONDS = 3
"""A lease taken so short a time ago is not written again, however many look at the same host."""


class WatchCache:
    """Leases as the store had them at most two seconds ago."""

    def __init__(
        self, store: HostStore, thread: ThreadPool, now: Callable[[], int], *, at_hand: AccountsAtHand | None = None
    ) -> None:
        self._store = store
        self._at_hand = at_hand
        self._thread = thread
        self._now = now
        self._leases = RefreshingCache(self._load, thread, REFRESH_SECONDS, at_hand=self._load_at_once)

    async def active_clients(self, org_id: int, host: str) -> int:
        """1 while somebody watches this host, else 0; also while the store cannot say."""
        try:
            leases = await self._leases.get()
        except Unavailable:
            return 0
        until = max(leases.get((org_id, host), 0), leases.get((org_id, ""), 0))
        return int(until > self._now())

    @property
    def held(self) -> int:
        """Leases that hold, as far as this server has heard."""
        leases = self._leases.last
        return sum(until > self._now() for until in leases.values()) if leases else 0

    async def watch(self, org_id: int, host: str) -> WatchLease:
        """The lease that holds now; it may be somebody else's, of the last three seconds."""
        now = self._now()
        until = (await self._leases.get()).get((org_id, host), 0)
        if until > now + LEASE_SECONDS - FRESH_SECONDS:
            return WatchLease(org_id, host, until)
        lease = WatchLease(org_id, host, now + LEASE_SECONDS)
        await self._thread.run(lambda: self._store.put_lease(lease))
        await self._leases.reload()
        return lease

    def _load(self) -> dict[tuple[int, str], int]:
        return _by_host(self._store.leases(self._now()))

    def _load_at_once(self) -> dict[tuple[int, str], int] | None:
        found = None if self._at_hand is None else self._at_hand.leases(self._now())
        return None if found is None else _by_host(found)


def _by_host(leases: Iterable[WatchLease]) -> dict[tuple[int, str], int]:
    return {(lease.org_id, lease.host): lease.until for lease in leases}
