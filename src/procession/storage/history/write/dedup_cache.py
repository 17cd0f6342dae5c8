"""What this process has stored already, so that it is not stored again each time. Losing some of it repeats rows."""

from __future__ import annotations

import threading
import weakref
from array import array
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np

from procession.packed import Listing
from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS

AHEAD_SECONDS = 900
"""So long before an hour begins, the descriptions of its processes begin to be written: each host at a moment of its
own, so that the first snapshots of an hour cost little more than others."""

_LEAST_AHEAD = 60

_NEVER = -1
"""No moment."""

BYTES_OF_A_PROCESS = 350
"""About so many."""

MAX_PROCESSES = 3_000_000
"""So many are remembered at most."""

_PROCESSES_OF_A_SET = 4
"""There is room for one tag set, and one label set, for so many processes."""

_ENDED_PROCESSES = 1000
"""Of a host, so many that have ended may be remembered, and as many more as it runs; fewer where the bound is low."""

_SILENT_SECONDS = 900
"""A host without a snapshot for so long is forgotten first."""


OrgHost = tuple[int, int]
"""Org id and host key."""


class KnownVersion(msgspec.Struct, frozen=True, gc=False):
    """What was last written of a pid of a host."""

    start: int
    """The start that it is kept under."""
    reported_start: int
    """The start that its host reports now: see `procession.storage.history.write.start_times`."""
    fingerprint: int
    """Of its description; means something in this process only."""
    version: int
    label_set: int
    since: int
    until: int
    """The hours that have its description, both ends within."""
    seen_at: int = 0
    """Its newest sighting, where the two starts differ; else 0."""

    def lacks(self, hour: int, newest_hour: int) -> bool:
        """Whether one of these hours is without its description."""
        return hour < self.since or newest_hour > self.until


class SettledListing(NamedTuple):
    """A listing of which everything is written, each process under the start that its host reports."""

    listing: weakref.ref[Listing]
    since: int
    until: int
    """The hours that have all of its descriptions, both ends within."""
    pids: array[int]
    starts: array[int]
    hashes: array[int]
    """Of the descriptions."""
    versions: array[int]
    label_sets: array[int]

    def found_in(self, listing: Listing) -> tuple[list[int], array[int], array[int]]:
        """Of another listing of the same host: the places of those that are not in this one, and versions and label
        sets, which mean nothing at these places."""
        own, theirs = np.frombuffer(self.pids, "u4"), np.frombuffer(listing.pids, "u4")
        order = np.argsort(own, kind="stable")
        places = order[np.minimum(np.searchsorted(own, theirs, sorter=order), len(own) - 1)]
        is_same = own[places] == theirs
        is_same &= np.frombuffer(self.starts, "u4")[places] == np.frombuffer(listing.starts, "u4")
        is_same &= np.frombuffer(self.hashes, "i8")[places] == np.frombuffer(listing.hashes, "i8")
        versions, label_sets = (
            array("Q", np.frombuffer(column, "u8")[places].tobytes()) for column in (self.versions, self.label_sets)
        )
        return np.flatnonzero(~is_same).tolist(), versions, label_sets


