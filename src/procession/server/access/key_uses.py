"""When keys were used last, to the minute."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

from procession.accounts.orgs import Key, KeyUse
from procession.errors import Unavailable
from procession.server.runtime.background import run_in_background
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import KeyStore

_log = logging.getLogger(__name__)

NOTE_SECONDS = 60
"""A use so soon after the one that is known is not noted: an agent shows its key every few seconds."""
WRITE_SECONDS = 60.0


class KeyUses:
    """Written together once in a minute: no request waits for it. What a server that is killed has not written is of
    the last minute."""

    def __init__(self, store: KeyStore, thread: ThreadPool, now: Callable[[], int]) -> None:
        self._store = store
        self._thread = thread
        self._now = now
        self._noted: dict[str, int] = {}
        self._unwritten: dict[str, KeyUse] = {}

    def note(self, key: Key) -> None:
        """Somebody has shown it just now."""
        now = self._now()
        if now >= self._noted.get(key.id, -NOTE_SECONDS) + NOTE_SECONDS:
            self._noted[key.id] = now
            self._unwritten[key.id] = KeyUse(key.id, key.org_id, now)

    async def last(self) -> Mapping[str, int]:
        """By the ids of keys, in Unix seconds. Raises Unavailable."""
        found = dict(await self._thread.run(self._store.key_uses))
        for key_id, at in self._noted.items():
            found[key_id] = max(at, found.get(key_id, at))
        return found

    def running(self) -> contextlib.AbstractAsyncContextManager[None]:
        """For the length of the block."""
        return run_in_background(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    async def write(self) -> None:
        """All that is new. What the store does not take is written later."""
        some, self._unwritten = self._unwritten, {}
        if not some:
            return
        try:
            await self._thread.run(lambda: self._store.put_key_uses(list(some.values())))
        except Unavailable as error:
            self._unwritten = some | self._unwritten
            fields = {"event": "key-uses-failed", "reason": str(error)}
            _log.warning("cannot keep when keys were used: %(reason)s; trying again", fields)
