"""What is known of one host besides its processes: when it told of them, which snapshots were complete, which exits."""

from __future__ import annotations

import weakref
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from procession.analysis import REACH_SECONDS
from procession.lifecycle.completeness import is_complete
from procession.lifecycle.endings import DEAD_SECONDS, START_TOLERANCE, ReportedExit, exit_order
from procession.lifecycle.events import ProcessExit
from procession.packed import DEAD, AnySnapshot, Listing
from procession.process import MAX_UINT32, LiveSnapshot, ProcessNumbers, host_key
from procession.search.pattern import fold
from procession.storage.live.columns import Array
from procession.storage.live.instants.earlier_numbers import EarlierNumbers

_PID = 32
"""Bits below that of a pid, for the start."""


LIVE_SECONDS = 600
"""So long, or twice as long, live numbers are kept."""


class LiveReading(NamedTuple):
    at: int
    start: int
    numbers: ProcessNumbers


class HostState(msgspec.Struct):
    """A host as a checkpoint has it."""

    name: str
    number: int
    moments: bytes
    told: bytes
    complete: bytes
    arrived: list[tuple[int, int, list[int], int]]
    exits: dict[int, list[ReportedExit]]
    endings: list[tuple[int, int]]
    live: dict[int, list[LiveReading]]
    live_kept_since: int
    places: bytes
    rows: bytes
    is_shifted: bytes
    earlier: list[tuple[int, bytes, bytes]]


class _Listed(NamedTuple):
    listing: weakref.ref[Listing]
    rows: Array


