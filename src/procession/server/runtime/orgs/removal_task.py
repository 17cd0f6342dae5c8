"""Erases what orgs have left that were removed, also what another server has begun."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable

from procession.accounts.orgs import RemovedOrg
from procession.errors import Unavailable
from procession.server.access.key_cache import REFRESH_SECONDS
from procession.server.runtime.background import run_in_background
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import ErasureStore, KeyStore

_log = logging.getLogger(__name__)

PERIOD_SECONDS = 60.0
RETRY_SECONDS = 5.0
OTHER_SERVERS_SECONDS = 5 * REFRESH_SECONDS
"""So long others may still take what comes with a key of the org, and gather it."""
SWEEP_SECONDS = 120
"""After an org was erased it is looked once more whether anything has come of it: the evaluation of a monitor, a
roll-up or a notification was perhaps under way, and has ended since."""


class RemovalTask:
    """Each server has one. That several do the same is only a waste."""

    def __init__(self, keys: KeyStore, store: ErasureStore, thread: ThreadPool, now: Callable[[], int]) -> None:
        self._keys = keys
        self._store = store
        self._thread = thread
        self._now = now
        self._wanted = asyncio.Event()
        self._erased_at: dict[int, int] = {}
        """Orgs that this server has erased -> when."""
        self._swept: set[int] = set()

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """For the length of the block."""
        return run_in_background(self._run())

    def begin(self) -> None:
        """An org was removed just now."""
        self._wanted.set()

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            seconds = PERIOD_SECONDS
            try:
                seconds = await self._thread.run(self.erase_all)
            except Unavailable as error:
                seconds = RETRY_SECONDS
                text = "cannot erase what a removed org has left: %(reason)s; trying again"
                _log.warning(text, {"event": "org-not-erased", "reason": str(error)})
            except Exception:
                _log.exception("cannot erase what a removed org has left; trying again", {"event": "org-not-erased"})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), seconds)

    def erase_all(self) -> float:
        """What is due now, and how many seconds to wait for the next. Raises Unavailable."""
        waits = [PERIOD_SECONDS]
        for org in self._keys.removed_orgs():
            if org.id in self._swept:
                continue
            left = self._due_at(org) - self._now()
            if left > 0:
                waits.append(left)
            elif org.is_erased:
                self._sweep(org)
            else:
                self._erase(org)
        return min(waits)

    def _due_at(self, org: RemovedOrg) -> float:
        if org.is_erased:
            return self._erased_at.get(org.id, -SWEEP_SECONDS) + SWEEP_SECONDS
        return 0 if self._keys.is_only_writer else org.removed_at + OTHER_SERVERS_SECONDS

    def _erase(self, org: RemovedOrg) -> None:
        self._store.erase_org(org.id)
        self._keys.put_removed_org(dataclasses.replace(org, is_erased=True))
        self._erased_at[org.id] = self._now()
        fields = {"event": "org-erased", "org_id": org.id, "name": org.name}
        _log.info("nothing is left of the org %(name)r", fields)

    def _sweep(self, org: RemovedOrg) -> None:
        if self._store.rows_of_org(org.id):
            self._store.erase_org(org.id)
        self._swept.add(org.id)
