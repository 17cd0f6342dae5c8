from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from procession.errors import TooManyRequests, Unavailable
from procession.packed import characters_of, pack
from procession.storage.history.write.fair_queue import Chunk, FairQueue
from tests.support.builders import a_sighting, a_snapshot

GREEDY, MODEST = 1, 2
MANY = 10**9


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def chunks(loop: asyncio.AbstractEventLoop) -> ChunkMaker:
    return ChunkMaker(loop)


class ChunkMaker:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __call__(self, org_id: int, sightings: int = 1, cmdline: str = "x", host: str = "web-1") -> Chunk:
        snapshot = a_snapshot(*(a_sighting(pid, cmdline=cmdline) for pid in range(sightings)), host=host)
        return Chunk(org_id, pack(snapshot), self._loop.create_future())


def take(waiting: FairQueue, max_weight: int, max_characters: int = MANY) -> list[Chunk]:
    """A batch, stored at once."""
    batch = waiting.take(max_weight, max_characters)
    waiting.release(batch)
    return batch


def test_one_org_alone_may_fill_it_and_is_told_that_the_store_is_behind(chunks: ChunkMaker) -> None:
    waiting = FairQueue(10)
    for _ in range(10):
        waiting.put(chunks(GREEDY))

    with pytest.raises(Unavailable, match="behind") as refused:
        waiting.put(chunks(GREEDY))

    assert refused.value.retry_after_seconds == 2


def test_the_org_with_most_makes_room_for_another_until_both_have_as_much(chunks: ChunkMaker) -> None:
    waiting = FairQueue(10)
    greedy = [chunks(GREEDY) for _ in range(10)]
    modest = [chunks(MODEST) for _ in range(5)]

    for chunk in (*greedy, *modest):
        waiting.put(chunk)

    assert waiting.weight == 10
    # The newest of it, which waited for the shortest time; each hears why.
    assert [chunk.stored.done() for chunk in greedy] == [False] * 5 + [True] * 5
    for chunk in greedy[5:]:
        with pytest.raises(TooManyRequests, match="more of this org waits for it than its share"):
            chunk.stored.result()
    with pytest.raises(TooManyRequests, match="its share") as refused:
        waiting.put(chunks(MODEST))
    assert refused.value.retry_after_seconds == 2


def test_who_has_most_gets_no_more_in_while_another_waits(chunks: ChunkMaker) -> None:
    waiting = FairQueue(10)
    waiting.put(chunks(MODEST))
    for _ in range(9):
        waiting.put(chunks(GREEDY))

    with pytest.raises(TooManyRequests):
        waiting.put(chunks(GREEDY))

    assert [chunk.org_id for chunk in waiting.take(MANY, MANY)].count(MODEST) == 1


def test_a_single_chunk_is_let_in_however_large_it_is(chunks: ChunkMaker) -> None:
    waiting = FairQueue(10)

    waiting.put(chunks(GREEDY, 1000))

    assert waiting.weight == 1000