class DedupCache:
    """Its memory has a bound: of a host whose processes are new again and again those that have ended are forgotten,
    and whole hosts where there are too many processes. What is forgotten is looked up in the tables when it comes
    again, and written again, which leaves the tables as they were once the engine has merged them."""

    def __init__(self, *, is_complete: bool = False, max_processes: int = MAX_PROCESSES) -> None:
        """`is_complete`: whether nobody else stores anything, so that this knows all of it, or from when on.
        `max_processes`: so many are remembered; a host counts as one more."""
        self.is_complete = is_complete
        self._max_processes = max_processes
        self._max_ended = min(_ENDED_PROCESSES, max_processes // 4)
        self._max_sets = max_processes // _PROCESSES_OF_A_SET + 1
        self._size = 0
        """Of `versions`: its processes and its hosts."""
        self.versions: dict[OrgHost, dict[int, KnownVersion]] = {}
        """Host -> pid -> what was written of it."""
        self.moments: dict[OrgHost, tuple[int, int]] = {}
        """Host -> the newest moment of which a snapshot was stored, and the one before it; 0: none."""
        self._settled: dict[OrgHost, dict[int, SettledListing]] = {}
        """Host -> id of a listing -> what is written of it."""
        self._newest: dict[OrgHost, SettledListing] = {}
        """Host -> the newest that was all of a snapshot, whether or not anybody has it still."""
        self.since: dict[OrgHost, int] = {}
        """Host -> from when on all that it ran is in memory."""
        self.early_exits: dict[OrgHost, dict[int, int]] = {}
        """Host -> pid -> moment of its newest exit, where that was told before a later snapshot of the host."""
        self.tag_sets: set[tuple[int, int, int]] = set()
        """Org, tag set, day."""
        self.label_sets: set[tuple[int, int, int]] = set()
        """Org, label set, day."""
        self.hosts: set[tuple[int, int, int]] = set()
        """Org, host key, day."""
        self.changing = threading.Lock()
        """To be held by who changes any of it; of each org, one thread reads and changes at a time."""
        self._newest_hour = 0

    def moment_before(self, org_host: OrgHost, at: int) -> int | None:
        """Of this host, before a snapshot of this moment. None for one that comes late: there were others since."""
        newest, before = self.moments.get(org_host, (0, 0))
        if at > newest:
            return newest
        return before if at == newest else None

    def note_exits(self, org_host: OrgHost, exits: Iterable[tuple[int, int]]) -> None:
        """Processes under these pids may have ended at these moments: one that is kept under another start than its
        host reports is looked up anew. So is one of which that is noted after its exit was."""
        known = self.versions.get(org_host, {})
        newest, _ = self.moments.get(org_host, (0, 0))
        for pid, at in exits:
            entry = known.get(pid)
            if entry is not None and entry.start != entry.reported_start:
                known[pid] = msgspec.structs.replace(entry, seen_at=_NEVER)
            if self.is_complete and at >= newest:
                early = self.early_exits.setdefault(org_host, {})
                early[pid] = max(at, early.get(pid, at))

    def settled(self, org_host: OrgHost, listing: Listing) -> SettledListing | None:
        """What is written of a listing, if that is settled."""
        found = self._settled.get(org_host, {}).get(id(listing))
        return found if found is not None and found.listing() is listing else None

    def newest_settled(self, org_host: OrgHost) -> SettledListing | None:
        """What is written of the newest snapshot that was one listing, if that is settled."""
        return self._newest.get(org_host)

    def note_newest(self, org_host: OrgHost, newest: SettledListing) -> None:
        """To be called after `note_versions` of the same snapshots."""
        self._newest[org_host] = newest

    def note_settled(self, org_host: OrgHost, settled: Iterable[SettledListing]) -> None:
        """To be called after `note_versions` of the same snapshots."""
        of_host = self._settled.setdefault(org_host, {})
        for number, one in list(of_host.items()):
            if one.listing() is None:
                del of_host[number]
        of_host.update({id(one.listing()): one for one in settled})

    def _unsettle(self, org_host: OrgHost, pids: Iterable[int]) -> None:
        pids = set(pids)
        newest = self._newest.get(org_host)
        if newest is not None and not pids.isdisjoint(newest.pids):
            del self._newest[org_host]
        of_host = self._settled.get(org_host)
        if not of_host:
            return
        for number, one in list(of_host.items()):
            if one.listing() is None or not pids.isdisjoint(one.pids):
                del of_host[number]

    def note_versions(self, org_host: OrgHost, news: Mapping[int, KnownVersion]) -> None:
        """By pid. To be called before `note_moments` of the same snapshots."""
        # Of a host that is not known nobody remembers which exits were told.
        is_new, early = org_host not in self.moments, self.early_exits.get(org_host, {})
        self._size -= self._size_of(org_host)
        known = self.versions.setdefault(org_host, {})
        if news:
            self._unsettle(org_host, news)
        for pid, entry in news.items():
            may_have_ended = entry.seen_at and (is_new or early.get(pid, _NEVER) >= entry.seen_at)
            known[pid] = msgspec.structs.replace(entry, seen_at=_NEVER) if may_have_ended else entry
        self._size += self._size_of(org_host)

    def note_moments(self, moments: Mapping[OrgHost, tuple[int, int]]) -> None:
        self.moments.update(moments)
        for org_host, (newest, _) in moments.items():
            self.since.setdefault(org_host, newest)
            if org_host in self.early_exits:
                self._forget_exits_before(org_host, newest)

    def _forget_exits_before(self, org_host: OrgHost, oldest: int) -> None:
        early = {pid: at for pid, at in self.early_exits.pop(org_host).items() if at >= oldest}
        if early:
            self.early_exits[org_host] = early

    def has_many_ended(self, org_host: OrgHost, at: int, running: int) -> bool:
        """Of a host that ran so many at this moment, if that is the newest."""
        newest, _ = self.moments.get(org_host, (0, 0))
        return at == newest and len(self.versions.get(org_host, ())) > 2 * running + self._max_ended

    def forget_ended(self, org_host: OrgHost, living: Collection[int]) -> None:
        """All but these pids. What begins later than any that is forgotten is still known to be new."""
        known = self.versions.get(org_host, {})
        left = {pid: known[pid] for pid in living if pid in known}
        starts = [max(one.start, one.reported_start) for pid, one in known.items() if pid not in left]
        self.since[org_host] = max(self.since.get(org_host, 0), *starts, 0)
        self._size -= len(starts)
        self.versions[org_host] = left

    def keep_to_bound(self) -> None:
        """Forget hosts until what is left fits. First come those that fell silent, then those that came last: where
        more runs than fits, the others are remembered all the time."""
        for sets in (self.tag_sets, self.label_sets, self.hosts):
            if len(sets) > self._max_sets:
                sets.clear()
        if self._size <= self._max_processes:
            return
        newest = {org_host: self.moments.get(org_host, (0, 0))[0] for org_host in self.versions}
        silent_since = max(newest.values()) - _SILENT_SECONDS
        silent = sorted((one for one, at in newest.items() if at < silent_since), key=newest.__getitem__)
        for org_host in (*silent, *reversed(newest)):
            if self._size <= self._max_processes:
                return
            self._forget(org_host)

    def _forget(self, org_host: OrgHost) -> None:
        """As if nothing had come from this host since the start."""
        self._size -= self._size_of(org_host)
        places: tuple[dict[OrgHost, Any], ...] = (
            self.versions, self.moments, self.since, self._settled, self._newest, self.early_exits
        )  # fmt: skip
        for place in places:
            place.pop(org_host, None)

    def _size_of(self, org_host: OrgHost) -> int:
        known = self.versions.get(org_host)
        return 0 if known is None else 1 + len(known)

    def forget_before(self, hour: int) -> None:
        """Drop what ended before the last hour but one, whenever an hour begins."""
        if hour <= self._newest_hour:
            return
        self._newest_hour = hour
        oldest = hour - 1
        for org_host, known in list(self.versions.items()):
            self.versions[org_host] = {pid: entry for pid, entry in known.items() if entry.until >= oldest}
            if not self.versions[org_host]:
                del self.versions[org_host]
                self.moments.pop(org_host, None)
                self.since.pop(org_host, None)
            elif len(self.versions[org_host]) < len(known):
                self.since[org_host] = max(self.since.get(org_host, 0), oldest * HOUR_SECONDS)
        self._size = sum(1 + len(known) for known in self.versions.values())
        for org_host, of_host in list(self._settled.items()):
            self._settled[org_host] = {
                number: one for number, one in of_host.items() if one.until >= oldest and one.listing() is not None
            }
            if not self._settled[org_host]:
                del self._settled[org_host]
        self._newest = {org_host: one for org_host, one in self._newest.items() if one.until >= oldest}
        for org_host in list(self.early_exits):
            self._forget_exits_before(org_host, oldest * HOUR_SECONDS)
        day = (hour - 1) * HOUR_SECONDS // DAY_SECONDS
        self.tag_sets = {entry for entry in self.tag_sets if entry[2] >= day}
        self.label_sets = {entry for entry in self.label_sets if entry[2] >= day}
        self.hosts = {entry for entry in self.hosts if entry[2] >= day}


def newest_moments(moments: tuple[int, int], at: int) -> tuple[int, int]:
    """The newest two of all of them."""
    newest, before = moments
    if at > newest:
        return at, newest
    return (newest, at) if before < at < newest else moments


def description_hour(host: int, at: int) -> int:
    """The newest hour that is to have the descriptions of what a host runs at a moment: its own, or the next."""
    return (at + _LEAST_AHEAD + host % (AHEAD_SECONDS - _LEAST_AHEAD)) // HOUR_SECONDS


def joined(since: int, until: int, hour: int, newest_hour: int) -> tuple[int, int]:
    """One span of hours out of two; the newer of them where there is a gap between."""
    if hour > until + 1:
        return hour, newest_hour
    if newest_hour + 1 < since:
        return since, until
    return min(since, hour), max(until, newest_hour)
