"""Decoded processes, found again by their bytes: four of five do nothing between two snapshots and look the same."""

from __future__ import annotations

import msgspec

from procession.packed import Listing, PackedProcess
from procession.process import ProcessDescription
from procession.wire.datadog.cache_budget import CacheBudget
from procession.wire.datadog.messages.descriptions import ContainerContext

_BYTES_PER_PROCESS = 550
"""A cached process with its numbers, its entries for two snapshots and its part of a listing. Its description is not
included: the `DescriptionDecoder` holds that and counts it."""

_BYTES_PER_HOST = 1000

_MOST_STALE = 1.25
"""So many times what a snapshot has may be known of before."""


class CachedProcess(msgspec.Struct, frozen=True, gc=False):
    """What the bytes of a process were decoded to, and in which context: in another one they mean other tags."""

    process: PackedProcess
    numbers: bytes
    context: ContainerContext


class HostProcesses:
    """The processes in the last two snapshots of a host, by the hash of their bytes.

    Python's hash is keyed with a secret, which a sender cannot know; and of the few hundred processes of one host two
    hardly ever share all 64 bits.
    """

    __slots__ = ("_listings", "_listings_before", "_processes", "before", "moment", "now", "put_count")

    def __init__(self) -> None:
        self.before: dict[int, CachedProcess] = {}
        self.now: dict[int, CachedProcess] = {}
        self.moment = (0, 0)
        """`taken_at` and `split_id` of the snapshot that is `now`."""
        self.put_count = 0
        """How many of `now` were not in `before`."""
        self._processes: dict[int, PackedProcess] = {}
        """By `pid << 32 | started_at`."""
        self._listings_before: dict[PackedProcess, Listing] = {}
        self._listings: dict[PackedProcess, Listing] = {}
        """By the first process."""

    def begin(self, moment: tuple[int, int]) -> int:
        """Another snapshot. Gives how many processes are held no longer."""
        gone = len(self.before) + self.put_count - len(self.now)
        self.before, self.now, self.moment, self.put_count = self.now, {}, moment, 0
        self._listings_before, self._listings = self._listings, {}
        if len(self._processes) > _MOST_STALE * len(self.before):
            held = [one.process for one in self.before.values()]
            self._processes = {one.pid << 32 | one.started_at: one for one in held}
        return gone

    def put(self, bytes_hash: int, one: CachedProcess) -> None:
        self.now[bytes_hash] = one
        self.put_count += 1
        process = one.process
        self._processes[process.pid << 32 | process.started_at] = process

    def process(self, pid: int, started_at: int, description: ProcessDescription) -> PackedProcess:
        """The one of before, if it is still the same."""
        found = self._processes.get(pid << 32 | started_at)
        if found is not None and found.description is description:
            return found
        return PackedProcess.of(pid, started_at, description)

    def listing(self, processes: tuple[PackedProcess, ...]) -> Listing | None:
        """The one of before that has the same."""
        first = processes[0]
        found = self._listings_before.get(first) or self._listings.get(first)
        if found is None or found.processes != processes:
            return None
        self._listings[first] = found
        return found

    def put_listing(self, listing: Listing) -> None:
        """One of processes that are held."""
        self._listings[listing.processes[0]] = listing


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
            gone = found.begin(moment)
            self._budget.release(gone * _BYTES_PER_PROCESS, gone)
        return found

    def put(self, host: HostProcesses, bytes_hash: int, one: CachedProcess) -> bool:
        """As far as the budget allows: whether it did."""
        is_held = self._budget.admits(_BYTES_PER_PROCESS)
        if is_held:
            host.put(bytes_hash, one)
        return is_held

    def forget(self) -> None:
        self._hosts = {}
