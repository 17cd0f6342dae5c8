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


def test_containers_say_nothing_of_the_interval_and_that_their_host_is_there(house: House) -> None:
    house.post(interval="300")
    house.leave()
    house.notices.posted(ORG, {"x-dd-hostname": "web-1"}, may_be_snapshot=False)

    assert house.known() == [("web-1", 300, 0)]


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


def cpus_of(house: House) -> dict[str, int]:
    asyncio.run(house.notices.write())
    return {one.host: one.cpus for one in house.store.host_notices(ORG)}


def test_the_cpus_of_a_host_are_kept_as_its_agent_says_in_a_header_or_in_its_message(house: House) -> None:
    house.post(cpus="8", interval="10")
    house.post("web-2", interval="10")
    house.notices.has_cpus(ORG, "web-2", 64)
    house.post("web-3", cpus="12", partial="true")

    assert cpus_of(house) == {"web-1": 8, "web-2": 64, "web-3": 12}


def test_a_payload_that_does_not_say_how_many_cpus_there_are_changes_nothing(house: House) -> None:
    house.post(cpus="8", interval="10")
    house.post(interval="10")
    house.post(live="all")
    house.leave()
    house.notices.has_cpus(ORG, "web-1", 0)

    assert cpus_of(house) == {"web-1": 8}


@pytest.mark.parametrize("cpus", ["", "0", "-4", "65537", "4.5", "٤", "9" * 400])
def test_a_host_has_no_number_of_cpus_that_cannot_be(house: House, cpus: str) -> None:
    house.post(cpus=cpus, interval="10")
    house.notices.has_cpus(ORG, "web-1", 10**9)

    assert cpus_of(house) == {"web-1": 0}


def test_what_has_not_changed_is_not_written_again(house: House) -> None:
    for _ in range(3):
        house.post(cpus="8", interval="10")
        house.notices.has_cpus(ORG, "web-1", 8)
        cpus_of(house)

    assert house.store.writes == [1]
