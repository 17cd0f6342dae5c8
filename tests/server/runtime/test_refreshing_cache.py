"""What is kept at hand for a few seconds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from procession.errors import Unavailable
from procession.server.runtime.refreshing_cache import RefreshingCache
from procession.server.runtime.thread_pools import ThreadPool


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Part:
    """Counts how often it was taken."""

    def __init__(self) -> None:
        self.count = 0
        self.is_away = False
        self.taken = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> int:
        self._loop.call_soon_threadsafe(self.taken.set)
        if self.is_away:
            raise Unavailable("away")
        self.count += 1
        return self.count


Try = Callable[[ThreadPool], Coroutine[Any, Any, None]]


def on_a_loop(test: Try) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        threads = ThreadPool(1, "test")
        try:
            asyncio.run(test(threads))
        finally:
            threads.close()

    del run.__dict__["__wrapped__"]  # for pytest it has no arguments
    return run


@on_a_loop
async def test_is_taken_once_while_it_is_new(thread: ThreadPool) -> None:
    clock, part = Clock(), Part()
    refreshed = RefreshingCache(part, thread, 10, clock)
    assert await refreshed.get() == 1
    clock.now += 4.9
    assert await refreshed.get() == 1
    assert part.count == 1


@on_a_loop
async def test_is_taken_anew_before_it_is_too_old_and_nobody_waits(thread: ThreadPool) -> None:
    clock, part = Clock(), Part()
    refreshed = RefreshingCache(part, thread, 10, clock)
    await refreshed.get()
    part.taken.clear()
    clock.now += 5
    assert await refreshed.get() == 1
    await asyncio.wait_for(part.taken.wait(), 10)
    await thread.run(lambda: None)  # one thread: what was under way is done
    assert await refreshed.get() == 2


@on_a_loop
async def test_is_never_older_than_was_said(thread: ThreadPool) -> None:
    clock, part = Clock(), Part()
    refreshed = RefreshingCache(part, thread, 10, clock)
    await refreshed.get()
    clock.now += 10
    assert await refreshed.get() == 2
    clock.now += 1
    assert await refreshed.get(0.5) == 3


@on_a_loop
async def test_says_that_the_store_is_away_only_when_it_must(thread: ThreadPool) -> None:
    clock, part = Clock(), Part()
    refreshed = RefreshingCache(part, thread, 10, clock)
    await refreshed.get()
    part.is_away = True
    part.taken.clear()
    clock.now += 9
    assert await refreshed.get() == 1
    await asyncio.wait_for(part.taken.wait(), 10)
    clock.now += 1
    with pytest.raises(Unavailable):
        await refreshed.get()


@on_a_loop
async def test_many_who_find_it_too_old_take_it_once(thread: ThreadPool) -> None:
    part = Part()
    refreshed = RefreshingCache(part, thread, 10, Clock())
    assert await asyncio.gather(*(refreshed.get() for _ in range(20))) == [1] * 20


@on_a_loop
async def test_many_changes_are_seen_by_taking_it_once_more(thread: ThreadPool) -> None:
    part, may_go_on = Part(), threading.Event()
    refreshed = RefreshingCache(part, thread, 10, Clock())
    busy = asyncio.create_task(thread.run(lambda: may_go_on.wait(30)))
    await asyncio.sleep(0)

    changes = [asyncio.create_task(refreshed.reload()) for _ in range(20)]
    await asyncio.sleep(0)
    changes[0].cancel()
    may_go_on.set()

    assert await asyncio.gather(*changes[1:]) == [1] * 19
    assert await refreshed.reload() == 2
    await busy


@on_a_loop
async def test_what_is_at_hand_is_not_read(thread: ThreadPool) -> None:
    clock, part = Clock(), Part()
    at_hand: list[int | None] = [None]
    refreshed = RefreshingCache(part, thread, 10, clock, at_hand=lambda: at_hand[0])
    assert await refreshed.get() == 1

    at_hand[0] = 7
    assert await refreshed.get() == 1
    clock.now += 5
    assert await refreshed.get() == 7
    at_hand[0] = None
    clock.now += 4
    assert await refreshed.get() == 7
    clock.now += 7
    assert await refreshed.get() == 2

    assert part.count == 2
