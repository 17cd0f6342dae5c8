"""What agents say of themselves and of their machines: how often they take a snapshot, that the machine is being shut
down, and how many CPUs it has."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from procession.accounts.hosts import HostNotice, host_name
from procession.errors import Unavailable
from procession.process import MAX_UINT32
from procession.server.runtime.background import run_in_background
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import HostStore
from procession.text.whole_number import whole_number

INTERVAL_HEADER = "x-procession-interval"
CPUS_HEADER = "x-procession-cpus"
PARTIAL_HEADER = "x-procession-partial"
LIVE_HEADER = "x-procession-live"
LEAVING_HEADER = "x-procession-leaving"
SHUTDOWN = "shutdown"

WRITE_SECONDS = 2.0
SAY_AGAIN_SECONDS = 86400
"""How often the store is told again of what has not changed: it forgets what nobody repeats."""
STEPS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800, 3600)
"""Seconds, rounded up to which intervals are kept: an agent that is slowed down has another one each time."""
MAX_CPUS = 65536
"""Of a host: no kernel knows as many."""
_MOST_HOSTS = 100_000

_log = logging.getLogger(__name__)


class HostNotices:
    """Written together every two seconds: a fleet may be started at once, and none of it waits for that."""

    def __init__(self, store: HostStore, thread: ThreadPool, now: Callable[[], int]) -> None:
        self._store = store
        self._thread = thread
        self._now = now
        self._known: dict[tuple[int, str], tuple[HostNotice, int]] = {}
        """With when it was said."""
        self._unwritten: dict[tuple[int, str], HostNotice] = {}

    def posted(self, org_id: int, headers: Mapping[str, str], *, may_be_snapshot: bool = True) -> None:
        """Something of the host: it is there."""
        cpus = whole_number(headers.get(CPUS_HEADER, ""), 1, MAX_CPUS)
        if PARTIAL_HEADER in headers or LIVE_HEADER in headers or not may_be_snapshot:  # it says nothing of intervals
            self._say(org_id, headers, lambda known: replace(known, shut_down_at=0, cpus=cpus or known.cpus))
            return
        interval = whole_number(headers.get(INTERVAL_HEADER, ""), 1, MAX_UINT32)
        seconds = 0 if interval is None else _step(interval)
        self._say(
            org_id,
            headers,
            lambda known: replace(known, interval_seconds=seconds, shut_down_at=0, cpus=cpus or known.cpus),
        )

    def has_cpus(self, org_id: int, host: str, cpus: int) -> None:
        """As the message of a Datadog Agent says, and not its headers."""
        if 0 < cpus <= MAX_CPUS:
            self._note(org_id, host, lambda known: replace(known, cpus=cpus))

    def leaves(self, org_id: int, headers: Mapping[str, str]) -> None:
        """Notes it where the machine is being shut down; that an agent ends says nothing of its host."""
        if headers.get(LEAVING_HEADER, "").lower() == SHUTDOWN:
            self._say(org_id, headers, lambda known: replace(known, shut_down_at=self._now()))

    def _say(self, org_id: int, headers: Mapping[str, str], said: Callable[[HostNotice], HostNotice]) -> None:
        self._note(org_id, headers.get("x-dd-hostname", ""), said)

    def _note(self, org_id: int, name: str, said: Callable[[HostNotice], HostNotice]) -> None:
        host = host_name(name)
        if host is None:
            return
        place, now = (org_id, host), self._now()
        known, said_at = self._known.get(place, (None, 0))
        notice = said(known or HostNotice(org_id, host))
        if notice == known and now < said_at + SAY_AGAIN_SECONDS:
            return
        # Made up by strangers, they must not fill the memory.
        if known is None and len(self._known) >= _MOST_HOSTS:
            return
        self._known[place] = notice, now
        self._unwritten[place] = notice

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
            await self._thread.run(lambda: self._store.put_host_notices(list(some.values())))
        except Unavailable as error:
            self._unwritten = some | self._unwritten
            fields = {"event": "notices-failed", "reason": str(error)}
            _log.warning("cannot keep what agents say of themselves: %(reason)s; trying again", fields)


def _step(interval: int) -> int:
    return next((step for step in STEPS if interval <= step), STEPS[-1])
