"""What this process has stored already, so that it is not stored again each time. To lose it only repeats rows."""

from __future__ import annotations

import threading
import weakref
from array import array
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from procession.packed import Listing
from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS

AHEAD_SECONDS = 900
"""So long before an hour begins, the descriptions of its processes begin to be written: each host at a moment of its
own, so that the first snapshots of an hour cost little more than others."""

_LEAST_AHEAD = 60

_NEVER = -1
"""No moment."""


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
    versions: array[int]
    label_sets: array[int]


class DedupCache:
    def __init__(self, *, is_complete: bool = False) -> None:
        """`is_complete`: whether nobody else stores anything, so that this knows all of it."""
        self.is_complete = is_complete
        self.versions: dict[OrgHost, dict[int, KnownVersion]] = {}
        """Host -> pid -> what was written of it."""
        self.moments: dict[OrgHost, tuple[int, int]] = {}
        """Host -> the newest moment of which a snapshot was stored, and the one before it; 0: none."""
        self._settled: dict[OrgHost, dict[int, SettledListing]] = {}
        """Host -> id of a listing -> what is written of it."""
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

    def note_settled(self, org_host: OrgHost, settled: Iterable[SettledListing]) -> None:
        """To be called after `note_versions` of the same snapshots."""
        of_host = self._settled.setdefault(org_host, {})
        for number, one in list(of_host.items()):
            if one.listing() is None:
                del of_host[number]
        of_host.update({id(one.listing()): one for one in settled})

    def _unsettle(self, org_host: OrgHost, pids: Iterable[int]) -> None:
        of_host = self._settled.get(org_host)
        if not of_host:
            return
        pids = set(pids)
        for number, one in list(of_host.items()):
            if one.listing() is None or not pids.isdisjoint(one.pids):
                del of_host[number]

    def note_versions(self, org_host: OrgHost, news: Mapping[int, KnownVersion]) -> None:
        """By pid. To be called before `note_moments` of the same snapshots."""
        # Of a host that is not known nobody remembers which exits were told.
        is_new, early = org_host not in self.moments, self.early_exits.get(org_host, {})
        known = self.versions.setdefault(org_host, {})
        if news:
            self._unsettle(org_host, news)
        for pid, entry in news.items():
            may_have_ended = entry.seen_at and (is_new or early.get(pid, _NEVER) >= entry.seen_at)
            known[pid] = msgspec.structs.replace(entry, seen_at=_NEVER) if may_have_ended else entry

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
        for org_host, of_host in list(self._settled.items()):
            self._settled[org_host] = {
                number: one for number, one in of_host.items() if one.until >= oldest and one.listing() is not None
            }
            if not self._settled[org_host]:
                del self._settled[org_host]
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
