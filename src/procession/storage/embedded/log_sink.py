"""Chunks and exits from the event loop into the log of a store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from procession.lifecycle.events import ProcessExits
from procession.packed import AnySnapshot, pack
from procession.storage.embedded.store import EmbeddedStore, End

_INLINE_SIGHTINGS = 500
"""What is larger is encoded on a thread. The usual chunk takes about as long as handing it over would."""

_INLINE_EXITS = 20
"""The same for exits, and for looking whose they are."""


class LogSink:
    """An `ExitSink`, too."""

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
        await self._append(
            lambda end: self._store.append_then(org_id, packed, end), is_quick=len(packed) <= _INLINE_SIGHTINGS
        )

    async def add_exits(self, org_id: int, exits: ProcessExits) -> None:
        await self._append(
            lambda end: self._store.append_exits_then(org_id, exits, end), is_quick=len(exits.exits) <= _INLINE_EXITS
        )

    def unknown_at_once(self, org_id: int, exits: ProcessExits) -> ProcessExits | None:
        if len(exits.exits) > _INLINE_EXITS:
            return None
        return self._store.unknown_exits_at_once(org_id, exits)

    async def _append(self, append: Callable[[End], None], *, is_quick: bool) -> None:
        loop = asyncio.get_running_loop()
        seen: asyncio.Future[None] = loop.create_future()

        def end(error: Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_end, seen, error)

        if is_quick:
            append(end)
        else:
            await loop.run_in_executor(self._threads, append, end)
        await seen


def _end(seen: asyncio.Future[None], error: Exception | None) -> None:
    if seen.done():  # nobody waits any more
        return
    if error is None:
        seen.set_result(None)
    else:
        seen.set_exception(error)
