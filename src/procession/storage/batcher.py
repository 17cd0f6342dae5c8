"""Groups what is added and acknowledges what is safe: many chunks, one insert, each answered once its group is on disk."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from procession.errors import Unavailable
from procession.process import Snapshot
from procession.storage import ProcessStore

MAX_GROUP_SIGHTINGS = 100_000
"""An insert of so many is as cheap, for each, as one of more."""


class Batcher:
    """One insert at a time; what arrives meanwhile is the next group. So a lone chunk is stored at once, and under load
    groups grow as large as the store needs them."""

    def __init__(self, store: ProcessStore, *, max_waiting_sightings: int = 400_000) -> None:
        self._store = store
        self._max_waiting = max_waiting_sightings
        self._waiting: deque[tuple[int, Snapshot, asyncio.Future[None]]] = deque()
        self._waiting_sightings = 0
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Store what was accepted, refuse what comes after."""
        self._is_stopping = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def add(self, org_id: int, snapshot: Snapshot) -> None:
        """Returns once the snapshot is safe on disk. Raises Unavailable where it is not and the agent has to try again."""
        if self._is_stopping or self._task is None:
            raise Unavailable("The server is stopping")
        # A single chunk is always let in, however large it is.
        if self._waiting and self._waiting_sightings + len(snapshot.sightings) > self._max_waiting:
            raise Unavailable("The store is behind; try again")
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((org_id, snapshot, stored))
        self._waiting_sightings += len(snapshot.sightings)
        self._arrived.set()
        await stored

    async def _run(self) -> None:
        while not (self._is_stopping and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._store_group(self._take_group())

    def _take_group(self) -> list[tuple[int, Snapshot, asyncio.Future[None]]]:
        group = []
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0][1].sightings) <= MAX_GROUP_SIGHTINGS):
            item = self._waiting.popleft()
            size += len(item[1].sightings)
            group.append(item)
        self._waiting_sightings -= size
        return group

    async def _store_group(self, group: list[tuple[int, Snapshot, asyncio.Future[None]]]) -> None:
        snapshots = [(org_id, snapshot) for org_id, snapshot, _ in group]
        error: BaseException | None = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store.add, snapshots)
        except Exception as failure:  # whoever waits for it gets it; the next group has its own chance
            error = failure
        for _, _, stored in group:
            if stored.done():  # its request was cancelled meanwhile
                continue
            if error is None:
                stored.set_result(None)
            else:
                stored.set_exception(error)
