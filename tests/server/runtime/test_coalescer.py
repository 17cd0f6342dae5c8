from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from procession.errors import Unavailable
from procession.server.runtime.coalescer import MAX_BATCH, Coalescer
from procession.server.runtime.thread_pools import ThreadPool


class Doubler:
    """Doubles numbers, once it may; -1 is what it cannot double."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.is_called = threading.Event()
        self.may_go_on = threading.Event()
        self.error: Exception = ValueError("not this one")

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        self.is_called.set()
        assert self.may_go_on.wait(10)
        if -1 in numbers:
            raise self.error
        return [2 * number for number in numbers]


async def gathered(doubler: Doubler, *numbers: int) -> list[int | BaseException]:
    """What came of each, where all others came while the first was worked on."""
    threads = ThreadPool(1, "test")
    coalescer = Coalescer(doubler, threads)
    first, *others = numbers
    tasks = [asyncio.create_task(coalescer.call(first))]
    await asyncio.to_thread(doubler.is_called.wait, 10)
    tasks += [asyncio.create_task(coalescer.call(number)) for number in others]
    await asyncio.sleep(0)  # they are in the queue now
    doubler.may_go_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    threads.close()
    return results


def test_what_comes_during_a_call_is_the_next_one() -> None:
    doubler = Doubler()

    assert asyncio.run(gathered(doubler, 1, 2, 3, 4)) == [2, 4, 6, 8]
    assert doubler.calls == [[1], [2, 3, 4]]


def test_one_that_cannot_be_done_does_not_hurt_the_others() -> None:
    results = asyncio.run(gathered(Doubler(), 1, 2, -1, 4))

    assert [results[0], results[1], results[3]] == [2, 4, 8]
    assert isinstance(results[2], ValueError)


def test_a_store_that_is_away_is_asked_once() -> None:
    doubler = Doubler()
    doubler.error = Unavailable("away")

    results = asyncio.run(gathered(doubler, 1, 2, -1, 4))

    assert [type(one) for one in results[1:]] == [Unavailable] * 3
    assert len(doubler.calls) == 2


def test_a_call_has_a_bounded_number_of_items() -> None:
    doubler = Doubler()

    assert asyncio.run(gathered(doubler, *range(2 * MAX_BATCH))) == [2 * n for n in range(2 * MAX_BATCH)]
    assert max(map(len, doubler.calls)) == MAX_BATCH


def test_one_that_is_cancelled_does_not_hurt_the_others() -> None:
    async def cancel_one() -> int:
        doubler, threads = Doubler(), ThreadPool(1, "test")
        coalescer = Coalescer(doubler, threads)
        first = asyncio.create_task(coalescer.call(1))
        await asyncio.to_thread(doubler.is_called.wait, 10)
        second, third = (asyncio.create_task(coalescer.call(number)) for number in (2, 3))
        await asyncio.sleep(0)
        second.cancel()
        doubler.may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await second
        total = await first + await third
        threads.close()
        return total

    assert asyncio.run(cancel_one()) == 8


def test_who_waits_when_the_threads_are_closed_hears_of_it() -> None:
    async def close() -> list[int | BaseException]:
        doubler, threads = Doubler(), ThreadPool(1, "test")
        coalescer = Coalescer(doubler, threads)
        busy = asyncio.create_task(threads.run(lambda: doubler([1])))
        await asyncio.to_thread(doubler.is_called.wait, 10)
        tasks = [asyncio.create_task(coalescer.call(number)) for number in (2, 3)]
        for _ in range(5):  # until they wait for the thread
            await asyncio.sleep(0)
        threads.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        doubler.may_go_on.set()
        await busy
        return results

    assert [type(one) for one in asyncio.run(close())] == [Unavailable, Unavailable]


def test_a_call_that_may_not_be_made_all_the_time_lets_others_gather() -> None:
    calls: list[list[int]] = []

    def work(numbers: Sequence[int]) -> list[int]:
        calls.append(list(numbers))
        time.sleep(0.1)  # it is the work
        return list(numbers)

    async def scenario() -> None:
        threads = ThreadPool(1, "test")
        coalescer = Coalescer(work, threads, busy_share=0.2)
        await coalescer.call(1)
        others = []
        for number in range(2, 6):
            others.append(asyncio.create_task(coalescer.call(number)))
            await asyncio.sleep(0)  # each in a round of the loop of its own
        assert calls == [[1]], "it rests"
        await asyncio.gather(*others)
        threads.close()

    asyncio.run(scenario())

    assert calls == [[1], [2, 3, 4, 5]]


def test_nobody_waits_where_there_are_enough_for_a_call() -> None:
    calls: list[int] = []

    def work(numbers: Sequence[int]) -> list[int]:
        calls.append(len(numbers))
        return list(numbers)

    async def scenario() -> None:
        threads = ThreadPool(1, "test")
        coalescer = Coalescer(work, threads)
        coalescer._rest_ends_at = time.monotonic() + 3600
        await asyncio.wait_for(asyncio.gather(*(coalescer.call(number) for number in range(MAX_BATCH))), 30)
        threads.close()

    asyncio.run(scenario())

    assert calls == [MAX_BATCH]
