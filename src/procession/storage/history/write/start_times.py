"""Which start a process is kept under.

Agents reckon the start of a process from when the machine was booted, and correct their idea of that: then the starts
of all processes of a host shift by a second. So a start up to two seconds beside that of the process that the host had
under the same pid is the same start, unless that process has ended in between: then the pid went to another one. What
is kept is the start that was stored first. Whether it has ended is read off the tables, so that it does not matter
which server took what; only of two servers that store the same host's chunks at the same moment, neither sees the
other's. An agent waits for each answer before it posts the next, and so keeps clear of that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from procession.lifecycle.endings import START_TOLERANCE, first_after, has_ended_between, is_near
from procession.packed import AnySnapshot, Listing, PackedProcess, pack
from procession.process import ProcessKey, host_key
from procession.storage.history.engine.statement import Rows
from procession.storage.history.statements.exits import exits_of_pids
from procession.storage.history.statements.hosts import names_of_hosts
from procession.storage.history.statements.presence import presence_near_starts
from procession.storage.history.statements.snapshots import complete_snapshots, snapshots_listing
from procession.storage.history.tables.constants import HOUR_SECONDS
from procession.storage.history.write.dedup_cache import DedupCache
from procession.window import Window

Chunks = Sequence[tuple[int, AnySnapshot]]
"""(Org id, chunk), in the order of arrival."""

ReportedStart = tuple[int, int, int, int]
"""Org, host key, pid and the start that the host reports."""

_LONG_AGO = 7 * 24
"""Buckets to look back, and ahead of what comes late, for a host that was away."""


class _Unknown(NamedTuple):
    """A start of which memory does not tell under which one it is kept."""

    pid: int
    reported_start: int
    at: int


class _Stored(NamedTuple):
    start: int
    first: int
    last: int

    def order_at(self, at: int) -> tuple[int, int]:
        """Those whose sightings are nearer to a moment come first. The second part is the start."""
        return max(self.first - at, at - self.last, 0), self.start

    def until(self, at: int) -> tuple[int, int]:
        """The time between its sightings and a moment, from the earlier to the later end."""
        if self.first <= at <= self.last:
            return at, at
        return (self.last, at) if at > self.last else (at, self.first)


class StartTimes:
    """The starts to keep for chunks that are to be stored together."""

    def __init__(self, rows: Rows, cache: DedupCache, chunks: Chunks, waiting: Callable[[], Window | None]) -> None:
        """`waiting`: from the first to the last moment of which the snapshots alone tell who was there."""
        self.kept: dict[ReportedStart, int] = {}
        """Where memory does not tell."""
        self.needs_ordering: set[tuple[int, int]] = set()
        """Hosts of which one of the chunks may say that a process of another has ended. Those are to be stored one
        moment after the other; see `by_moment`."""
        self._rows = rows
        self._waiting = waiting
        self._cache = cache
        self._moments: dict[tuple[int, int], int] = {}
        self._doubtful: dict[tuple[tuple[int, int], int], tuple[Listing, Sequence[PackedProcess]]] = {}
        """Host and id of a listing -> the listing, so that its id stays its own, and see `_doubtful_in`."""
        self._hosts_of_several_moments: set[tuple[int, int]] = set()
        """Hosts with several moments among the chunks."""
        for org_id, unknown in self._unknown(chunks).items():
            self._look_up(org_id, unknown)

    def _unknown(self, chunks: Chunks) -> dict[int, dict[tuple[int, int], _Unknown]]:
        """Org -> (host key, pid) -> the start."""
        found: dict[int, dict[tuple[int, int], _Unknown]] = {}
        new: dict[tuple[int, int, int], int] = {}
        for org_id, snapshot in chunks:
            host, at = host_key(snapshot.host), snapshot.taken_at
            org_host = org_id, host
            if self._moments.setdefault(org_host, at) != at:
                self._hosts_of_several_moments.add(org_host)
            before = self._cache.moment_before(org_host, at)
            known, since = self._cache.versions.get(org_host, {}), self._cache.since.get(org_host)
            for sighting in self._doubtful_in(org_host, pack(snapshot).listing):
                entry = known.get(sighting.pid)
                reported_start = sighting.started_at
                if entry is not None and entry.reported_start == reported_start:
                    # One that is kept under another start lives on if it was in the host's last snapshot. If not, the
                    # same start may be that of another process.
                    is_next = before is not None and org_host not in self._hosts_of_several_moments
                    was_there = self._cache.is_complete and is_next and entry.seen_at in (at, before)
                    if was_there and entry.start != reported_start:
                        self.kept[org_id, host, sighting.pid, reported_start] = entry.start
                    if was_there or entry.start == reported_start:
                        continue
                elif (
                    entry is None
                    and self._cache.is_complete
                    and since is not None
                    and reported_start > since + START_TOLERANCE
                ):
                    # Whatever had this start would have been stored since then, and be in memory.
                    if new.setdefault((*org_host, sighting.pid), reported_start) != reported_start:
                        self._note_doubt(org_host)
                    continue
                of_org = found.setdefault(org_id, {})
                rival = of_org.setdefault((host, sighting.pid), _Unknown(sighting.pid, reported_start, at))
                if rival.reported_start != reported_start:
                    self._note_doubt(org_host)
        return found

    def _note_doubt(self, org_host: tuple[int, int]) -> None:
        if org_host in self._hosts_of_several_moments:
            self.needs_ordering.add(org_host)

    def _doubtful_in(self, org_host: tuple[int, int], listing: Listing) -> Sequence[PackedProcess]:
        """All but those that are known to be kept under the start that their host reports."""
        if self._cache.settled(org_host, listing) is not None:
            return ()
        remembered = self._doubtful.get((org_host, id(listing)))
        if remembered is None:
            known = self._cache.versions.get(org_host, {})
            found = [
                one
                for one in listing.processes
                if (entry := known.get(one.pid)) is None or not entry.start == entry.reported_start == one.started_at
            ]
            remembered = self._doubtful[org_host, id(listing)] = listing, found
        return remembered[1]

    def _look_up(self, org_id: int, unknown: dict[tuple[int, int], _Unknown]) -> None:
        unknown = self._of_known_hosts(org_id, unknown)
        stored = self._stored(org_id, unknown)
        doubtful: dict[tuple[int, int], list[_Stored]] = {}
        for (host, pid), candidates in stored.items():
            reported_start = unknown[host, pid].reported_start
            if any(candidate.start == reported_start for candidate in candidates):
                self.kept[org_id, host, pid, reported_start] = reported_start  # whatever memory says
            else:
                doubtful[host, pid] = candidates
                self._note_doubt((org_id, host))
        if not doubtful or self.needs_ordering:
            return
        endings = _StoredEndings(
            self._rows, org_id, {process: (unknown[process], found) for process, found in doubtful.items()}
        )
        for (host, pid), candidates in doubtful.items():
            one = unknown[host, pid]
            living = [candidate for candidate in candidates if not endings.between(host, pid, candidate, one.at)]
            kept = min((candidate.order_at(one.at) for candidate in living), default=(0, one.reported_start))
            self.kept[org_id, host, pid, one.reported_start] = kept[1]

    def _of_known_hosts(self, org_id: int, unknown: dict[tuple[int, int], _Unknown]) -> dict[tuple[int, int], _Unknown]:
        """Without the hosts of which nothing is stored."""
        strange = {host for host, _ in unknown if (org_id, host) not in self._cache.versions}
        if strange:
            strange -= {row.number for row in self._rows(names_of_hosts(org_id, strange))}
        return {process: one for process, one in unknown.items() if process[0] not in strange}

    def _stored(self, org_id: int, unknown: dict[tuple[int, int], _Unknown]) -> dict[tuple[int, int], list[_Stored]]:
        """(host key, pid) -> what is stored of it with a start that may be the same: around the same time, and if this
        very start is not there, at any time."""
        found: dict[tuple[int, int], list[_Stored]] = {}
        missing = unknown
        for reach in (1, _LONG_AGO):
            if not missing:
                break
            hours = [one.at // HOUR_SECONDS for one in missing.values()]
            keys = [ProcessKey(one.reported_start, host, pid) for (host, pid), one in missing.items()]
            first, last = max(min(hours) - reach, 0), max(hours) + reach
            near: dict[tuple[int, int], list[_Stored]] = {}
            for row in self._rows(presence_near_starts(org_id, first, last, keys, self._waiting())):
                if is_near(row.start, missing[row.host, row.pid].reported_start):
                    candidate = _Stored(row.start, row.first, row.last)
                    near.setdefault((row.host, row.pid), []).append(candidate)
            found |= near
            missing = {
                process: one
                for process, one in missing.items()
                if all(candidate.start != one.reported_start for candidate in near.get(process, ()))
            }
        return found


_Doubtful = Mapping[tuple[int, int], tuple[_Unknown, Sequence[_Stored]]]
"""Host key and pid -> a start that is not known, and what is stored that may be the same process."""


class _StoredEndings:
    """What is stored of how these processes ended.

    Another server may store a snapshot after it was read when they were seen, and it would seem to lack them. So
    whether it does is looked for in that very snapshot; if it does not, it is there for none of its host.
    """

    def __init__(self, rows: Rows, org_id: int, doubtful: _Doubtful) -> None:
        moments = [one.at for one, _ in doubtful.values()]
        moments += [moment for _, stored in doubtful.values() for one in stored for moment in (one.first, one.last)]
        since, until = min(moments), max(moments)
        keys = [ProcessKey(one.reported_start, host, pid) for (host, pid), (one, _) in doubtful.items()]
        self._complete: dict[int, list[int]] = {}
        for host, at in rows(complete_snapshots(org_id, since, until, {key.host_key for key in keys})):
            self._complete.setdefault(host, []).append(at)
        self._exits: dict[tuple[int, int], list[int]] = {}
        for row in rows(exits_of_pids(org_id, since, until, keys)):
            self._exits.setdefault((row.host, row.pid), []).append(row.at)
        self._leave_out_what_came_since(rows, org_id, doubtful)

    def _leave_out_what_came_since(self, rows: Rows, org_id: int, doubtful: _Doubtful) -> None:
        looked_at: set[tuple[ProcessKey, int]] = set()
        while missing := {*self._missing(doubtful)} - looked_at:
            for host, at in {*rows(snapshots_listing(org_id, sorted(missing)))}:
                self._complete[host].remove(at)
            looked_at |= missing

    def _missing(self, doubtful: _Doubtful) -> Iterator[tuple[ProcessKey, int]]:
        """Those that seem to have ended by a snapshot, and the first one that seems to lack them."""
        for (host, pid), (one, candidates) in doubtful.items():
            for stored in candidates:
                since, until = stored.until(one.at)
                missing_at = first_after(since, self._complete.get(host, ()))
                if missing_at is not None and missing_at < until:
                    yield ProcessKey(stored.start, host, pid), missing_at

    def between(self, host: int, pid: int, stored: _Stored, at: int) -> bool:
        """Whether the process has ended between its sightings and this moment."""
        since, until = stored.until(at)
        return has_ended_between(since, until, self._complete.get(host, ()), self._exits.get((host, pid), ()))


def by_moment(chunks: Chunks, hosts: Collection[tuple[int, int]]) -> Iterator[Chunks]:
    """The same chunks in the same order for each host, in parts of which none has two moments of one of these hosts:
    org and host key. Those of all others are in the first."""
    waiting: Iterable[tuple[int, AnySnapshot]] = chunks
    while waiting:
        part, later = [], []
        moments: dict[tuple[int, int], int] = {}
        held: set[tuple[int, int]] = set()
        for org_id, snapshot in waiting:
            org_host = org_id, host_key(snapshot.host)
            is_other = moments.setdefault(org_host, snapshot.taken_at) != snapshot.taken_at
            if org_host in hosts and (org_host in held or is_other):
                held.add(org_host)
                later.append((org_id, snapshot))
            else:
                part.append((org_id, snapshot))
        yield part
        waiting = later
