"""What is known of hosts besides their processes: how often they tell, that they are being shut down, their tags."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from procession.accounts.hosts import HostNotice, HostTags, TagSource
from procession.search.tag_filter import TagFilter

SILENT_INTERVALS = 3
SILENT_SECONDS = 60
"""For hosts whose agents do not say how often they take a snapshot: Datadog's take one every ten seconds."""
LEAST_SILENT_SECONDS = 15
"""A post that has to be tried again takes some seconds."""
SHUT_DOWN_SLACK_SECONDS = 15
"""The clock of a host may be that much ahead of the server's, which says when it was shut down."""
TAGS_SAID_SECONDS = 2 * 86400
"""Agents say the tags of their hosts at least once a day."""


class HostReader(Protocol):
    def host_notices(self, org_id: int) -> tuple[HostNotice, ...]: ...

    def host_tags(self) -> tuple[HostTags, ...]: ...

    def host_tags_version(self) -> int: ...


class Hearing(enum.Enum):
    """How a group's hosts are heard at a moment."""

    TOLD = "told"
    """All of them: the newest snapshot of each is known."""
    WAITING = "waiting"
    """The next snapshot of one is not there yet, and it is not late."""
    SILENT = "silent"
    SHUT_DOWN = "shut down"
    """Those that do not tell said why."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """Of one org at a moment."""

    told_at: Mapping[str, int]
    """The newest snapshot of each host that counts at this moment."""
    slow_hosts: frozenset[str]
    """Of which no snapshot counts any more, though their next one is not late."""
    notices: Mapping[str, HostNotice]
    at: int

    def telling(self) -> frozenset[str]:
        return frozenset(host for host, told_at in self.told_at.items() if told_at > self.at - self._silent(host))

    def hearing(self, telling: frozenset[str], hosts: Iterable[str], seen_at: int | None) -> Hearing:
        """`seen_at`: when the processes that these hosts had were seen last."""
        quiet = [host for host in hosts if host not in telling]
        if not quiet:
            return Hearing.TOLD
        if all(self.was_shut_down(host, seen_at) for host in quiet):
            return Hearing.SHUT_DOWN
        return Hearing.WAITING if any(host in self.slow_hosts for host in quiet) else Hearing.SILENT

    def _silent(self, host: str) -> int:
        return silent_seconds(self.notices.get(host))

    def was_shut_down(self, host: str, seen_at: int | None) -> bool:
        """Since it was seen last."""
        notice = self.notices.get(host)
        return (
            notice is not None
            and 0 < notice.shut_down_at <= self.at
            and notice.shut_down_at >= (seen_at or 0) - SHUT_DOWN_SLACK_SECONDS
        )


def silent_seconds(notice: HostNotice | None) -> int:
    """After how long without a snapshot a host is silent."""
    if notice is None or not notice.interval_seconds:
        return SILENT_SECONDS
    return max(LEAST_SILENT_SECONDS, SILENT_INTERVALS * notice.interval_seconds)


@dataclass(slots=True)
class KnownHosts:
    """Of all orgs, as a store has them: tags, which seldom change, are read again when they have."""

    store: HostReader
    _tags: tuple[int, tuple[HostTags, ...]] | None = field(default=None, init=False)

    def notices(self, org_id: int) -> dict[str, HostNotice]:
        return {one.host: one for one in self.store.host_notices(org_id)}

    def tagged(self, org_id: int, tags: TagFilter, now: int, expected_seconds: int) -> frozenset[str]:
        """Hosts that have all of these tags, as users say, or as their agents said within that time."""
        oldest = now - max(expected_seconds, TAGS_SAID_SECONDS)
        version = self.store.host_tags_version()
        if self._tags is None or self._tags[0] != version:
            self._tags = version, self.store.host_tags()
        found: dict[str, list[str]] = {}
        for entry in self._tags[1]:
            if entry.org_id == org_id and (entry.source is TagSource.USER or entry.said_at >= oldest):
                found.setdefault(entry.host, [f"host:{entry.host}"]).extend(entry.tags)
        return frozenset(host for host, those in found.items() if tags.accepts(those))
