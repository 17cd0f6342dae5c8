"""Calls that come while one is under way, made as one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from procession.errors import Unavailable

A = TypeVar("A")
B = TypeVar("B")

MAX_BATCH = 200
MAX_REST_SECONDS = 0.5


class Threads(Protocol):
    """A `ThreadPool`, or the turns of one org in a `FairThreadPool`."""

    async def run(self, call: Callable[[], Sequence[B]]) -> Sequence[B]: ...


class Coalescer(Generic[A, B]):
    """A lone item is worked on at once; while that goes on, others gather, and are the next call. So a store that takes
    as long for one as for many keeps up, however many come."""

    def __init__(
        self, function: Callable[[Sequence[A]], Sequence[B]], threads: Threads, *, busy_share: float = 1.0
    ) -> None:
        """`function` gives one result for each item, in their order. It runs for
        `busy_share` of the time at most: what comes without end then gathers for longer, up to MAX_REST_SECONDS, and
        costs less."""
        self._function = function
        self._rest_factor = 1 / busy_share - 1
        self._rest_ends_at = 0.0
        self._threads = threads
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._task: asyncio.Task[None] | None = None

    async def call(self, item: A) -> B:
        result: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await result

    async def _run(self) -> None:
        batch: list[tuple[A, asyncio.Future[B]]] = []
        try:
            while self._waiting:
                if len(self._waiting) < MAX_BATCH:  # else there is nobody more to wait for
                    await asyncio.sleep(max(0.0, self._rest_ends_at - time.monotonic()))
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._work_on(batch)
        except asyncio.CancelledError:  # the threads were closed
            _fail((*batch, *self._waiting), Unavailable("The server is stopping"))
            raise

    async def _work_on(self, batch: list[tuple[A, asyncio.Future[B]]]) -> None:
        items = [item for item, _ in batch]
        begun = time.monotonic()
        try:
            results = await self._threads.run(lambda: self._function(items))
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                # Something is wrong with one of them: the others must not suffer for it.
                for one in batch:
                    await self._work_on([one])
                return
            _fail(batch, error)
        else:
            for (_, result), value in zip(batch, results, strict=True):
                if not result.done():
                    result.set_result(value)
        finally:
            ended = time.monotonic()
            self._rest_ends_at = ended + min((ended - begun) * self._rest_factor, MAX_REST_SECONDS)


def _fail(batch: Iterable[tuple[A, asyncio.Future[B]]], error: Exception) -> None:
    for _, result in batch:
        if not result.done():  # its request may have been cancelled meanwhile
            result.set_exception(error)
