"""The containers that every host has now, in memory."""

from __future__ import annotations

import threading
from typing import Final

import msgspec

from procession.containers.container import ContainerSnapshot, ContainerStats, characters_of
from procession.containers.presence import LINGER_SECONDS, REACH_SECONDS, FoundContainer, present

MAX_CHARACTERS: Final = 128 * 2**20
CONTAINER_CHARACTERS: Final = 1000
"""What a container without any texts counts for."""


class ContainerTable:
    """For any number of threads. Where it takes too much memory, the org that takes most is left to the history."""

    def __init__(self, max_characters: int = MAX_CHARACTERS) -> None:
        self._max_characters = max_characters
        self._orgs: dict[int, _OrgContainers] = {}
        self._left_out: set[int] = set()
        self._lock = threading.Lock()

    def holds(self, org_id: int) -> bool:
        """Whether all that was put in of the org is there."""
        return org_id not in self._left_out

    def put(self, org_id: int, snapshot: ContainerSnapshot) -> None:
        """What is older than what is known changes nothing."""
        with self._lock:
            if org_id in self._left_out:
                return
            of_org = self._orgs.setdefault(org_id, _OrgContainers())
            of_org.put(snapshot)
            if sum(one.characters for one in self._orgs.values()) > self._max_characters:
                self._make_space()

    def put_stats(self, org_id: int, stats: ContainerStats) -> None:
        """Of containers that are known; the others are left out."""
        with self._lock:
            if org_id in self._orgs:
                self._orgs[org_id].put_stats(stats)

    def present(self, org_id: int, now: int) -> tuple[FoundContainer, ...]:
        with self._lock:
            of_org = self._orgs.get(org_id)
            found = [] if of_org is None else of_org.newest(now - REACH_SECONDS)
        return present(found)

    def forget_org(self, org_id: int) -> None:
        with self._lock:
            self._orgs.pop(org_id, None)
            self._left_out.discard(org_id)

    @property
    def characters(self) -> int:
        with self._lock:
            return sum(one.characters for one in self._orgs.values())

    def _make_space(self) -> None:
        for of_org in self._orgs.values():
            of_org.expire(of_org.newest_at - REACH_SECONDS)
        while sum(one.characters for one in self._orgs.values()) > self._max_characters:
            largest = max(self._orgs, key=lambda org_id: self._orgs[org_id].characters)
            del self._orgs[largest]
            self._left_out.add(largest)


class _OrgContainers:
    def __init__(self) -> None:
        self.characters = 0
        self.newest_at = 0
        self._hosts: dict[str, dict[str, FoundContainer]] = {}
        """By host and id."""
        self._told_at: dict[str, int] = {}

    def put(self, snapshot: ContainerSnapshot) -> None:
        host = snapshot.host
        known = self._hosts.setdefault(host, {})
        for one in snapshot.containers:
            before = known.get(one.container_id)
            if before is None or before.seen_at <= snapshot.taken_at:
                self._count(before, -1)
                known[one.container_id] = found = FoundContainer(host, snapshot.taken_at, one)
                self._count(found, 1)
        if snapshot.taken_at > self._told_at.get(host, 0):
            self._told_at[host] = snapshot.taken_at
            self.newest_at = max(self.newest_at, snapshot.taken_at)
            self._drop(host, snapshot.taken_at - LINGER_SECONDS)

    def put_stats(self, stats: ContainerStats) -> None:
        known = self._hosts.get(stats.host, {})
        for stat in stats.stats:
            found = known.get(stat.container_id)
            if found is not None and found.seen_at <= stats.taken_at:
                before = found.container
                known[stat.container_id] = FoundContainer(
                    found.host,
                    found.seen_at,
                    msgspec.structs.replace(
                        before,
                        state=stat.state,
                        health=stat.health,
                        started_at=stat.started_at or before.started_at,
                        numbers=stat.numbers,
                    ),
                )

    def newest(self, since: int) -> list[FoundContainer]:
        return [one for known in self._hosts.values() for one in known.values() if one.seen_at > since]

    def expire(self, before: int) -> None:
        for host in [host for host, at in self._told_at.items() if at <= before]:
            for one in self._hosts.pop(host, {}).values():
                self._count(one, -1)
            del self._told_at[host]

    def _drop(self, host: str, before: int) -> None:
        known = self._hosts[host]
        for one in [one for one in known.values() if one.seen_at < before]:
            self._count(known.pop(one.container.container_id), -1)

    def _count(self, found: FoundContainer | None, sign: int) -> None:
        if found is not None:
            self.characters += sign * (characters_of(found.container) + CONTAINER_CHARACTERS)
