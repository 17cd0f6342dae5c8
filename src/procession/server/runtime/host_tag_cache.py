"""The tags of hosts: what their agents say of them, and what users add."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from procession.accounts.administration import change_host_tags, replace_host_tags
from procession.accounts.hosts import HostTags, TagSource
from procession.server.runtime.coalescer import Coalescer
from procession.server.runtime.refreshing_cache import RefreshingCache
from procession.server.runtime.thread_pools import FairThreadPool, ThreadPool, TurnsOfOrg
from procession.storage import AccountsAtHand, HostStore
from procession.text.tags import normal_tags

REFRESH_SECONDS = 3.0
SAY_AGAIN_SECONDS = 86400
"""How often the store is told again of tags that have not changed: it forgets tags that nobody repeats."""

_BUSY_SHARE = 0.05
"""Of its time, that the tags of one org are being written: what it says meanwhile waits for up to half a second, and is
written at once."""

Union = Mapping[tuple[int, str], tuple[str, ...]]


_Entries = dict[tuple[int, str, TagSource], HostTags]


class _Writers(dict[int, Coalescer[HostTags, None]]):
    """By org: what its agents say is written together, when a fleet is started."""

    def __init__(self, store: HostStore, threads: FairThreadPool) -> None:
        super().__init__()
        self._store = store
        self._threads = threads

    def __missing__(self, org_id: int) -> Coalescer[HostTags, None]:
        found = self[org_id] = Coalescer(self._put, TurnsOfOrg(self._threads, org_id), busy_share=_BUSY_SHARE)
        return found

    def _put(self, entries: Sequence[HostTags]) -> Sequence[None]:
        self._store.put_host_tags(*entries)
        return [None] * len(entries)


class HostTagCache:
    """Host tags as the store had them at most three seconds ago. Of a large fleet they are some megabytes, and change
    once in a while: they are read again only when they have."""

    def __init__(
        self,
        store: HostStore,
        thread: ThreadPool,
        write_threads: FairThreadPool,
        now: Callable[[], int],
        *,
        at_hand: AccountsAtHand | None = None,
    ) -> None:
        """Every payload needs what is read, so reading has a thread of its own: an agent that posts new tags without
        end holds up only `write_threads`."""
        self._store = store
        self._thread = thread
        self._now = now
        self._writers = _Writers(store, write_threads)
        self._held: tuple[int, _Entries, Union] | None = None
        self._at_hand = at_hand
        self._entries = RefreshingCache(self._load, thread, REFRESH_SECONDS, at_hand=self._as_before)

    async def of_org(self, org_id: int) -> Callable[[str], Iterable[str]]:
        """From a host's name to its tags, those of both sources."""
        _, union = await self._entries.get()
        return lambda host: union.get((org_id, host), ())

    async def learn(self, org_id: int, host: str, tags: Iterable[str]) -> None:
        """What an agent says of its host, every half an hour: written where it is new, and once a day."""
        now = self._now()
        entry = HostTags(org_id, host, TagSource.AGENT, normal_tags(tags), now)
        entries, _ = await self._entries.get()
        known = entries.get((org_id, host, TagSource.AGENT))
        if (known.tags if known else ()) != entry.tags or (known and known.said_at <= now - SAY_AGAIN_SECONDS):
            await self._writers[org_id].call(entry)
            await self._entries.reload()

    async def change(self, org_id: int, host: str, add: Sequence[str], remove: Sequence[str]) -> HostTags:
        """What the user says of a host from now on. Raises InvalidRequest."""
        entry = await self._thread.run(lambda: change_host_tags(self._store, org_id, host, add, remove))
        await self._entries.reload()
        return entry

    async def replace(self, org_id: int, host: str, tags: Sequence[str]) -> HostTags:
        """The same, instead of all that the user said of it before."""
        entry = await self._thread.run(lambda: replace_host_tags(self._store, org_id, host, tags))
        await self._entries.reload()
        return entry

    def _load(self) -> tuple[_Entries, Union]:
        # Before they are read: what changes meanwhile makes the next look find another version.
        version = self._store.host_tags_version()
        if self._held is None or self._held[0] != version:
            self._held = (version, *self._read())
        return self._held[1:]

    def _as_before(self) -> tuple[_Entries, Union] | None:
        """Those that were read last, where the store says at once that they are the same."""
        held = self._held
        if self._at_hand is None or held is None:
            return None
        return held[1:] if self._at_hand.host_tags_version() == held[0] else None

    def _read(self) -> tuple[_Entries, Union]:
        entries = self._store.host_tags()
        union: dict[tuple[int, str], tuple[str, ...]] = {}
        for entry in entries:
            host = (entry.org_id, entry.host)
            union[host] = (*union[host], *entry.tags) if host in union else entry.tags
        return {(entry.org_id, entry.host, entry.source): entry for entry in entries}, union
