from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from procession.accounts.hosts import HostNotice
from procession.errors import Unavailable
from procession.server.runtime.hosts.host_notices import SAY_AGAIN_SECONDS, HostNotices
from procession.server.runtime.thread_pools import ThreadPool
from tests.support.builders import NOON
from tests.support.served import Clock
from tests.support.stores.oracle import OracleStore

ORG = 1


class CountingStore(OracleStore):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[int] = []
        self.is_down = False

    def put_host_notices(self, notices: Sequence[HostNotice]) -> None:
        if self.is_down:
            raise Unavailable("down")
        self.writes.append(len(notices))
        super().put_host_notices(notices)


class House:
    def __init__(self) -> None:
        self.store = CountingStore()
        self.clock = Clock(NOON)
        self.notices = HostNotices(self.store, ThreadPool(1, "notices"), self.clock)

    def post(self, host: str = "web-1", **headers: str) -> None:
        sent = {f"x-procession-{name}": value for name, value in headers.items()}
        self.notices.posted(ORG, {"x-dd-hostname": host, **sent})

    def leave(self, host: str = "web-1", why: str = "shutdown") -> None:
        self.notices.leaves(ORG, {"x-dd-hostname": host, "x-procession-leaving": why})

    def known(self) -> list[tuple[str, int, int]]:
        asyncio.run(self.notices.write())
        return [(one.host, one.interval_seconds, one.shut_down_at) for one in self.store.host_notices(ORG)]


@pytest.fixture
def house() -> House:
    return House()


def test_an_interval_is_kept_in_steps_and_written_when_it_changes(house: House) -> None:
    for interval in ("10", "10", "10"):
        house.post(interval=interval)
    assert house.known() == [("web-1", 10, 0)]
    for interval in ("31", "37", "44"):
        house.post(interval=interval)
        assert house.known() == [("web-1", 45, 0)]
    house.post(interval="999999")

    assert house.known() == [("web-1", 3600, 0)]
    assert house.store.writes == [1, 1, 1]


def test_live_numbers_say_nothing_of_the_interval(house: House) -> None:
    house.post(interval="30")
    house.post(live="all")
    house.post(partial="true")

    assert house.known() == [("web-1", 30, 0)]


def test_a_shutdown_is_kept_until_the_host_tells_again(house: House) -> None:
    house.post(interval="10")
    house.leave()
    assert house.known() == [("web-1", 10, NOON)]
    house.post(interval="10")
    assert house.known() == [("web-1", 10, 0)]


@pytest.mark.parametrize("why", ["", "restart", "\u202e"])
def test_an_agent_that_ends_for_another_reason_says_nothing_of_its_host(house: House, why: str) -> None:
    house.leave(why=why)
    house.leave(host="")
    house.leave(host="x" * 300)

    assert house.known() == []


def test_many_hosts_are_written_at_once_and_again_once_a_day(house: House) -> None:
    for number in range(500):
        house.post(f"web-{number}", interval="10")
    assert len(house.known()) == 500
    house.clock.now += SAY_AGAIN_SECONDS
    house.post("web-7", interval="10")
    house.known()

    assert house.store.writes == [500, 1]


def test_what_the_store_does_not_take_is_written_later(house: House) -> None:
    house.store.is_down = True
    house.post(interval="10")
    assert house.known() == []
    house.leave()
    house.store.is_down = False

    assert house.known() == [("web-1", 10, NOON)]
