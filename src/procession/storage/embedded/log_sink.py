"""Chunks from the event loop into the log of a store."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from procession.packed import AnySnapshot, pack
from procession.storage.embedded.store import EmbeddedStore

_INLINE_SIGHTINGS = 500
"""What is larger is encoded on a thread. The usual chunk takes about as long as handing it over would."""


class LogSink:
    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="log")

    async def start(self) -> None:
        """Nothing has to be."""

    async def stop(self) -> None:
        self._threads.shutdown()

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        """Returns once the snapshot is safe on disk and readers see it. Raises Unavailable where it is not; the agent
        has to try again."""
        packed = pack(snapshot)
        if len(packed) > _INLINE_SIGHTINGS:
            loop = asyncio.get_running_loop()
            acknowledged = await loop.run_in_executor(self._threads, self._store.append, org_id, packed)
        else:
            acknowledged = self._store.append(org_id, packed)
        await asyncio.wrap_future(acknowledged)