def test_a_batch_has_as_much_of_one_org_as_of_another(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    for _ in range(100):
        waiting.put(chunks(GREEDY, 10))
    for _ in range(400):
        waiting.put(chunks(MODEST, 1))

    taken = Counter[int]()
    for chunk in waiting.take(100, MANY):
        taken[chunk.org_id] += chunk.weight

    assert taken == {GREEDY: 50, MODEST: 50}


def test_orgs_come_in_turn_where_a_batch_has_room_for_few(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    for org_id in (1, 1, 1, 2, 2, 3, 3):
        waiting.put(chunks(org_id))

    batches = [take(waiting, 1) for _ in range(7)]

    assert [chunk.org_id for (chunk,) in batches] == [1, 2, 3, 1, 2, 3, 1]
    assert not waiting
    assert waiting.weight == 0
    assert waiting.take(1, MANY) == []


def test_what_nobody_waits_for_any_more_takes_no_room(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    first, second, other = chunks(GREEDY, 10), chunks(GREEDY, 20), chunks(MODEST, 5)
    for chunk in (first, second, other):
        waiting.put(chunk)

    waiting.drop(first)
    waiting.drop(other)
    waiting.drop(other)

    assert waiting.weight == 20
    assert waiting.take(MANY, MANY) == [second]
    waiting.drop(second)
    assert waiting.weight == 0


def test_what_has_waited_too_long_is_refused(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    old, new, other = chunks(GREEDY, 10), chunks(GREEDY, 20), chunks(MODEST, 5)
    old.since, new.since, other.since = 100.0, 200.0, 50.0
    for chunk in (old, new, other):
        waiting.put(chunk)

    waiting.refuse_older_than(150.0)

    for chunk in (old, other):
        with pytest.raises(Unavailable, match="too far behind"):
            chunk.stored.result()
    assert waiting.weight == 20
    assert waiting.take(MANY, MANY) == [new]


def test_who_posts_little_gets_each_second_batch_and_who_posts_much_the_others(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    for _ in range(100):
        waiting.put(chunks(GREEDY, 10))

    batches = []
    for _ in range(4):
        waiting.put(chunks(MODEST, 10))
        waiting.put(chunks(MODEST, 10))
        batches.append(Counter(chunk.org_id for chunk in take(waiting, 100)))

    assert batches == [{MODEST: 2}, {GREEDY: 10}, {MODEST: 4}, {GREEDY: 10}]


def test_nothing_of_an_org_is_taken_while_a_batch_of_it_is_being_stored(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    for org_id in (GREEDY, GREEDY, GREEDY, MODEST, MODEST):
        waiting.put(chunks(org_id))

    first = waiting.take(2, MANY)
    assert {chunk.org_id for chunk in first} == {GREEDY, MODEST}
    assert (waiting.next_weight, waiting.weight) == (0, 3)
    assert waiting.take(MANY, MANY) == []
    waiting.put(chunks(3, 7))
    assert waiting.next_weight == 7
    second = waiting.take(MANY, MANY)
    assert waiting.has_more_of(first)
    assert not waiting.has_more_of(second), "what is left is of others"
    waiting.release(first)

    assert [chunk.org_id for chunk in second] == [3]
    assert [chunk.org_id for chunk in take(waiting, MANY)] == [GREEDY, MODEST, GREEDY]


def test_chunks_of_an_org_keep_their_order(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    for host in "abcd":
        waiting.put(chunks(GREEDY, host=host))

    assert [chunk.snapshot.host for chunk in (*take(waiting, 3), *take(waiting, 3))] == list("abcd")


def test_a_batch_ends_before_its_texts_are_too_much(chunks: ChunkMaker) -> None:
    waiting = FairQueue(MANY)
    for _ in range(4):
        waiting.put(chunks(GREEDY, 2, cmdline="a" * 1000))

    assert len(take(waiting, MANY, 5000)) == 2
    assert len(take(waiting, MANY, 1)) == 1, "one is taken, however large it is"


def test_large_texts_weigh_as_much_as_many_sightings(chunks: ChunkMaker) -> None:
    assert chunks(GREEDY, 100, cmdline="x" * 500).weight == 100
    assert 2000 <= chunks(GREEDY, 2, cmdline="x" * 10**6).weight < 2010


def test_all_texts_count() -> None:
    bare = characters_of(a_sighting(1, cmdline="").description)
    texts = ("cmdline", "exe", "cwd", "root", "comm", "command", "user", "group_name", "container_id")

    for name in texts:
        fields: dict[str, Any] = {"cmdline": "", name: "x" * 1000}
        assert characters_of(a_sighting(1, **fields).description) > bare + 900, name

    tagged = a_sighting(1, cmdline="", tags=("a" * 500, "b" * 500))
    assert characters_of(tagged.description) == bare + 1000
