"""Where blocking calls run, so that the event loop never waits for the store."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from procession.errors import Unavailable
from procession.fair_order import RoundRobin

T = TypeVar("T")

RETRY_SECONDS = 2
RECENT_SECONDS = 60.0
"""An org that asked so recently may ask again."""


class ThreadPool:
    """A fixed number of threads; calls beyond that wait their turn."""

    def __init__(self, size: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)

    async def run(self, call: Callable[[], T]) -> T:
        # Whoever is called may want to know for which request.
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._executor, context.run, call)

    def close(self) -> None:
        """Calls under way finish on their own; those that wait are dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class TurnsOfOrg:
    """The threads of a `FairThreadPool` for one org."""

    def __init__(self, threads: FairThreadPool, org_id: int) -> None:
        self._threads = threads
        self._org_id = org_id

    async def run(self, call: Callable[[], T]) -> T:
        """Raises Unavailable where too much of this org waits already."""
        return await self._threads.run(self._org_id, call)


class FairThreadPool:
    """A fixed number of threads that orgs take in turn: an org that asks more than others waits longer.

    An org never has more than half of them, so that one that asks for what takes long leaves some to the others. But
    what it asks for takes the processors, too; so while others ask as well, it has no more threads at once than half of
    the processors.
    """

    def __init__(
        self,
        size: int,
        name: str,
        *,
        max_waiting: int = 200,
        items: str = "queries",
        processors: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`max_waiting` is for each org; `items`: what waits, in a word. `processors` [those of the machine]."""
        self._items = items
        self._clock = clock
        self._most_when_alone = max(1, size // 2)
        self._most_among_others = max(1, min(size, processors or os.cpu_count() or 1) // 2)
        self._called_at: dict[int, float] = {}
        """By org, the last one that asked at the end."""
        self._threads = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)
        # Now, and not by and by in the event loop, which would wait for each to start.
        self._all_started = threading.Barrier(size)
        for _ in range(size):
            self._threads.submit(self._all_started.wait)
        self._free = size
        self._max_waiting = max_waiting
        self._running: Counter[int] = Counter()
        self._waiting: RoundRobin[asyncio.Future[None]] = RoundRobin()

    async def run(self, org_id: int, call: Callable[[], T]) -> T:
        """Raises Unavailable where too much of this org waits already."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.count(org_id)
        if waiting >= self._max_waiting:
            raise Unavailable(
                f"{waiting} {self._items} of this org are waiting already; try again",
                retry_after_seconds=RETRY_SECONDS,
            )
        self._remember_call(org_id)
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.put(org_id, turn)
        self._give_turns()
        try:
            await turn
        except asyncio.CancelledError:
            if not self._waiting.remove(org_id, turn) and not turn.cancelled():
                self._end(org_id)
            raise
        future = self._threads.submit(contextvars.copy_context().run, call)

        def when_done(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._end, org_id)

        # Not when the caller is cancelled: the thread works on.
        future.add_done_callback(when_done)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Calls under way finish on their own; those that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._all_started.abort()  # those that have begun would wait for ever for those that were dropped

    def _end(self, org_id: int) -> None:
        self._free += 1
        self._running[org_id] -= 1
        if not self._running[org_id]:
            del self._running[org_id]
        self._give_turns()

    def _remember_call(self, org_id: int) -> None:
        now = self._clock()
        self._called_at.pop(org_id, None)
        self._called_at[org_id] = now
        for other, at in list(self._called_at.items()):
            if now - at < RECENT_SECONDS:
                break
            del self._called_at[other]

    def _may_run(self, org_id: int) -> bool:
        """Whether it may have one more thread."""
        is_alone = not (self._called_at.keys() | self._running.keys()) - {org_id}
        most = self._most_when_alone if is_alone else self._most_among_others
        return self._running[org_id] < most

    def _give_turns(self) -> None:
        while self._free and (found := self._waiting.take_turn(self._may_run)) is not None:
            org_id, turn = found
            if not turn.done():  # its caller may have been cancelled just now
                self._free -= 1
                self._running[org_id] += 1
                turn.set_result(None)
