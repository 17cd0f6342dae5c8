from __future__ import annotations

import asyncio

import pytest

from procession.accounts.administration import remove_org
from procession.errors import Unavailable
from procession.server.runtime.orgs import removal_task
from procession.server.runtime.orgs.removal_task import OTHER_SERVERS_SECONDS, SWEEP_SECONDS, RemovalTask
from procession.server.runtime.thread_pools import ThreadPool
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import OTHER_ORG, Clock, a_store
from tests.support.stores.oracle import OracleStore


class Stubborn(OracleStore):
    """Fails at first, by what is foreseen and by what is not."""

    def __init__(self) -> None:
        super().__init__()
        known = a_store()
        self._orgs, self._keys = known._orgs, known._keys
        self.loop = asyncio.get_running_loop()
        self.tries = 0
        self.done: asyncio.Future[int] = self.loop.create_future()

    def erase_org(self, org_id: int) -> None:
        self.tries += 1
        if self.tries == 1:
            raise Unavailable("no room")
        if self.tries == 2:
            raise ZeroDivisionError
        super().erase_org(org_id)
        self.loop.call_soon_threadsafe(self.done.set_result, org_id)


def test_an_org_is_erased_however_often_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal_task, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(removal_task, "PERIOD_SECONDS", 0.001)

    async def run() -> tuple[int, OracleStore]:
        store, thread = Stubborn(), ThreadPool(1, "removals")
        task = RemovalTask(store, store, thread, lambda: NOON)
        async with task.running():
            remove_org(store, OTHER_ORG, NOON)
            task.begin()
            found = await asyncio.wait_for(store.done, 60)
        thread.close()
        return found, store

    erased, store = asyncio.run(run())

    assert erased == OTHER_ORG
    assert store.rows_of_org(OTHER_ORG) == {}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> OracleStore:
    store = a_store()
    remove_org(store, OTHER_ORG, NOON)
    return store


def task_of(store: OracleStore, clock: Clock) -> RemovalTask:
    return RemovalTask(store, store, ThreadPool(1, "removals"), clock)


def test_servers_beside_this_one_may_end_what_they_take_before_it_is_erased(store: OracleStore, clock: Clock) -> None:
    store.is_only_writer = False
    task = task_of(store, clock)

    assert task.erase_all() == OTHER_SERVERS_SECONDS
    assert store.rows_of_org(OTHER_ORG) == {"keys": 2, "orgs": 1}
    clock.now += int(OTHER_SERVERS_SECONDS)
    task.erase_all()

    assert store.rows_of_org(OTHER_ORG) == {}
    assert [one.is_erased for one in store.removed_orgs()] == [True]


def test_what_came_of_an_org_after_it_was_erased_goes_too(store: OracleStore, clock: Clock) -> None:
    task = task_of(store, clock)
    task.erase_all()
    store.add([(OTHER_ORG, a_snapshot(a_sighting()))])

    task.erase_all()
    assert store.rows_of_org(OTHER_ORG) == {"snapshots": 1}
    clock.now += SWEEP_SECONDS
    task.erase_all()

    assert store.rows_of_org(OTHER_ORG) == {}


def test_a_start_looks_after_what_was_erased_before_it(store: OracleStore, clock: Clock) -> None:
    task_of(store, clock).erase_all()
    store.add([(OTHER_ORG, a_snapshot(a_sighting()))])

    task_of(store, clock).erase_all()

    assert store.rows_of_org(OTHER_ORG) == {}
