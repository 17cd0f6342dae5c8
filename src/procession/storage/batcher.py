"""Many chunks, one insert, each answered once its group is safe on disk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from procession.errors import Unavailable
from procession.process import Snapshot
from procession.storage import NotAllStored, ProcessStore

MAX_GROUP_SIGHTINGS = 100_000
"""An insert of so many is as cheap, for each, as one of more."""

_QUICK_SECONDS = 0.03
_LONGEST_WAIT = 0.25
"""What a group costs hardly depends on its size, up to some ten thousand: where storing has become slow, wait as long
as it took for more to come, so that there is time for other things."""


@dataclass(slots=True)
class _Waiting:
    org_id: int
    snapshot: Snapshot
    stored: asyncio.Future[None]

    def succeed(self) -> None:
        if not self.stored.done():  # its request may have been cancelled meanwhile
            self.stored.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.stored.done():
            self.stored.set_exception(error)


class Batcher:
    """One insert at a time; what arrives meanwhile is the next group. So a lone chunk is stored at once, and under load
    groups grow as large as the store needs them."""

    def __init__(self, store: ProcessStore, *, max_waiting_sightings: int = 400_000) -> None:
        self._store = store
        self._max_waiting = max_waiting_sightings
        self._waiting: deque[_Waiting] = deque()
        self._waiting_sightings = 0
        self._arrived = asyncio.Event()
        self._is_full = asyncio.Event()
        """There is enough for a group, or no time to wait for it."""
        self._last_seconds = 0.0
        """How long storing took the last time."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Store what was accepted, refuse what comes after."""
        self._is_stopping = True
        self._arrived.set()
        self._is_full.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def add(self, org_id: int, snapshot: Snapshot) -> None:
        """Returns once the snapshot is safe on disk. Raises Unavailable where it is not; the agent has to try again."""
        if self._is_stopping or self._task is None:
            raise Unavailable("The server is stopping")
        # A single chunk is always let in, however large it is.
        if self._waiting and self._waiting_sightings + len(snapshot.sightings) > self._max_waiting:
            raise Unavailable("The store is behind; try again")
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(org_id, snapshot, stored))
        self._waiting_sightings += len(snapshot.sightings)
        self._arrived.set()
        if self._waiting_sightings >= MAX_GROUP_SIGHTINGS:
            self._is_full.set()
        await stored

    async def _run(self) -> None:
        while not (self._is_stopping and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._let_more_come()
                begun = time.monotonic()
                await self._store_group(self._take_group())
                self._last_seconds = time.monotonic() - begun

    async def _let_more_come(self) -> None:
        wait = min(self._last_seconds - _QUICK_SECONDS, _LONGEST_WAIT)
        if wait > 0 and not self._is_stopping:
            self._is_full.clear()
            if self._waiting_sightings < MAX_GROUP_SIGHTINGS:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._is_full.wait(), wait)

    def _take_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0].snapshot.sightings) <= MAX_GROUP_SIGHTINGS):
            item = self._waiting.popleft()
            size += len(item.snapshot.sightings)
            group.append(item)
        self._waiting_sightings -= size
        return group

    async def _store_group(self, group: list[_Waiting]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._thread, self._store.add, [(item.org_id, item.snapshot) for item in group]
            )
        except Unavailable as error:
            for place, item in enumerate(group):
                if isinstance(error, NotAllStored) and place not in error.lost:
                    item.succeed()
                else:
                    item.fail(error)
        except Exception as error:
            if len(group) == 1:
                group[0].fail(error)
                return
            # Something in one of them cannot be stored: the others must not suffer for it, nor be sent again for ever.
            for item in group:
                await self._store_group([item])
        else:
            for item in group:
                item.succeed()
