"""Many chunks, one insert: each is answered once its batch is safe on disk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from procession.errors import Unavailable
from procession.packed import AnySnapshot, pack
from procession.storage import NotAllStored, ProcessStore
from procession.storage.history.write.fair_queue import Chunk, FairQueue

MAX_BATCH_WEIGHT = 100_000
"""In sightings. An insert of so many is as cheap, for each, as one of more."""

MAX_BATCH_CHARACTERS = 32 * 2**20
"""Of all texts in a batch, which takes several times as much memory while it is stored."""

_LEAST_BATCH_WEIGHT = 500
_FLUSH_SECONDS = 1.0
_SHARED_FLUSH_SECONDS = 0.2
"""While several orgs post, what one of them posts should not hold up the others for longer. But the smallest batch
takes some time as well; one that takes twice as long is never too large."""

_SHARED_FOR_SECONDS = 60

_FLUSHES_AT_ONCE = 2
"""With more of them each would take longer, and be smaller."""

MOST_SECONDS_TO_WAIT = 10.0
"""An agent gives up after 20: to store what it has given up, and sends again, would leave no time for the rest."""

_QUICK_SECONDS = 0.03
_LONGEST_WAIT = 1.0
_LONGEST_SHARED_WAIT = 0.25
_LONGEST_WAIT_OF_FEW = 0.1
_FEW = 2000
"""What a batch costs hardly depends on its size, up to some ten thousand: where storing has become slow, wait twice as
long as it took for more to come, so that there is time for other things. Agents do not mind: they post every ten. But
where few sightings come there is little to win by it."""


class BatchSize:
    """How much goes into one insert at most, in sightings: what takes a moment, since what comes meanwhile waits.

    A sighting of a process that nobody has seen costs forty times what others do, so it is found by trying.
    """

    def __init__(self) -> None:
        self.weight = 10_000
        self._last = deque[float](maxlen=30)

    def learn(self, weight: int, seconds: float, *, was_full: bool, wanted_seconds: float) -> None:
        self._last.append(seconds)
        wanted_seconds = max(wanted_seconds, 2 * min(self._last))
        if seconds > wanted_seconds:
            self.weight = max(_LEAST_BATCH_WEIGHT, min(self.weight, weight) // 2)
        elif was_full and seconds < wanted_seconds / 2:
            self.weight = min(MAX_BATCH_WEIGHT, self.weight * 2)


class Batcher:
    """One insert of an org at a time; what arrives meanwhile is the next batch. So a lone chunk is stored at once, and
    under load batches grow as large as the store needs them. Two batches of different orgs may be stored at the same
    time, so that an org that posts little need not wait for one that takes long."""

    def __init__(self, store: ProcessStore, *, max_waiting_weight: int = 400_000) -> None:
        self._store = store
        self._queue = FairQueue(max_waiting_weight)
        self._size = BatchSize()
        self._posted_at: dict[int, float] = {}
        """By org, the eldest first."""
        self._arrived = asyncio.Event()
        self._is_full = asyncio.Event()
        """There is enough for a batch, or no time to wait for it."""
        self._last_seconds = {True: 0.0, False: 0.0}
        """How long storing took the last time: of those who post little apart from others, and of all others."""
        self._threads = ThreadPoolExecutor(_FLUSHES_AT_ONCE, thread_name_prefix="store")
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._run()) for _ in range(_FLUSHES_AT_ONCE)]

    async def stop(self) -> None:
        """Store what was accepted, refuse what comes after."""
        self._is_stopping = True
        self._arrived.set()
        self._is_full.set()
        for task in self._tasks:
            await task
        self._threads.shutdown()

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        """Returns once the snapshot is safe on disk. Raises Unavailable or TooManyRequests where it is not; the agent
        has to try again."""
        if self._is_stopping or not self._tasks:
            raise Unavailable("The server is stopping")
        self._posted_at.pop(org_id, None)
        self._posted_at[org_id] = time.monotonic()
        chunk = Chunk(org_id, pack(snapshot), asyncio.get_running_loop().create_future())
        self._queue.put(chunk)
        self._arrived.set()
        if self._queue.weight >= self._size.weight:
            self._is_full.set()
        try:
            await chunk.stored
        except asyncio.CancelledError:
            # Nobody waits for it any more: it is sent again, and whatever waits behind it is of more use.
            self._queue.drop(chunk)
            raise

    async def _run(self) -> None:
        while not (self._is_stopping and not self._queue):
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue.next_weight:
                await self._wait_for_more()
                await self._flush_some()

    async def _wait_for_more(self) -> None:
        seconds, longest = self._last_seconds[False], _LONGEST_WAIT
        if self._is_shared():
            seconds, longest = min(seconds, self._last_seconds[True] or seconds), _LONGEST_SHARED_WAIT
        wait = min(2 * (seconds - _QUICK_SECONDS), longest)
        if wait > 0:
            first = min(wait, _LONGEST_WAIT_OF_FEW)
            await self._wait_until_full(first)
            if self._queue.next_weight >= _FEW:
                await self._wait_until_full(wait - first)

    async def _wait_until_full(self, seconds: float) -> None:
        if self._is_stopping or self._queue.next_weight >= self._size.weight:
            return
        self._is_full.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_full.wait(), seconds)

    async def _flush_some(self) -> None:
        wanted_seconds = _SHARED_FLUSH_SECONDS if self._is_shared() else _FLUSH_SECONDS
        self._queue.refuse_older_than(time.monotonic() - MOST_SECONDS_TO_WAIT)
        batch = self._queue.take(self._size.weight, MAX_BATCH_CHARACTERS)
        if not batch:
            return
        was_full, was_of_small_orgs = self._queue.has_more_of(batch), self._queue.was_of_small_orgs
        begun = time.monotonic()
        try:
            await self._flush(batch)
        finally:
            self._queue.release(batch)
            self._arrived.set()
        seconds = self._last_seconds[was_of_small_orgs] = time.monotonic() - begun
        if was_of_small_orgs:
            return  # it is small for another reason
        self._size.learn(
            sum(chunk.weight for chunk in batch), seconds, was_full=was_full, wanted_seconds=wanted_seconds
        )

    def _is_shared(self) -> bool:
        """Whether several orgs have posted of late."""
        long_ago = time.monotonic() - _SHARED_FOR_SECONDS
        while self._posted_at and next(iter(self._posted_at.values())) < long_ago:
            del self._posted_at[next(iter(self._posted_at))]
        return len(self._posted_at) > 1

    async def _flush(self, batch: list[Chunk]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._threads, self._store.add, [(chunk.org_id, chunk.snapshot) for chunk in batch]
            )
        except Unavailable as error:
            for number, chunk in enumerate(batch):
                if isinstance(error, NotAllStored) and number not in error.failed_indexes:
                    chunk.succeed()
                else:
                    chunk.fail(error)
        except Exception as error:
            if len(batch) == 1:
                batch[0].fail(error)
                return
            # Something in one of them cannot be stored: the others must not suffer for it, nor be sent again for ever.
            for chunk in batch:
                await self._flush([chunk])
        else:
            for chunk in batch:
                chunk.succeed()