class Host:
    """One host of an org."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.key = host_key(name)
        self.tag = fold(f"host:{name}")
        self.moments = array("I")
        """Of snapshots that came in the order of time and are more than some processes; ascending."""
        self.told = array("I")
        """Of anything that it said of its processes; ascending."""
        self.complete = array("I")
        """Of complete snapshots; ascending."""
        self._arrived: dict[tuple[int, int], tuple[frozenset[int], int]] = {}
        """Moment and split id of what is not complete -> request ids, and the greatest number of chunks that any of
        them says."""
        self.exits: dict[int, list[ReportedExit]] = {}
        """By pid, in order."""
        self.endings: list[tuple[int, int]] = []
        """Moments and pids of exits and of last looks at the dead, ascending."""
        self.live_kept_since = 0
        """From when on all live numbers are there."""
        self.live: dict[int, list[LiveReading]] = {}
        """By pid, in order of arrival."""
        self.earlier = EarlierNumbers()
        self._places = np.zeros(0, "u8")
        """Pid and reported start of each process, ascending."""
        self._rows = np.zeros(0, "i4")
        self._is_shifted = np.zeros(0, bool)
        """Whether the process is kept under another start."""
        self._listed_at = 0
        self._listed: dict[int, _Listed] = {}
        self._listed_before: dict[int, _Listed] = {}
        """By id of a listing, what was found for it in the two newest snapshots and still holds."""

    def state(self) -> HostState:
        return HostState(
            name=self.name,
            number=self.number,
            moments=self.moments.tobytes(),
            told=self.told.tobytes(),
            complete=self.complete.tobytes(),
            arrived=[(at, split, sorted(ids), count) for (at, split), (ids, count) in self._arrived.items()],
            exits={pid: list(exits) for pid, exits in self.exits.items()},
            endings=list(self.endings),
            live={pid: list(readings) for pid, readings in self.live.items()},
            live_kept_since=self.live_kept_since,
            places=self._places.tobytes(),
            rows=self._rows.tobytes(),
            is_shifted=self._is_shifted.tobytes(),
            earlier=self.earlier.state(),
        )

    @classmethod
    def of(cls, state: HostState) -> Host:
        host = cls(state.name, state.number)
        for moments, packed in (
            (host.moments, state.moments),
            (host.told, state.told),
            (host.complete, state.complete),
        ):
            moments.frombytes(packed)
        host._arrived = {(at, split): (frozenset(ids), count) for at, split, ids, count in state.arrived}
        host.exits, host.endings, host.live = state.exits, state.endings, state.live
        host.live_kept_since = state.live_kept_since
        host._places = np.frombuffer(bytearray(state.places), "u8")
        host._rows = np.frombuffer(bytearray(state.rows), "i4")
        host._is_shifted = np.frombuffer(bytearray(state.is_shifted), bool)
        host.earlier = EarlierNumbers.of_state(state.earlier)
        return host

    # When it told of its processes

    def note(self, snapshot: AnySnapshot) -> int | None:
        """Take note of a chunk. Gives the moment before it, if what was seen then and now may be one interval: -1 where
        there is none, and None where this is no snapshot in the order of time."""
        at, moments = snapshot.taken_at, self.moments
        _add(self.told, at)
        self._note_completeness(snapshot)
        if moments and at == moments[-1]:
            return moments[-2] if len(moments) > 1 else -1
        if snapshot.chunk_count <= 0 or (moments and at < moments[-1]):
            return None
        moments.append(at)
        return moments[-2] if len(moments) > 1 else -1

    def _note_completeness(self, snapshot: AnySnapshot) -> None:
        chunk = snapshot.taken_at, snapshot.split_id
        requests, count = self._arrived.pop(chunk, (frozenset[int](), 0))
        requests |= {snapshot.request_id}
        count = max(count, snapshot.chunk_count)
        if is_complete(len(requests), count):
            _add(self.complete, snapshot.taken_at)
        else:
            self._arrived[chunk] = requests, count

    def moment_up_to(self, at: int) -> int:
        """The last one up to `at`, 0 where there is none."""
        place = bisect_right(self.moments, at)
        return self.moments[place - 1] if place else 0

    def base_of(self, instant: int) -> int:
        """The first moment of which sightings count at an instant, or one before it."""
        oldest = max(instant - REACH_SECONDS, 0)
        place = bisect_right(self.complete, instant)
        return max(self.complete[place - 1], oldest) if place else oldest

    def told_up_to(self, at: int) -> int:
        """When it told of its processes last up to `at`, 0 where it did not."""
        place = bisect_right(self.told, at)
        return self.told[place - 1] if place else 0

    def moment_from(self, at: int) -> int:
        """The first one from `at` on, the end of all time where there is none."""
        place = bisect_left(self.moments, at)
        return self.moments[place] if place < len(self.moments) else MAX_UINT32

    def has_told_in(self, from_at: int, to_at: int) -> bool:
        place = bisect_left(self.told, from_at)
        return place < len(self.told) and self.told[place] <= to_at

    def first_complete_after(self, at: int, until: int) -> int | None:
        place = bisect_right(self.complete, at)
        return self.complete[place] if place < len(self.complete) and self.complete[place] <= until else None

    def forget_before(self, moment: int) -> None:
        for moments in (self.moments, self.told, self.complete):
            del moments[: bisect_left(moments, moment)]
        self._arrived = {chunk: arrived for chunk, arrived in self._arrived.items() if chunk[0] >= moment}
        del self.endings[: bisect_left(self.endings, (moment, 0))]
        self.earlier.forget_before(moment)
        self._forget_live(moment)
        oldest = moment - DEAD_SECONDS
        kept = {pid: [one for one in exits if one.at >= oldest] for pid, exits in self.exits.items()}
        self.exits = {pid: exits for pid, exits in kept.items() if exits}

    def add_exits(self, exits: Iterable[ProcessExit]) -> None:
        for one in exits:
            reported = ReportedExit(one.at, one.exit_code, one.executed_at or 0, one.facts)
            of_pid = self.exits.setdefault(one.pid, [])
            if reported not in of_pid:
                insort(of_pid, reported, key=exit_order)
                insort(self.endings, (one.at, one.pid))

    def add_live(self, live: LiveSnapshot) -> None:
        for one in live.processes:
            self.live.setdefault(one.pid, []).append(LiveReading(live.taken_at, one.started_at, one.numbers))
            if one.numbers.state == DEAD:
                insort(self.endings, (live.taken_at, one.pid))
        if live.taken_at > self.live_kept_since + 2 * LIVE_SECONDS:
            self._forget_live(live.taken_at - LIVE_SECONDS)

    def _forget_live(self, moment: int) -> None:
        """Numbers; last looks at the dead are kept as long as exits."""
        self.live_kept_since = max(self.live_kept_since, moment)
        kept = {
            pid: [one for one in found if one.at >= moment or one.numbers.state == DEAD]
            for pid, found in self.live.items()
        }
        self.live = {pid: found for pid, found in kept.items() if found}

    # Which rows are its processes

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Array:
        """Of all its processes, some of them twice."""
        return self._rows

    def find(self, pids: Array, starts: Array) -> tuple[Array, Array, Array]:
        """For each process the row, -1 where there is none; and whether it is kept under another start."""
        places = _places(pids, starts)
        if not len(self._places):
            nothing = np.full(len(places), -1, "i4")
            return nothing, np.zeros(len(places), bool), places
        found = np.minimum(np.searchsorted(self._places, places), len(self._places) - 1)
        is_there = self._places[found] == places
        return np.where(is_there, self._rows[found], -1), is_there & self._is_shifted[found], places

    def rows_listed(self, listing: Listing, at: int) -> Array | None:
        """The rows of the processes of a listing, if they were noted in one of the last two snapshots."""
        if at > self._listed_at:
            self._listed_at, self._listed_before, self._listed = at, self._listed, {}
        found = self._listed.get(id(listing)) or self._listed_before.get(id(listing))
        if found is None or found.listing() is not listing:
            return None
        self._listed[id(listing)] = found
        return found.rows

    def note_listed(self, listing: Listing, rows: Array) -> None:
        """These are its rows, each once, and none of them is kept under another start."""
        self._listed[id(listing)] = _Listed(weakref.ref(listing), rows)

    def _forget_listed(self) -> None:
        self._listed, self._listed_before = {}, {}

    def near(self, pids: Array, starts: Array) -> tuple[Array, Array]:
        """Since and until which of its processes, in order, those with the pid begin that may be this one."""
        low = np.maximum(starts.astype("i8") - START_TOLERANCE, 0)
        high = np.minimum(starts.astype("i8") + START_TOLERANCE, 2**32 - 1)
        since = np.searchsorted(self._places, _places(pids, low))
        return since, np.searchsorted(self._places, _places(pids, high), side="right")

    def pids_used_again(self, pids: Array) -> Array:
        """Those of these pids that several of its processes have."""
        first = pids.astype("u8") << np.uint64(_PID)
        since = np.searchsorted(self._places, first)
        until = np.searchsorted(self._places, first + np.uint64(2**32 - 1), side="right")
        found: Array = np.unique(pids[until - since > 1])
        return found

    def rows_with(self, pid: int) -> Array:
        return self.rows_with_each([pid])[0]

    def rows_with_each(self, pids: Sequence[int]) -> list[Array]:
        """The same for several, which costs little more than for one."""
        first = np.array(pids, "u8") << np.uint64(_PID)
        since = np.searchsorted(self._places, first).tolist()
        until = np.searchsorted(self._places, first + np.uint64(MAX_UINT32), side="right").tolist()
        return [self._rows[start:end] for start, end in zip(since, until, strict=True)]

    def rows_near(self, pid: int, start: int) -> list[int]:
        """Those that are kept under a start near this one."""
        since, until = self.near(np.array([pid]), np.array([start]))
        part = slice(int(since[0]), int(until[0]))
        found: list[int] = self._rows[part][~self._is_shifted[part]].tolist()
        return found

    def all_near(self, pids: Array, starts: Array) -> tuple[Array, Array]:
        """Every row that is kept under one of these pids and a start near its one: places in `pids`, ascending, and
        rows."""
        since, until = self.near(pids, starts)
        counts = until - since
        owners = np.repeat(np.arange(len(pids)), counts)
        places = np.arange(len(owners)) + np.repeat(since - (np.cumsum(counts) - counts), counts)
        is_kept = ~self._is_shifted[places]
        return owners[is_kept], self._rows[places[is_kept]]

    def add(self, places: Array, rows: Array, *, is_shifted: bool = False) -> None:
        """Processes that it did not have under these places, which ascend."""
        self._forget_listed()
        where = np.searchsorted(self._places, places)
        self._places = np.insert(self._places, where, places)
        self._rows = np.insert(self._rows, where, rows)
        self._is_shifted = np.insert(self._is_shifted, where, is_shifted)

    def point(self, place: int, row: int, *, is_shifted: bool) -> None:
        """From now on this place is that of the row."""
        self._forget_listed()
        index = int(np.searchsorted(self._places, np.uint64(place)))
        if index < len(self._places) and int(self._places[index]) == place:
            self._rows[index], self._is_shifted[index] = row, is_shifted
        else:
            self.add(np.array([place], "u8"), np.array([row], "i4"), is_shifted=is_shifted)

    def renumber(self, numbers: Array) -> None:
        """Old number of a row -> the new one, -1 for those that are forgotten."""
        self._forget_listed()
        rows = numbers[self._rows]
        is_kept = rows >= 0
        self._places, self._rows = self._places[is_kept], rows[is_kept]
        self._is_shifted = self._is_shifted[is_kept]
        self.earlier.renumber(numbers)

    def held_bytes(self) -> int:
        moments = len(self.moments) + len(self.told) + len(self.complete)
        live = sum(map(len, self.live.values()))
        exits = sum(map(len, self.exits.values()))
        held = 1000 + 13 * len(self._rows) + 4 * moments + 500 * len(self._arrived) + 700 * exits + 700 * live
        return held + self.earlier.held_bytes()


def _places(pids: Array, starts: Array) -> Array:
    found: Array = (pids.astype("u8") << np.uint64(_PID)) | starts.astype("u8")
    return found


def _add(moments: array[int], at: int) -> None:
    """Keeps them ascending and unique."""
    if not moments or at > moments[-1]:
        moments.append(at)
        return
    place = bisect_left(moments, at)
    if moments[place] != at:
        moments.insert(place, at)
