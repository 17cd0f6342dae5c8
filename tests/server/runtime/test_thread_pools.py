from __future__ import annotations

import asyncio
import functools
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from procession.errors import Unavailable
from procession.server.runtime import thread_pools as threads_module
from procession.server.runtime.thread_pools import RECENT_SECONDS, FairThreadPool
from tests.support.running import eventually

GREEDY, MODEST = 1, 2


class Slow:
    """A call that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()
        self.most_at_once = 0
        self._at_once = 0
        self._counting = threading.Lock()

    def __call__(self) -> None:
        with self._counting:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self.begun.release()
        assert self.go.wait(30)
        with self._counting:
            self._at_once -= 1


def run(main: Callable[[FairThreadPool, Slow], object], size: int = 4, **options: Any) -> None:
    async def inside() -> None:
        threads, slow = FairThreadPool(size, "test", **options), Slow()
        try:
            await asyncio.wait_for(main(threads, slow), 30)  # type: ignore[arg-type]
        finally:
            slow.go.set()
            threads.close()

    asyncio.run(inside())


def test_an_org_that_asks_without_end_leaves_half_of_the_threads_to_others() -> None:
    async def main(threads: FairThreadPool, slow: Slow) -> None:
        greedy = [asyncio.create_task(threads.run(GREEDY, slow)) for _ in range(50)]
        await asyncio.to_thread(slow.begun.acquire)

        answers = [await threads.run(MODEST, lambda: "answered") for _ in range(20)]

        assert answers == ["answered"] * 20
        assert not any(task.done() for task in greedy)
        slow.go.set()
        await asyncio.gather(*greedy)

    run(main)


def test_orgs_take_turns_however_much_of_one_waits() -> None:
    order: list[int] = []

    async def main(threads: FairThreadPool, slow: Slow) -> None:
        holding = [asyncio.create_task(threads.run(3, slow))]
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(threads.run(GREEDY, lambda: order.append(GREEDY))) for _ in range(30)]
        await asyncio.sleep(0)
        waiting += [asyncio.create_task(threads.run(MODEST, lambda: order.append(MODEST))) for _ in range(3)]
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.gather(*holding, *waiting)

    run(main, size=1)

    assert len(order) == 33
    assert max(index for index, org in enumerate(order) if org == MODEST) < 8


def test_too_much_of_one_org_is_refused_with_a_reason_and_that_of_others_is_not() -> None:
    async def main(threads: FairThreadPool, slow: Slow) -> None:
        tasks = [asyncio.create_task(threads.run(GREEDY, slow)) for _ in range(7)]
        await asyncio.sleep(0)

        with pytest.raises(Unavailable, match="5 queries of this org are waiting already") as refused:
            await threads.run(GREEDY, slow)
        assert refused.value.retry_after_seconds == 2
        assert await threads.run(MODEST, lambda: 7) == 7

        slow.go.set()
        await asyncio.gather(*tasks)
        assert await threads.run(GREEDY, lambda: 8) == 8

    run(main, max_waiting=5)


def test_whoever_goes_away_while_waiting_holds_up_nobody() -> None:
    async def main(threads: FairThreadPool, slow: Slow) -> None:
        tasks = [asyncio.create_task(threads.run(GREEDY, slow)) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        slow.go.set()

        assert await threads.run(GREEDY, lambda: 1) == 1
        assert await asyncio.gather(*(threads.run(GREEDY, lambda: 2) for _ in range(9))) == [2] * 9

    run(main)


def test_what_a_call_raises_goes_to_whoever_asked_and_frees_its_thread() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def main(threads: FairThreadPool, _: Slow) -> None:
        for _again in range(9):
            with pytest.raises(ValueError, match="no"):
                await threads.run(GREEDY, fail)

    run(main)


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nobody_gets_more_than_half_of_the_processors_while_others_ask() -> None:
    clock = Hand()

    async def most_of_ten(threads: FairThreadPool, expected: int) -> int:
        """How many of ten calls run at once, of which `expected` have to come that far."""
        slow = Slow()
        tasks = [asyncio.create_task(threads.run(GREEDY, slow)) for _ in range(10)]
        for _ in range(expected):
            assert await asyncio.to_thread(slow.begun.acquire, timeout=10)
        slow.go.set()
        await asyncio.gather(*tasks)
        return slow.most_at_once

    async def main(threads: FairThreadPool, slow: Slow) -> None:
        assert await most_of_ten(threads, 4) == 4, "nobody else has asked yet"
        await threads.run(MODEST, lambda: 1)
        assert await most_of_ten(threads, 1) == 1
        clock.now += RECENT_SECONDS
        assert await most_of_ten(threads, 4) == 4, "that was long ago"
        long = asyncio.create_task(threads.run(MODEST, slow))
        await asyncio.to_thread(slow.begun.acquire)
        clock.now += RECENT_SECONDS
        assert await most_of_ten(threads, 1) == 1, "it is still at work"
        slow.go.set()
        await long

    run(main, size=8, processors=2, clock=clock)


def test_threads_that_are_closed_while_they_start_end(monkeypatch: pytest.MonkeyPatch) -> None:
    last_may_begin, numbers = threading.Event(), itertools.count(1)

    def begin() -> None:
        if next(numbers) == 4:
            assert last_may_begin.wait(30)

    executor = functools.partial(ThreadPoolExecutor, initializer=begin)
    monkeypatch.setattr(threads_module, "ThreadPoolExecutor", executor)
    before = set(threading.enumerate())
    threads = FairThreadPool(4, "test")
    eventually(lambda: threads._all_started.n_waiting == 3, what="all but the last")

    threads.close()
    last_may_begin.set()

    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()
