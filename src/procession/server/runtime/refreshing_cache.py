"""A small part of the store, kept at hand and taken anew every few seconds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from procession.server.runtime.fair_pool import Threads

T = TypeVar("T")


class RefreshingCache(Generic[T]):
    """What `take` gave at most `seconds` ago. While the store cannot say, its Unavailable goes to whoever asks.

    It is taken anew when half of that time is over, so that who asks often never waits for it.
    """

    def __init__(
        self, take: Callable[[], T], thread: Threads, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`thread` has to be a single one: of many who find it too old, the first takes it anew and the rest see it."""
        self._take = take
        self._thread = thread
        self._seconds = seconds
        self._clock = clock
        self._value: tuple[float, T] | None = None
        self._early: asyncio.Task[None] | None = None
        self._next: asyncio.Future[T] | None = None
        """That waits for its turn."""

    async def get(self, seconds: float | None = None) -> T:
        """`seconds`: how old it may be at most, where that is less than usual."""
        within = self._seconds if seconds is None else seconds
        value = self._fresh(within)
        if value is None:
            return await self._thread.run(lambda: self._take_if_old(within))
        if self._clock() - value[0] >= self._seconds / 2 and (self._early is None or self._early.done()):
            self._early = asyncio.create_task(self._retake_early())
        return value[1]

    async def _retake_early(self) -> None:
        # Who finds it too old later asks again, and hears of it then.
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await self.retake()

    @property
    def last(self) -> T | None:
        """As it was taken last, however long ago that is."""
        return None if self._value is None else self._value[1]

    async def retake(self) -> T:
        """Now: it was just changed. All who say so before it is taken are content with one time."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._thread.run(self._take_next))
        return await asyncio.shield(self._next)

    def _fresh(self, seconds: float) -> tuple[float, T] | None:
        value = self._value
        return value if value is not None and self._clock() - value[0] < seconds else None

    def _take_if_old(self, seconds: float) -> T:
        value = self._fresh(seconds)
        return self._take_now() if value is None else value[1]

    def _take_next(self) -> T:
        self._next = None  # what changes from here on may be missing
        return self._take_now()

    def _take_now(self) -> T:
        started_at = self._clock()
        value = self._take()
        self._value = (started_at, value)
        return value
