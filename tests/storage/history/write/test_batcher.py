from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from procession.errors import Unavailable
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.process import Snapshot
from procession.query import ProcessQuery
from procession.storage.history.write import batcher as batcher_module
from procession.storage.history.write.batcher import MAX_BATCH_WEIGHT, Batcher, BatchSize
from tests.support.builders import NOON, a_sighting, a_snapshot


class RecordingStore:
    """Keeps the batches it is given; can be held up, takes as long as it is told for hosts called `slow`, and refuses
    those called `bad`."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.slow_are_done = threading.Event()

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        self.entered.set()
        assert self.may_go_on.wait(10)
        hosts = [snapshot.host for _, snapshot in snapshots]
        if "slow" in hosts:
            assert self.slow_are_done.wait(10)
        if "full" in hosts:
            raise Unavailable("no room")
        if "bad" in hosts:
            raise ValueError("cannot be stored")
        self.batches.append(hosts)

    def find(self, query: ProcessQuery) -> Page:
        raise AssertionError(query)


def chunk(host: str) -> Snapshot:
    return a_snapshot(a_sighting(), host=host, taken_at=NOON)


async def hold_up(store: RecordingStore, batcher: Batcher) -> asyncio.Task[None]:
    """A first chunk that stays in the store until it is let go, so that what comes after has to wait."""
    store.may_go_on.clear()
    first = asyncio.create_task(batcher.add(1, chunk("first")))
    await asyncio.to_thread(store.entered.wait, 10)
    return first


def test_chunks_that_arrive_while_the_store_is_busy_become_one_batch() -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        first = await hold_up(store, batcher)
        others = [asyncio.create_task(batcher.add(1, chunk(host))) for host in "abc"]
        await asyncio.sleep(0)

        store.may_go_on.set()
        await asyncio.gather(first, *others)
        await batcher.stop()
        return store.batches

    assert asyncio.run(scenario()) == [["first"], ["a", "b", "c"]]


def test_a_chunk_that_cannot_be_stored_fails_alone() -> None:
    async def scenario() -> tuple[list[BaseException | None], list[list[str]]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        first = await hold_up(store, batcher)
        others = [asyncio.create_task(batcher.add(1, chunk(host))) for host in ("a", "bad", "c")]
        await asyncio.sleep(0)

        store.may_go_on.set()
        results = await asyncio.gather(first, *others, return_exceptions=True)
        await batcher.stop()
        return results, store.batches

    results, batches = asyncio.run(scenario())

    assert [type(result) for result in results] == [type(None), type(None), ValueError, type(None)]
    assert batches == [["first"], ["a"], ["c"]]


def test_a_store_without_room_refuses_its_batch_and_takes_the_next() -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        with pytest.raises(Unavailable, match="no room"):
            await batcher.add(1, chunk("full"))
        await batcher.add(1, chunk("a"))
        await batcher.stop()
        return store.batches

    assert asyncio.run(scenario()) == [["a"]]


def test_what_would_wait_beyond_the_bound_is_refused_at_once() -> None:
    async def scenario() -> None:
        store = RecordingStore()
        batcher = Batcher(store, max_waiting_weight=2)
        await batcher.start()
        first = await hold_up(store, batcher)
        waiting = [asyncio.create_task(batcher.add(1, chunk(host))) for host in "ab"]
        await asyncio.sleep(0)

        with pytest.raises(Unavailable, match="behind"):
            await batcher.add(1, chunk("c"))

        store.may_go_on.set()
        await asyncio.gather(first, *waiting)
        await batcher.stop()

    asyncio.run(scenario())


def test_stopping_stores_what_was_accepted_and_refuses_what_comes_after() -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        first = await hold_up(store, batcher)
        waiting = asyncio.create_task(batcher.add(1, chunk("a")))
        await asyncio.sleep(0)

        stopping = asyncio.create_task(batcher.stop())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="stopping"):
            await batcher.add(1, chunk("b"))
        store.may_go_on.set()
        await asyncio.gather(first, waiting, stopping)
        return store.batches

    assert asyncio.run(scenario()) == [["first"], ["a"]]


def test_what_nobody_waits_for_any_more_is_not_stored() -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        first = await hold_up(store, batcher)
        gone, other = (asyncio.create_task(batcher.add(1, chunk(host))) for host in ("gone", "other"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)

        store.may_go_on.set()
        await asyncio.gather(first, other)
        await batcher.stop()
        return store.batches

    assert asyncio.run(scenario()) == [["first"], ["other"]]


def test_what_has_waited_too_long_is_refused_and_what_comes_after_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        first = await hold_up(store, batcher)
        late = asyncio.create_task(batcher.add(1, chunk("late")))
        await asyncio.sleep(0)
        monkeypatch.setattr(batcher_module, "MOST_SECONDS_TO_WAIT", -1000.0)
        store.may_go_on.set()
        with pytest.raises(Unavailable, match="too far behind"):
            await late
        monkeypatch.undo()
        await asyncio.gather(first, batcher.add(1, chunk("next")))
        await batcher.stop()
        return store.batches

    assert asyncio.run(scenario()) == [["first"], ["next"]]


def test_what_one_org_posts_without_end_does_not_keep_another_from_the_next_batch() -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store, max_waiting_weight=50)
        await batcher.start()
        first = await hold_up(store, batcher)
        greedy = [asyncio.create_task(batcher.add(1, chunk("greedy"))) for _ in range(200)]
        await asyncio.sleep(0)
        modest = [asyncio.create_task(batcher.add(2, chunk("modest"))) for _ in range(20)]
        await asyncio.sleep(0)

        store.may_go_on.set()
        results = await asyncio.gather(first, *modest)
        assert results == [None] * 21
        refused = [one for one in await asyncio.gather(*greedy, return_exceptions=True) if one is not None]
        assert len(refused) == 170
        await batcher.stop()
        return store.batches

    batches = asyncio.run(scenario())

    hosts = [host for batch in batches for host in batch]
    assert (hosts.count("modest"), hosts.count("greedy")) == (20, 30)


def test_nobody_waits_for_what_is_being_stored_for_another_org() -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        slow = asyncio.create_task(batcher.add(1, chunk("slow")))
        await asyncio.to_thread(store.entered.wait, 10)
        again = asyncio.create_task(batcher.add(1, chunk("again")))

        await asyncio.wait_for(batcher.add(2, chunk("other")), 10)

        assert not slow.done()
        assert not again.done()
        store.slow_are_done.set()
        await asyncio.gather(slow, again)
        await batcher.stop()
        return store.batches

    assert asyncio.run(scenario()) == [["other"], ["slow"], ["again"]]


def test_a_batch_gets_smaller_where_storing_takes_long_and_larger_where_it_does_not() -> None:
    size = BatchSize()
    size.learn(100, 0.05, was_full=False, wanted_seconds=0.2)

    size.learn(10_000, 0.9, was_full=True, wanted_seconds=0.2)
    assert size.weight == 5000
    for _ in range(9):
        size.learn(size.weight, 0.9, was_full=True, wanted_seconds=0.2)
    assert size.weight == 500
    size.learn(100, 0.01, was_full=False, wanted_seconds=0.2)
    assert size.weight == 500, "a small one says nothing of large ones"
    for _ in range(9):
        size.learn(size.weight, 0.05, was_full=True, wanted_seconds=0.2)
    assert size.weight == MAX_BATCH_WEIGHT


def test_a_batch_is_not_too_large_where_the_smallest_takes_half_as_long() -> None:
    size = BatchSize()
    size.learn(100, 0.5, was_full=False, wanted_seconds=0.2)

    size.learn(10_000, 0.9, was_full=True, wanted_seconds=0.2)
    assert size.weight == 10_000
    size.learn(10_000, 1.1, was_full=True, wanted_seconds=0.2)
    assert size.weight == 5000


@pytest.mark.parametrize("count", [1, 3])
def test_a_snapshot_of_no_process_is_stored_at_once_though_it_is_alone(count: int) -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        empty = [a_snapshot(host=f"none-{number}", taken_at=NOON, request_id=number) for number in range(count)]
        await asyncio.wait_for(asyncio.gather(*(batcher.add(org, one) for org, one in enumerate(empty))), 5)
        await batcher.stop()
        return store.batches

    assert sorted(host for batch in asyncio.run(scenario()) for host in batch) == [f"none-{n}" for n in range(count)]


def test_a_snapshot_of_no_process_is_stored_before_the_end() -> None:
    async def scenario() -> list[list[str]]:
        store = RecordingStore()
        batcher = Batcher(store)
        await batcher.start()
        first = await hold_up(store, batcher)
        waiting = asyncio.create_task(batcher.add(1, a_snapshot(host="none", taken_at=NOON)))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(batcher.stop())
        store.may_go_on.set()
        await asyncio.wait_for(asyncio.gather(first, waiting, stopping), 5)
        return store.batches

    assert asyncio.run(scenario()) == [["first"], ["none"]]
