"""The task that makes minutes out of the sightings of hours that are over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time

from procession.errors import Unavailable
from procession.server.runtime.background import run_in_background
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import KeyStore, RollupStore

_log = logging.getLogger(__name__)

PERIOD_SECONDS = 120


class RollupTask:
    """Each server has one. That several do the same is only a waste, so they go about it at different moments."""

    def __init__(
        self, store: RollupStore, orgs: KeyStore, thread: ThreadPool, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self._store = store
        self._orgs = orgs
        self._thread = thread
        self._period_seconds = period_seconds

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """For the length of the block."""
        return run_in_background(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period_seconds * random.uniform(0.5, 1.5))
            try:
                await self._thread.run(self._roll_up)
            except Unavailable as error:
                text = "cannot roll up hours that are over: %(reason)s; trying again"
                _log.warning(text, {"event": "roll-up-failed", "reason": str(error)})
            except Exception:
                _log.exception("cannot roll up hours that are over; trying again", {"event": "roll-up-failed"})

    def _roll_up(self) -> None:
        begin = time.monotonic()
        hours = self._store.roll_up([org.id for org in self._orgs.orgs()])
        if hours:
            fields = {"event": "rolled-up", "hours": hours, "seconds": time.monotonic() - begin}
            _log.info("rolled up %(hours)d hours of hosts in %(seconds).1f s", fields)
