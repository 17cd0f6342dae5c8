from __future__ import annotations

import asyncio
from collections.abc import Sequence

from procession.errors import Unavailable
from procession.server.runtime.rollup_task import RollupTask
from procession.server.runtime.thread_pools import ThreadPool
from tests.support.served import ORG, OTHER_ORG, a_store
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore


class Stubborn(OracleAnalysis):
    """Fails at first, by what is foreseen and by what is not."""

    def __init__(self, store: OracleStore) -> None:
        super().__init__(store)
        self.loop = asyncio.get_running_loop()
        self.tries = 0
        self.done: asyncio.Future[Sequence[int]] = self.loop.create_future()

    def roll_up(self, orgs: Sequence[int]) -> int:
        self.tries += 1
        if self.tries == 1:
            raise Unavailable("no room")
        if self.tries == 2:
            raise ZeroDivisionError
        if self.tries == 3:
            self.loop.call_soon_threadsafe(self.done.set_result, orgs)
        return 0


def test_hours_of_every_org_are_rolled_up_again_and_again_whatever_fails() -> None:
    async def run() -> Sequence[int]:
        store, thread = a_store(), ThreadPool(1, "roll-up")
        analysis = Stubborn(store)
        async with RollupTask(analysis, store, thread, period_seconds=0.001).running():
            found = await asyncio.wait_for(analysis.done, 60)
        thread.close()
        return found

    assert sorted(asyncio.run(run())) == [ORG, OTHER_ORG]


def test_a_roller_ends_with_its_server() -> None:
    async def run() -> int:
        store, thread = a_store(), ThreadPool(1, "roll-up")
        analysis = Stubborn(store)
        async with RollupTask(analysis, store, thread).running():
            pass
        thread.close()
        return analysis.tries

    assert asyncio.run(run()) == 0
