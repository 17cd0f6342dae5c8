"""A small part of the store, kept at hand and taken anew every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from procession.server.threads import Threads

T = TypeVar("T")


class Refreshed(Generic[T]):
    """What `take` gave at most `seconds` ago. While the store cannot say, its Unavailable goes to whoever asks."""

    def __init__(
        self, take: Callable[[], T], thread: Threads, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`thread` has to be a single one: of many who find it too old, the first takes it anew and the rest see it."""
        self._take = take
        self._thread = thread
        self._seconds = seconds
        self._clock = clock
        self._value: tuple[float, T] | None = None

    async def get(self) -> T:
        value = self._fresh()
        return (await self._thread.run(self._take_if_old)) if value is None else value[1]

    async def retake(self) -> T:
        """Now: it was just changed."""
        return await self._thread.run(self._take_now)

    def _fresh(self) -> tuple[float, T] | None:
        value = self._value
        return value if value is not None and self._clock() - value[0] < self._seconds else None

    def _take_if_old(self) -> T:
        value = self._fresh()
        return self._take_now() if value is None else value[1]

    def _take_now(self) -> T:
        started_at = self._clock()
        value = self._take()
        self._value = (started_at, value)
        return value
