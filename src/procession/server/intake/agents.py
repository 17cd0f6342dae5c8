"""Which agents post: counted by version, and a line of the log where one comes, changes or goes."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from procession.process import MAX_UINT32
from procession.server.runtime.background import run_in_background
from procession.server.runtime.throttled_log import ThrottledLog
from procession.text.whole_number import whole_number

GONE_SECONDS = 120.0
LOOK_SECONDS = 15.0
_LINES_PER_MINUTE = 30
_VERSION = re.compile(r"[0-9A-Za-z.+~-]{1,40}")
_MOST_HOSTS = 100_000
_MOST_VERSIONS = 20

_log = logging.getLogger(__name__)


class _Agent(NamedTuple):
    posted_at: float
    version: str
    unreadable: int | None
    """How many processes there are, if it can read none of them; else None."""


class Agents:
    """Hosts of the last two minutes, by what their newest payload says."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hosts: dict[tuple[int, str], _Agent] = {}
        self._blind: set[tuple[int, str]] = set()
        """Which of them can read no process."""
        self._throttled_log = ThrottledLog(_log, _LINES_PER_MINUTE, clock)

    def posted(self, org_id: int, headers: Mapping[str, str]) -> None:
        reported = headers.get("x-dd-processagentversion") or headers.get("dd-agent-version", "")
        host = headers.get("x-dd-hostname", "")[:255]
        version = reported if _VERSION.fullmatch(reported) else "unknown"
        unreadable = unreadable_in(headers)
        known = self._hosts.get((org_id, host))
        # Made up by strangers, they must not fill the memory, nor the list of series.
        if known is None and len(self._hosts) >= _MOST_HOSTS:
            return
        self._hosts[org_id, host] = _Agent(self._clock(), version, unreadable)
        if unreadable is None:
            self._blind.discard((org_id, host))
        else:
            self._blind.add((org_id, host))
        if known is None:
            text = "the agent of %(host)r posts, version %(version)s"
            self._log_about("agent-seen", text, org_id, host, version=version)
        elif known.version != version:
            text = "the agent of %(host)r has version %(version)s now, and had %(before)s"
            self._log_about("agent-changed", text, org_id, host, version=version, before=known.version)
        was_blind = known is not None and known.unreadable is not None
        if unreadable is not None and not was_blind:
            text = "the agent of %(host)r can read none of the %(processes)d processes there"
            self._log_about("agent-blind", text, org_id, host, logging.WARNING, processes=unreadable)
        elif unreadable is None and was_blind:
            self._log_about("agent-sees", "the agent of %(host)r can read processes again", org_id, host)

    def forget_silent(self) -> None:
        """Forget agents that have not posted for GONE_SECONDS, and log each of them."""
        oldest = self._clock() - GONE_SECONDS
        silent = [(key, agent) for key, agent in self._hosts.items() if agent.posted_at < oldest]
        for (org_id, host), agent in silent:
            del self._hosts[org_id, host]
            self._blind.discard((org_id, host))
            text = "the agent of %(host)r has not posted for %(seconds)d s"
            self._log_about("agent-gone", text, org_id, host, version=agent.version, seconds=round(GONE_SECONDS))

    def watched(self) -> contextlib.AbstractAsyncContextManager[None]:
        """While the block runs, silent agents are forgotten every LOOK_SECONDS."""
        return run_in_background(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.forget_silent()

    def by_version(self) -> dict[tuple[str, ...], float]:
        oldest = self._clock() - GONE_SECONDS
        versions = collections.Counter(agent.version for agent in self._hosts.values() if agent.posted_at >= oldest)
        shown = dict(versions.most_common(_MOST_VERSIONS))
        rest = versions.total() - sum(shown.values())
        if rest:
            shown["other"] = shown.get("other", 0) + rest
        return {(version,): count for version, count in shown.items()}

    def blind(self) -> float:
        """How many agents can read no process."""
        return len(self._blind_now())

    def blind_hosts(self, org_id: int) -> dict[str, int]:
        """The hosts of an org whose agents can read no process, by name, with how many processes there are."""
        found = self._blind_now()
        return {host: found[org, host].unreadable or 0 for org, host in sorted(found) if org == org_id}

    def versions(self, org_id: int) -> dict[str, str]:
        """Of the agents of an org that post to this server, by host. For any thread."""
        oldest = self._clock() - GONE_SECONDS
        return {
            host: agent.version
            for (org, host), agent in self._hosts.copy().items()
            if org == org_id and agent.posted_at >= oldest
        }

    def _blind_now(self) -> dict[tuple[int, str], _Agent]:
        """For any thread."""
        oldest = self._clock() - GONE_SECONDS
        found = {key: self._hosts.get(key) for key in self._blind.copy()}
        return {key: agent for key, agent in found.items() if agent is not None and agent.posted_at >= oldest}

    def _log_about(
        self, event: str, message: str, org_id: int, host: str, level: int = logging.INFO, **fields: object
    ) -> None:
        self._throttled_log.log(level, event, message, {"org_id": org_id, "host": host, **fields})


def unreadable_in(headers: Mapping[str, str]) -> int | None:
    """How many processes there are on the host of an agent of ours that can read none of them; None from all others."""
    return whole_number(headers.get("x-procession-unreadable", ""), 0, MAX_UINT32)
