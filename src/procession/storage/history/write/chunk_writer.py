"""Stores what agents sent: chunks of snapshots, shard by shard, exits, and live numbers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from procession.errors import Unavailable
from procession.lifecycle.events import ProcessExits
from procession.packed import AnySnapshot
from procession.process import LiveSnapshot, host_key
from procession.storage import NotAllStored
from procession.storage.history.engine.cluster import shard_of
from procession.storage.history.engine.connection import Connection, ConnectionPool, rows_of
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.write import insert_tables
from procession.storage.history.write.dedup_cache import DedupCache
from procession.storage.history.write.insert_batch import InsertBatch
from procession.storage.history.write.presence_writer import PresenceWriter, nothing_waits
from procession.storage.history.write.start_times import Chunks, StartTimes, by_moment


class ChunkWriter:
    """All of it may be called by any number of threads at once, and raises Unavailable where the store cannot do it
    now."""

    def __init__(
        self,
        pool: ConnectionPool,
        *,
        now: Callable[[], int],
        is_only_writer: bool,
        slots: Sequence[int],
        presence: PresenceWriter | None,
        max_known: int,
    ) -> None:
        """`is_only_writer`: whether no other store writes to the same tables. `slots`: the shards of a cluster, each as
        often as it weighs. `presence`: what writes it later; else it is written with each snapshot. `max_known`:
        of so many processes it is remembered what was written."""
        self._pool = pool
        self._now = now
        self._slots = slots
        self._presence = presence
        self._adding: dict[int, threading.Lock] = {}
        """By org: of each, one thread adds something at a time."""
        self._max_known = max_known // max(1, len(set(slots)))
        self._caches = {0: DedupCache(is_complete=True, max_processes=self._max_known)} if is_only_writer else {}
        """By shard: each has the descriptions, tag sets and label sets of its own hosts."""

    def add(self, chunks: Sequence[tuple[int, AnySnapshot]]) -> None:
        """As one batch; what this returns from is safe on disk. Raises NotAllStored where that is true of some only."""
        with contextlib.ExitStack() as stack:
            for org_id in sorted({org_id for org_id, _ in chunks}):
                stack.enter_context(self._adding.setdefault(org_id, threading.Lock()))
            by_shard = self._by_shard(chunks)
            failed: dict[int, Unavailable] = {}
            for shard, indexes in by_shard.items():
                try:
                    with unavailable_on_failure(), self._pool.connection() as connection:
                        self._add(connection, shard, [chunks[index] for index in indexes])
                except Unavailable as error:
                    failed[shard] = error
            if failed:
                failed_indexes = frozenset(index for shard in failed for index in by_shard[shard])
                raise NotAllStored(next(iter(failed.values())), failed_indexes)

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        if any(one.exits for _, one in exits):
            with unavailable_on_failure(), self._pool.connection() as connection:
                connection.insert_arrow("exits", insert_tables.exits(exits))
            for cache in list(self._caches.values()):
                with cache.changing:
                    for org_id, of_host in exits:
                        ended = [(one.pid, one.at) for one in of_host.exits]
                        cache.note_exits((org_id, host_key(of_host.host)), ended)

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        if live:
            with unavailable_on_failure(), self._pool.connection() as connection:
                connection.insert_arrow("live_numbers", insert_tables.live_numbers(live, received_at=self._now()))

    def _by_shard(self, chunks: Chunks) -> dict[int, list[int]]:
        """Shard, or 0 where there are none -> indexes of the chunks that belong there."""
        if not self._slots:
            return {0: list(range(len(chunks)))} if chunks else {}
        found: dict[int, list[int]] = {}
        for index, (org_id, snapshot) in enumerate(chunks):
            shard = shard_of(org_id, host_key(snapshot.host), self._slots)
            found.setdefault(shard, []).append(index)
        return found

    def _add(self, connection: Connection, shard: int, chunks: Chunks) -> None:
        cache = self._caches.setdefault(shard, DedupCache(max_processes=self._max_known))
        waiting = self._presence.waiting if self._presence is not None else nothing_waits
        starts = StartTimes(rows_of(connection), cache, chunks, waiting)
        if not starts.needs_ordering:
            self._insert(connection, shard, chunks, starts)
            return
        for some in by_moment(chunks, starts.needs_ordering):
            self._add(connection, shard, some)

    def _insert(self, connection: Connection, shard: int, chunks: Chunks, starts: StartTimes) -> None:
        received_at = self._now()
        batch = InsertBatch(chunks, self._caches[shard], starts.kept, received_at=received_at)
        with contextlib.ExitStack() as stack:
            for name, table in batch.tables():
                if name == "snapshots" and self._presence is not None:
                    stack.enter_context(self._presence.inserting(chunks, received_at=received_at))
                connection.insert_arrow(name, table, shard=shard)
        batch.remember()
