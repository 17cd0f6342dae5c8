"""A small part of the store, kept in memory and read again every few seconds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from procession.server.runtime.thread_pools import ThreadPool

T = TypeVar("T")


class RefreshingCache(Generic[T]):
    """What `read` gave at most `seconds` ago. While the store cannot say, its Unavailable goes to the caller.

    It is read again when half of that time is over, so that a frequent caller never waits for it.
    """

    def __init__(
        self,
        read: Callable[[], T],
        thread: ThreadPool,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        at_hand: Callable[[], T | None] = lambda: None,
    ) -> None:
        """`thread` has to be a single one: of many callers that find it too old, the first reads it again and the
        rest see it. `at_hand` gives at once what `read` would give, or None where that takes time."""
        self._read = read
        self._at_hand = at_hand
        self._thread = thread
        self._seconds = seconds
        self._clock = clock
        self._value: tuple[float, T] | None = None
        self._early_reload: asyncio.Task[None] | None = None
        self._next: asyncio.Future[T] | None = None
        """The reload that waits for its turn."""

    async def get(self, seconds: float | None = None) -> T:
        """`seconds`: how old it may be at most, where that is less than usual."""
        within = self._seconds if seconds is None else seconds
        value = self._fresh(within)
        if value is not None and self._clock() - value[0] < self._seconds / 2:
            return value[1]
        found = self._at_hand()
        if found is not None:
            self._value = (self._clock(), found)
            return found
        if value is None:
            return await self._thread.run(lambda: self._read_if_old(within))
        if self._early_reload is None or self._early_reload.done():
            self._early_reload = asyncio.create_task(self._reload_early())
        return value[1]

    async def _reload_early(self) -> None:
        # A caller that finds it too old later reads it again, and is told then.
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await self.reload()

    @property
    def last(self) -> T | None:
        """As it was read last, however long ago that is."""
        return None if self._value is None else self._value[1]

    async def reload(self) -> T:
        """Read it now: it was just changed. All who say so before it is read share one time."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._thread.run(self._read_next))
        return await asyncio.shield(self._next)

    def _fresh(self, seconds: float) -> tuple[float, T] | None:
        value = self._value
        return value if value is not None and self._clock() - value[0] < seconds else None

    def _read_if_old(self, seconds: float) -> T:
        value = self._fresh(seconds)
        return self._read_now() if value is None else value[1]

    def _read_next(self) -> T:
        self._next = None  # what changes from here on may be missing
        return self._read_now()

    def _read_now(self) -> T:
        started_at = self._clock()
        value = self._read()
        self._value = (started_at, value)
        return value
