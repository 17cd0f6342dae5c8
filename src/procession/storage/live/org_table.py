"""The live table of one org: a row for each process, and what its older versions were."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from procession.lifecycle.endings import DEAD_SECONDS, has_ended_between, told_by
from procession.lifecycle.events import ProcessExits
from procession.packed import DEAD, STATES, AnySnapshot, Listing, pack
from procession.process import MAX_UINT32, LiveSnapshot, ProcessDescription, ProcessKey
from procession.storage.live.chunk import Chunk
from procession.storage.live.columns import (
    NO_NUMBER,
    NUMBERS_ROW,
    Array,
    HostMoments,
    Rows,
    Versions,
    keys_of,
    starts_of,
)
from procession.storage.live.dictionaries import Descriptions, Parts
from procession.storage.live.hosts import Host
from procession.storage.live.instants.earlier_numbers import ROW_BYTES
from procession.storage.live.order import KeyOrder
from procession.storage.live.text_index import TextIndex

_DEAD_SHARE = 0.2
"""Of rows, or of versions, from which on their room is given back."""

_EARLIER_SECONDS = 5
"""So long before a moment an instant may be for which numbers are kept. At the pace of agents that is one sighting more
of each process."""

_FAR_AHEAD_SECONDS = 60
"""A clock that is so much ahead keeps numbers for longer than a flush takes."""

_TOLD = np.array([told_by(state) for state in STATES], "u1")
"""By number of a state, how much it tells."""


EARLY_SECONDS = 60
"""Before its start nothing is seen, but for clocks that are set."""


class Version(NamedTuple):
    """One version of a process; `place` in the versions, NO_NUMBER for the newest, which is in the row."""

    place: int
    first: int
    last: int
    parts: Parts


class OrgTable:
    """Not for several threads at once."""

    def __init__(self, since: int) -> None:
        """`since`: everything that was taken from this moment on is in it; what is older, it does not take."""
        self.since = since
        self.exits_since = since
        """From when on it knows how processes ended."""
        self.newest = 0
        """The newest moment of all."""
        self.numbers_since = 0
        """Of instants before, numbers of some hosts are not kept any more."""
        self.rows = Rows.empty()
        self.row_count = 0
        self.versions = Versions.empty()
        self.version_count = 0
        self.order = KeyOrder()
        self.hosts: list[Host | None] = []
        self._host_numbers: dict[str, int] = {}
        self._free_hosts: list[int] = []
        self._numbers_of_keys: dict[int, int] = {}
        self.host_moments = HostMoments.empty()
        self._earlier_count = 0
        """Rows of earlier numbers of all hosts."""
        self._text_index = TextIndex()
        self.descriptions = Descriptions(self._text_index.note)

    # What is written

    def apply(self, snapshot: AnySnapshot, now: int | None = None, needed_since: int | None = None) -> None:
        """Take in a chunk. What is older than `since` is left out; the same again changes nothing. `now`: so much as is
        needed of instants from then on is kept of a host whose clock is ahead; `needed_since`: of any host."""
        at = snapshot.taken_at
        if not self.since <= at <= MAX_UINT32:
            return
        host = self._host(snapshot.host)
        before = host.note(snapshot)
        self.newest = max(self.newest, at)
        self.host_moments.told[host.number] = host.told[-1]
        self.host_moments.complete[host.number] = host.complete[-1] if host.complete else 0
        packed = pack(snapshot)
        if not len(packed):
            return
        chunk = Chunk.of(packed)
        earlier_count = host.earlier.row_count
        self._take_in(host, packed.listing, chunk, before)
        instant = (at if now is None else min(at, now)) - _EARLIER_SECONDS
        oldest = host.base_of(instant if needed_since is None else min(instant, needed_since))
        is_far_ahead = now is not None and at > now + _FAR_AHEAD_SECONDS
        host.earlier.forget_before(oldest, len(host), are_waiting=needed_since is not None and not is_far_ahead)
        self.numbers_since = max(self.numbers_since, oldest)
        self._earlier_count += host.earlier.row_count - earlier_count

    def _take_in(self, host: Host, listing: Listing, chunk: Chunk, before: int | None) -> None:
        """Sightings of any processes. `before`: see `Host.note`."""
        listed = host.rows_listed(listing, chunk.at)
        if listed is not None:
            self._see(host, listed, chunk, before)
            return
        rows, is_shifted, places = host.find(chunk.pids, chunk.starts)
        is_doubtful = rows.min() < 0 or is_shifted.any()
        if is_doubtful:
            self._place(host, chunk, rows, is_shifted, places)
        in_order = np.sort(rows)
        if (in_order[1:] == in_order[:-1]).any():
            for some in _without_doubles(rows):
                self._see(host, rows[some], chunk.part(some), before)
        else:
            if not is_doubtful:
                host.note_listed(listing, rows)
            self._see(host, rows, chunk, before)

    def add_exits(self, exits: ProcessExits) -> None:
        """An exit of a moment that is past does not count for what comes."""
        known = [one for one in exits.exits if self.since - DEAD_SECONDS <= one.at <= MAX_UINT32]
        if known:
            host = self._host(exits.host)
            host.add_exits(known)
            self._note_ended(host, max(one.at for one in known))

    def add_live(self, live: LiveSnapshot) -> None:
        """Numbers that are no sightings."""
        if live.processes and self.since <= live.taken_at <= MAX_UINT32:
            host = self._host(live.host)
            host.add_live(live)
            if any(one.numbers.state == DEAD for one in live.processes):
                self._note_ended(host, live.taken_at)

    def _note_ended(self, host: Host, at: int) -> None:
        self.host_moments.ended[host.number] = max(int(self.host_moments.ended[host.number]), at)

    def settle(self) -> None:
        """Bring what is only read up to date."""
        self.order.settle()

    @property
    def text_index(self) -> TextIndex:
        """For readers. To put many long texts into it takes a second: only who looks for a word waits for that."""
        self._text_index.settle(self.descriptions.texts)
        return self._text_index

    def _host(self, name: str) -> Host:
        number = self._host_numbers.get(name)
        if number is None:
            number = self._free_hosts.pop() if self._free_hosts else len(self.hosts)
            if number == len(self.hosts):
                self.hosts.append(None)
            host = self.hosts[number] = Host(name, number)
            self._host_numbers[name] = self._numbers_of_keys[host.key] = number
            moments = self.host_moments
            moments.reserve(number + 1)
            moments.told[number] = moments.complete[number] = moments.ended[number] = 0
        return self.host(number)

    # Which row is whose

    def _place(self, host: Host, chunk: Chunk, rows: Array, is_shifted: Array, places: Array) -> None:
        """Find or make the rows of processes that the host does not have, or has under another start."""
        under_others = np.flatnonzero(is_shifted)
        since, until = host.near(chunk.pids[under_others], chunk.starts[under_others])
        # Its own place and that of the row; with a third one, another process may be nearer to this moment by now.
        has_rivals = until - since > 2
        for index, has_rival in zip(under_others.tolist(), has_rivals.tolist(), strict=True):
            if has_rival or self._has_ended(host, int(rows[index]), int(chunk.pids[index]), chunk.at):
                rows[index] = NO_NUMBER
        missing = np.flatnonzero(rows < 0)
        since, until = host.near(chunk.pids[missing], chunk.starts[missing])
        shifted = []
        for index in missing[since < until].tolist():
            pid, start = int(chunk.pids[index]), int(chunk.starts[index])
            found = self._living(host, pid, start, chunk.at)
            if found is not None:
                rows[index] = found
                shifted.append((int(places[index]), found))
        new = np.flatnonzero(rows < 0)
        if len(new):
            self._add(host, chunk, rows, new, places)
        for place, row in shifted:
            host.point(place, row, is_shifted=True)

    def _living(self, host: Host, pid: int, start: int, at: int) -> int | None:
        """The row of the process that the host had under a pid and a start near this one, and that has not ended."""
        living = [
            (max(int(self.rows.since[row]) - at, at - int(self.rows.last[row]), 0), self.start_of(row), row)
            for row in host.rows_near(pid, start)
            if not self._has_ended(host, row, pid, at)
        ]
        return min(living)[2] if living else None

    def _has_ended(self, host: Host, row: int, pid: int, at: int) -> bool:
        """Whether a process has ended between its sightings and this moment."""
        first, last = int(self.rows.since[row]), int(self.rows.last[row])
        if first <= at <= last:
            return False
        since, until = (last, at) if at > last else (at, first)
        complete = host.complete[bisect_right(host.complete, since) :][:1]
        return has_ended_between(since, until, complete, (one.at for one in host.exits.get(pid, ())))

    def _add(self, host: Host, chunk: Chunk, rows: Array, new: Array, places: Array) -> None:
        """Rows for processes that were never seen. `new`: which of the chunk they are."""
        own_places, firsts, inverse = np.unique(places[new], return_index=True, return_inverse=True)
        some = chunk.part(new[firsts])
        count = len(firsts)
        numbers = np.arange(self.row_count, self.row_count + count, dtype="i4")
        self.rows.reserve(self.row_count + count)
        part = slice(self.row_count, self.row_count + count)
        self.row_count += count
        keys = keys_of(some.starts, host.key, some.pids)
        own = self.rows
        own.key[part], own.host[part] = keys, host.number
        own.first[part] = own.last[part] = own.since[part] = chunk.at
        own.older[part], own.is_shared[part] = NO_NUMBER, False
        self._describe(numbers, some, self._parts(some.descriptions))
        self.order.add(keys, numbers)
        is_known = host.find(some.pids, some.starts)[0] >= 0
        for index in np.flatnonzero(is_known).tolist():
            host.point(int(own_places[index]), int(numbers[index]), is_shifted=False)
        host.add(own_places[~is_known], numbers[~is_known])
        for pid in host.pids_used_again(some.pids).tolist():
            own.is_shared[host.rows_with(pid)] = True
        rows[new] = numbers[inverse]

    def _parts(self, descriptions: list[ProcessDescription]) -> Array:
        parts_of = self.descriptions.parts_of
        return np.array([parts_of(one) for one in descriptions], "i8").reshape(-1, 4)

    def _describe(self, rows: Array, chunk: Chunk, parts: Array) -> None:
        own = self.rows
        own.text[rows], own.labels[rows], own.ppid[rows], own.namespace_pid[rows] = parts.T
        own.hash[rows] = chunk.hashes
        own.set_numbers(rows, chunk.numbers)

    # What was seen of it

    def _see(self, host: Host, rows: Array, chunk: Chunk, before: int | None) -> None:
        """Sightings of different processes. `before`: see `Host.note`."""
        own, at = self.rows, chunk.at
        last = own.last[rows]
        is_same = own.hash[rows] == chunk.hashes
        goes_on = is_same & (last == (-1 if before is None else before))
        self._keep_earlier(host, rows, last, at)
        if goes_on.all():
            own.last[rows] = at
            own.set_numbers(rows, chunk.numbers)
            return
        own.last[rows[goes_on]] = at
        own.set_numbers(rows[goes_on], chunk.numbers[goes_on])
        self._tell_more(rows, chunk, is_same & (last == at))
        newer = np.flatnonzero((last < at) & ~goes_on)
        if len(newer):
            self._begin(rows[newer], chunk.part(newer), before)
        for index in np.flatnonzero((last > at) | ((last == at) & ~is_same)).tolist():
            host.earlier.hear(int(rows[index]), at, chunk.numbers[index : index + 1])
            self._see_late(host, int(rows[index]), at, chunk.descriptions[index])
        self._tell_more(rows, chunk, (last == at) & ~is_same)

    def _keep_earlier(self, host: Host, rows: Array, last: Array, at: int) -> None:
        """The numbers of those that are seen again."""
        is_newer = last < at
        if not is_newer.all():
            rows, last = rows[is_newer], last[is_newer]
        if not len(rows):
            return
        if (last == last[0]).all():
            host.earlier.keep(int(last[0]), rows, self.rows.numbers[rows])
            return
        for moment in np.unique(last).tolist():
            some = rows[last == moment]
            host.earlier.keep(moment, some, self.rows.numbers[some])

    def _tell_more(self, rows: Array, chunk: Chunk, is_again: Array) -> None:
        """Numbers of a second of which there are some: those count that come with the state that tells more."""
        again = np.flatnonzero(is_again)
        if len(again):
            known = _TOLD[self.rows.state[rows[again]]]
            told = _TOLD[chunk.numbers[again].view(NUMBERS_ROW)["state"]]
            again = again[told >= known]
            self.rows.set_numbers(rows[again], chunk.numbers[again])

    def _begin(self, rows: Array, chunk: Chunk, before: int | None) -> None:
        """New versions of processes, or the same after a gap."""
        own = self.rows
        parts = self._parts(chunk.descriptions)
        is_same = (
            (own.text[rows] == parts[:, 0])
            & (own.labels[rows] == parts[:, 1])
            & (own.ppid[rows] == parts[:, 2])
            & (own.namespace_pid[rows] == parts[:, 3])
        )
        begins = rows[~(is_same & (own.last[rows] == (-1 if before is None else before)))]
        if len(begins):
            places = self._new_versions(len(begins))
            older = self.versions
            older.first[places], older.last[places] = own.first[begins], own.last[begins]
            older.text[places], older.labels[places] = own.text[begins], own.labels[begins]
            older.ppid[places], older.namespace_pid[places] = own.ppid[begins], own.namespace_pid[begins]
            older.older[places] = own.older[begins]
            own.older[begins] = places
            own.first[begins] = chunk.at
        own.last[rows] = chunk.at
        self._describe(rows, chunk, parts)

    def _new_versions(self, count: int) -> Array:
        places = np.arange(self.version_count, self.version_count + count, dtype="i4")
        self.version_count += count
        self.versions.reserve(self.version_count)
        return places

    def _see_late(self, host: Host, row: int, at: int, description: ProcessDescription) -> None:
        """A sighting that is not newer than the newest. Of two descriptions in one second the greater one counts."""
        self.rows.since[row] = min(int(self.rows.since[row]), at)
        parts = self.descriptions.parts_of(description)
        seen = next((one for one in self.versions_of(row) if _is_seen(host, one, at)), None)
        if seen is None:
            self._add_version(row, at, at, parts)
        elif seen.parts != parts:
            other = self.descriptions.whole(*seen.parts)
            if max(other, description, key=msgspec.msgpack.encode) != other:
                self._replace(host, row, seen, at, parts)

    def _replace(self, host: Host, row: int, seen: Version, at: int, parts: Parts) -> None:
        """What a process was at one moment of a version is something else."""
        before, after = host.moment_up_to(at - 1), host.moment_from(at + 1)
        own = self.rows
        if seen.first < at and before >= seen.first:
            self._add_version(row, seen.first, before, seen.parts)
        if seen.last > at and after <= seen.last:
            self._add_version(row, after, seen.last, seen.parts)
        if seen.place == NO_NUMBER and seen.last > at:
            # The newest version stays in the row.
            self._add_version(row, at, at, parts)
            own.first[row] = after
            return
        where, place = (own, row) if seen.place == NO_NUMBER else (self.versions, seen.place)
        where.first[place] = where.last[place] = at
        where.text[place], where.labels[place], where.ppid[place], where.namespace_pid[place] = parts
        if seen.place == NO_NUMBER:
            own.hash[row] = hash(self.descriptions.whole(*parts))

    def _add_version(self, row: int, first: int, last: int, parts: Parts) -> None:
        (place,) = self._new_versions(1).tolist()
        older = self.versions
        older.first[place], older.last[place] = first, last
        older.text[place], older.labels[place], older.ppid[place], older.namespace_pid[place] = parts
        older.older[place] = self.rows.older[row]
        self.rows.older[row] = place

    # What is read

    def host(self, number: int) -> Host:
        host = self.hosts[number]
        if host is None:
            raise KeyError(number)
        return host

    def host_named(self, name: str) -> Host | None:
        number = self._host_numbers.get(name)
        return None if number is None else self.host(number)

    def host_with_key(self, key: int) -> Host | None:
        number = self._numbers_of_keys.get(key)
        return None if number is None else self.host(number)

    def restore_hosts(self, hosts: list[Host | None]) -> None:
        """Those of a checkpoint, by their numbers."""
        self.hosts = hosts
        for number, host in enumerate(hosts):
            if host is None:
                self._free_hosts.append(number)
            else:
                self._host_numbers[host.name] = self._numbers_of_keys[host.key] = number
        self._count_earlier()

    def _count_earlier(self) -> None:
        self._earlier_count = sum(host.earlier.row_count for host in self.hosts if host is not None)

    def row_of(self, key: ProcessKey) -> int | None:
        host = self.host_with_key(key.host_key)
        if host is None or not 0 <= key.started_at <= MAX_UINT32:
            return None
        return next(
            (row for row in host.rows_near(key.pid, key.started_at) if self.start_of(row) == key.started_at), None
        )

    def start_of(self, row: int) -> int:
        return int(starts_of(self.rows.key[row : row + 1])[0])

    def versions_of(self, row: int) -> Iterator[Version]:
        """The newest first, the others in no order."""
        own, older = self.rows, self.versions
        yield _version(own, row, NO_NUMBER)
        place = int(own.older[row])
        while place != NO_NUMBER:
            yield _version(older, place, place)
            place = int(older.older[place])

    def knows_all_since(self, start: int) -> bool:
        """Whether a process that started then, or later, was seen by nobody before the table reaches."""
        return start - EARLY_SECONDS >= self.since

    def held_bytes(self) -> int:
        """About as much memory as it takes."""
        hosts = sum(host.held_bytes() for host in self.hosts if host is not None)
        columns = self.rows.held_bytes(self.row_count) + self.versions.held_bytes(self.version_count)
        columns += self.order.held_bytes()
        return hosts + columns + self.descriptions.held_bytes() + self._text_index.held_bytes()

    @property
    def weight(self) -> int:
        """Bytes of what grows fastest, about; costs nothing."""
        texts, labels = self.descriptions.texts, self.descriptions.labels
        rows = 298 * self.row_count + 40 * self.version_count + ROW_BYTES * self._earlier_count
        return rows + texts.held_bytes() + labels.held_bytes()

    def moment_of_share(self, share: float) -> int:
        """The moment up to which such a share of all rows and versions was over."""
        last = np.concatenate([self.rows.last[: self.row_count], self.versions.last[: self.version_count]])
        return int(np.quantile(last, share)) + 1 if len(last) else self.newest

    # What is forgotten

    def expire(self, since: int) -> None:
        """Forget what was seen before this moment."""
        if since <= self.since:
            return
        self.since = since
        self.exits_since = max(self.exits_since, since - DEAD_SECONDS)
        own = self.rows
        is_kept = own.last[: self.row_count] >= since
        self._forget_versions(is_kept)
        for host in self.hosts:
            if host is not None:
                host.forget_before(since)
        if not is_kept.all():
            self._forget_rows(is_kept)
        self._forget_hosts()
        self._count_earlier()
        self.descriptions.forget_unused(self._is_used("text"), self._is_used("labels"))

    def _forget_rows(self, is_kept: Array) -> None:
        self.order.keep(is_kept)
        numbers = np.where(is_kept, np.arange(self.row_count, dtype="i4"), NO_NUMBER)
        if is_kept.mean() < 1 - _DEAD_SHARE:
            numbers[is_kept] = np.arange(is_kept.sum(), dtype="i4")
            self.order.renumber(numbers)
            self.rows.keep(np.flatnonzero(is_kept))
            self.row_count = len(self.rows.key)
            changed = range(len(self.hosts))
        else:
            changed = np.unique(self.rows.host[: self.row_count][~is_kept]).tolist()
        for number in changed:
            if (host := self.hosts[number]) is not None:
                host.renumber(numbers)

    def _forget_versions(self, is_kept: Array) -> None:
        """Those that were over by then, and those of rows that go."""
        older, own = self.versions, self.rows
        count = self.version_count
        own.older[: self.row_count][~is_kept] = NO_NUMBER
        if not count:
            return
        is_old = older.last[:count] < self.since
        for pointers in (own.older[: self.row_count], older.older[:count]):
            while len(stale := np.flatnonzero((pointers >= 0) & is_old[pointers])):
                pointers[stale] = older.older[pointers[stale]]
        is_reached = np.zeros(count, bool)
        heads = own.older[: self.row_count]
        heads = heads[heads >= 0]
        while len(heads):
            is_reached[heads] = True
            heads = older.older[heads]
            heads = heads[heads >= 0]
        if is_reached.mean() < 1 - _DEAD_SHARE:
            numbers = np.full(count, NO_NUMBER, "i4")
            numbers[is_reached] = np.arange(is_reached.sum(), dtype="i4")
            for pointers in (own.older[: self.row_count], older.older[:count]):
                pointers[:] = np.where(pointers >= 0, numbers[pointers], NO_NUMBER)
            older.keep(np.flatnonzero(is_reached))
            self.version_count = len(older.first)

    def _forget_hosts(self) -> None:
        """Those of which nothing is left."""
        for name, number in list(self._host_numbers.items()):
            host = self.host(number)
            if not len(host) and not host.told and not host.exits:
                del self._host_numbers[name], self._numbers_of_keys[host.key]
                self.hosts[number] = None
                self._free_hosts.append(number)

    def _is_used(self, column: str) -> Array:
        """By number of a text or of labels, whether any version of a process that is left has it."""
        dictionary = self.descriptions.texts if column == "text" else self.descriptions.labels
        is_used = np.zeros(len(dictionary), bool)
        rows = self.rows
        is_kept = rows.last[: self.row_count] >= self.since
        is_used[getattr(rows, column)[: self.row_count][is_kept]] = True
        is_used[getattr(self.versions, column)[: self.version_count]] = True
        return is_used


def _version(columns: Versions, index: int, place: int) -> Version:
    parts = Parts(
        int(columns.text[index]),
        int(columns.labels[index]),
        int(columns.ppid[index]),
        int(columns.namespace_pid[index]),
    )
    return Version(place, int(columns.first[index]), int(columns.last[index]), parts)


def _is_seen(host: Host, version: Version, at: int) -> bool:
    """Whether the process was seen at this moment as this version."""
    return at in (version.first, version.last) or (version.first < at < version.last and host.moment_up_to(at) == at)


def _without_doubles(rows: Array) -> Iterator[Array]:
    """Places of rows, in parts of which none has a row twice."""
    left = np.arange(len(rows))
    while len(left):
        firsts = np.sort(np.unique(rows[left], return_index=True)[1])
        yield left[firsts]
        left = np.delete(left, firsts)
