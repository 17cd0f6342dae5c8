from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from procession.accounts.orgs import Key, KeyKind, KeyUse
from procession.errors import Unavailable
from procession.server.access.key_uses import NOTE_SECONDS, KeyUses
from procession.server.runtime.thread_pools import ThreadPool
from tests.support.builders import NOON
from tests.support.served import Clock
from tests.support.stores.oracle import OracleStore

KEY = Key("7", 1, KeyKind.API, "agents", b"", NOON - 3600)
OTHER = Key("8", 2, KeyKind.APPLICATION, "bot", b"", NOON - 3600)


class CountingStore(OracleStore):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[list[KeyUse]] = []
        self.is_down = False

    def put_key_uses(self, uses: Sequence[KeyUse]) -> None:
        if self.is_down:
            raise Unavailable("down")
        self.writes.append(list(uses))
        super().put_key_uses(uses)


class House:
    def __init__(self, thread: ThreadPool) -> None:
        self.store = CountingStore()
        self.clock = Clock(NOON)
        self.uses = KeyUses(self.store, thread, self.clock)

    def write(self) -> None:
        asyncio.run(self.uses.write())

    def last(self) -> dict[str, int]:
        return dict(asyncio.run(self._last()))

    async def _last(self) -> dict[str, int]:
        return dict(await self.uses.last())


@pytest.fixture
def house() -> Iterator[House]:
    thread = ThreadPool(1, "uses")
    yield House(thread)
    thread.close()


def test_a_use_is_known_at_once_and_written_with_the_others(house: House) -> None:
    house.uses.note(KEY)
    house.uses.note(OTHER)

    assert house.last() == {"7": NOON, "8": NOON}
    assert house.store.writes == []
    house.write()
    assert house.store.writes == [[KeyUse("7", 1, NOON), KeyUse("8", 2, NOON)]]


def test_thousands_of_uses_in_a_minute_are_one(house: House) -> None:
    for second in range(NOTE_SECONDS):
        house.clock.now = NOON + second
        for _ in range(100):
            house.uses.note(KEY)
    house.write()
    house.write()
    assert house.store.writes == [[KeyUse("7", 1, NOON)]]

    house.clock.now = NOON + NOTE_SECONDS
    house.uses.note(KEY)
    house.write()

    assert house.store.key_uses() == {"7": NOON + NOTE_SECONDS}


def test_what_the_store_does_not_take_is_written_later(house: House) -> None:
    house.store.is_down = True
    house.uses.note(KEY)
    house.write()
    house.uses.note(OTHER)

    house.store.is_down = False
    house.write()

    assert house.store.key_uses() == {"7": NOON, "8": NOON}


def test_of_several_servers_the_latest_use_counts(house: House) -> None:
    house.store.put_key_uses([KeyUse("7", 1, NOON + 30), KeyUse("8", 2, NOON - 30)])
    house.uses.note(KEY)
    house.uses.note(OTHER)

    assert house.last() == {"7": NOON + 30, "8": NOON}
