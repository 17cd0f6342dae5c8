"""Decoded processes, found again by their bytes: four of five do nothing between two snapshots and look the same."""

from __future__ import annotations

import msgspec

from procession.packed import PackedSighting
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.messages.descriptions import ContainerContext

_BYTES_PER_PROCESS = 450
"""A cached process with its numbers and its entries for two snapshots. Its description is not included: the
`DescriptionDecoder` holds that and counts it."""

_BYTES_PER_HOST = 1000


class CachedProcess(msgspec.Struct, frozen=True, gc=False):
    """What the bytes of a process were decoded to, and in which context: in another one they mean other tags."""

    sighting: PackedSighting
    context: ContainerContext
    key: int
    """`pid << 32 | started_at`."""


class HostProcesses:
    """The processes in the last two snapshots of a host, by the hash of their bytes.

    Python's hash is keyed with a secret, which a sender cannot know; and of the few hundred processes of one host two
    hardly ever share all 64 bits.
    """

    __slots__ = ("before", "moment", "now")

    def __init__(self) -> None:
        self.before: dict[int, CachedProcess] = {}
        self.now: dict[int, CachedProcess] = {}
        self.moment = (0, 0)
        """`taken_at` and `split_id` of the snapshot that is `now`."""


class ProcessCache:
    """Caches processes of all hosts. Threads may share it; a thread may miss what another has just put in."""

    def __init__(self, budget: CacheBudget) -> None:
        self._hosts: dict[tuple[int, str], HostProcesses] = {}
        self._budget = budget

    def of_host(self, host: tuple[int, str], moment: tuple[int, int]) -> HostProcesses:
        """For one chunk of a snapshot. `host`: org id and name, since two orgs may have hosts of one name; `moment`:
        `taken_at` and `split_id` of the snapshot."""
        found = self._hosts.get(host)
        if found is None:
            found = HostProcesses()
            if self._budget.admits(_BYTES_PER_HOST):
                self._hosts[host] = found
        if found.moment != moment:
            gone = len(found.before.keys() - found.now.keys())
            found.before, found.now, found.moment = found.now, {}, moment
            self._budget.release(gone * _BYTES_PER_PROCESS, gone)
        return found

    def put(self, host: HostProcesses, bytes_hash: int, one: CachedProcess) -> None:
        """As far as the budget allows."""
        if self._budget.admits(_BYTES_PER_PROCESS):
            host.now[bytes_hash] = one

    def forget(self) -> None:
        self._hosts = {}
