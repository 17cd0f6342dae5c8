"""What the processes of one host use, from snapshot to snapshot.

Most of them do nothing. So the state of all lies in the columns of one matrix, and objects are made only for those
whose numbers change: the others are the very sightings of the snapshot before, as an agent has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from procession.process import ProcessDescription, ProcessNumbers, Sighting
from procession.simulate.profile import Floats, Profile

PAGE_BYTES = 4096
TICKS_PER_SECOND = 100

# Rows of the matrix.
_ACTIVITY, _LEVEL, _USER_SHARE, _MOVED = range(4)
_RSS, _VMS, _THREADS, _FILES, _VOLUNTARY, _INVOLUNTARY = range(4, 10)
_FIRST_RSS, _FIRST_THREADS, _FIRST_FILES = range(10, 13)
_ROWS = 13

_RATES = {
    "cpu": "cpu_total_percent",
    "reads": "read_operations_per_second",
    "writes": "write_operations_per_second",
    "read_bytes": "read_bytes_per_second",
    "write_bytes": "write_bytes_per_second",
}
_AT_REST = dict.fromkeys(("cpu_user_percent", "cpu_system_percent", *_RATES.values()), 0.0)
_SHARED_PART = 0.3
"""The share of the memory of a process that others may hold as well."""
_LEVEL_SPREAD = 0.15
"""How far a process strays from what it usually uses, in shares of all that processes use."""


@dataclass(frozen=True, slots=True)
class Temper:
    """How the processes of a program behave. `activity` and `size` are where they stand among the recorded ones, as
    parts of 1: 0.5 is the middle."""

    activity: float
    size: float
    threads: int = 1
    files: int = 12


class Motion:
    """The processes of one host that live now, in the order of their pids."""

    def __init__(self, profile: Profile, rng: np.random.Generator) -> None:
        self._profile = profile
        self._rng = rng
        self._state: Floats = np.empty((_ROWS, 0))
        self.sightings: list[Sighting] = []

    def begin(self, processes: Sequence[tuple[int, int, ProcessDescription, Temper]]) -> None:
        """Processes by pid, start, description and temper; they come after all others."""
        count = len(processes)
        rng, profile = self._rng, self._profile
        tempers = [temper for _, _, _, temper in processes]
        activity = _within(np.array([temper.activity for temper in tempers]) + rng.normal(0, 0.1, count))
        size = _within(np.array([temper.size for temper in tempers]) + rng.normal(0, 0.05, count))
        state = np.empty((_ROWS, count))
        # Half of the changes are a fall back to nothing at the snapshot after.
        state[_ACTIVITY] = 1 - np.sqrt(1 - np.clip(profile.changed.at(activity), 0, 1))
        state[_LEVEL] = activity
        state[_USER_SHARE] = rng.beta(3, 2, count)
        state[_RSS] = np.rint(profile.levels["rss_bytes"].at(size) / PAGE_BYTES)
        state[_VMS] = np.rint(
            np.maximum(profile.levels["vms_bytes"].at(size), state[_RSS] * PAGE_BYTES * 1.2) / PAGE_BYTES
        )
        state[_THREADS] = [temper.threads for temper in tempers]
        state[_FILES] = [temper.files for temper in tempers]
        state[_VOLUNTARY] = np.rint(rng.exponential(2000, count) * (0.1 + activity)) + 1
        state[_INVOLUNTARY] = np.rint(state[_VOLUNTARY] * 0.05)
        state[_MOVED] = 1  # from nothing known to known as nothing, at least
        state[_FIRST_RSS], state[_FIRST_THREADS], state[_FIRST_FILES] = state[_RSS], state[_THREADS], state[_FILES]
        self._state = np.hstack((self._state, state))
        columns = state.tolist()
        for index, (pid, started_at, description, _) in enumerate(processes):
            numbers = ProcessNumbers(
                rss_bytes=int(columns[_RSS][index]) * PAGE_BYTES,
                vms_bytes=int(columns[_VMS][index]) * PAGE_BYTES,
                shared_bytes=int(columns[_RSS][index] * _SHARED_PART) * PAGE_BYTES,
                swap_bytes=0,
                threads=int(columns[_THREADS][index]),
                open_files=int(columns[_FILES][index]),
                voluntary_switches=int(columns[_VOLUNTARY][index]),
                involuntary_switches=int(columns[_INVOLUNTARY][index]),
                state="Z" if description.is_zombie else "S",
            )
            self.sightings.append(Sighting(pid, started_at, description, numbers))

    def end(self, pids: set[int]) -> list[Sighting]:
        """The last sightings of those that are no more."""
        ended = [one for one in self.sightings if one.pid in pids]
        if ended:
            keep = np.fromiter((one.pid not in pids for one in self.sightings), bool, len(self.sightings))
            self._state = self._state[:, keep]
            self.sightings = [one for one in self.sightings if one.pid not in pids]
        return ended

    def redescribe(self, descriptions: Mapping[int, ProcessDescription]) -> None:
        """By pid: those that have renamed themselves."""
        for index, one in enumerate(self.sightings):
            if one.pid in descriptions:
                self.sightings[index] = Sighting(one.pid, one.started_at, descriptions[one.pid], one.numbers)

    def move(self, elapsed: float) -> None:
        """Let `elapsed` seconds pass."""
        state, rng = self._state, self._rng
        active = rng.random(state.shape[1]) < state[_ACTIVITY]
        moved_before = state[_MOVED] > 0
        indexes = np.flatnonzero(active)
        state[_MOVED] = active
        for index in np.flatnonzero(moved_before & ~active).tolist():
            self._rest(index)
        if len(indexes):
            self._work(indexes, elapsed)

    def _rest(self, index: int) -> None:
        one = self.sightings[index]
        numbers = msgspec.structs.replace(one.numbers, **_AT_REST, state="Z" if one.description.is_zombie else "S")
        self.sightings[index] = Sighting(one.pid, one.started_at, one.description, numbers)

    def _work(self, indexes: np.ndarray[tuple[int, ...], np.dtype[np.intp]], elapsed: float) -> None:
        profile, rng = self._profile, self._rng
        some = self._state[:, indexes]
        count = len(indexes)
        chances = rng.random((10, count))
        level = _within(some[_LEVEL] + rng.normal(0, _LEVEL_SPREAD, count))

        def rate(row: int, name: str) -> Floats:
            found = profile.when_changed[name].at(level)
            return np.where(chances[row] < profile.moves.get(name, 0.0), found, 0.0)

        # The kernel counts in ticks, operations and pages, and a snapshot never comes on the second.
        ticks = np.rint(rate(0, _RATES["cpu"]) / 100 * elapsed * TICKS_PER_SECOND)
        user_ticks = np.rint(ticks * some[_USER_SHARE])
        percent = 100 / TICKS_PER_SECOND / elapsed
        columns = [
            ticks * percent,
            user_ticks * percent,
            (ticks - user_ticks) * percent,
            np.rint(rate(1, _RATES["read_bytes"]) * elapsed / PAGE_BYTES) * PAGE_BYTES / elapsed,
            np.rint(rate(2, _RATES["write_bytes"]) * elapsed / PAGE_BYTES) * PAGE_BYTES / elapsed,
            np.rint(rate(3, _RATES["reads"]) * elapsed) / elapsed,
            np.rint(rate(4, _RATES["writes"]) * elapsed) / elapsed,
        ]
        self._drift(some, chances)
        self._state[:, indexes] = some
        whole = some[[_RSS, _VMS, _THREADS, _FILES, _VOLUNTARY, _INVOLUNTARY]].astype(np.int64).tolist()
        is_running = (chances[9] < profile.moves.get("state", 0.0)).tolist()
        sightings = self.sightings
        for index, total, user, system, rb, wb, ro, wo, rss, vms, threads, files, voluntary, involuntary, runs in zip(
            indexes.tolist(), *(column.tolist() for column in columns), *whole, is_running, strict=True
        ):
            one = sightings[index]
            sightings[index] = Sighting(
                one.pid,
                one.started_at,
                one.description,
                ProcessNumbers(
                    cpu_total_percent=total,
                    cpu_user_percent=user,
                    cpu_system_percent=system,
                    rss_bytes=rss * PAGE_BYTES,
                    vms_bytes=vms * PAGE_BYTES,
                    shared_bytes=int(rss * _SHARED_PART) * PAGE_BYTES,
                    swap_bytes=0,
                    threads=threads,
                    open_files=files,
                    read_bytes_per_second=rb,
                    write_bytes_per_second=wb,
                    read_operations_per_second=ro,
                    write_operations_per_second=wo,
                    voluntary_switches=voluntary,
                    involuntary_switches=involuntary,
                    state="R" if runs else "S",
                ),
            )

    def _drift(self, some: Floats, chances: Floats) -> None:
        """Sizes and counters, in place. What strays far from where it began tends back: no fleet grows for ever."""
        moves, when = self._profile.moves, self._profile.when_changed
        lots = self._rng.random((5, some.shape[1]))

        part = np.clip(when["rss_bytes by the part"].at(lots[0]), -0.2, 0.2)
        astray = some[_RSS] - some[_FIRST_RSS]
        part = np.where(np.abs(astray) > 0.3 * some[_FIRST_RSS], -np.sign(astray) * np.abs(part), part)
        grown = np.where(chances[5] < moves.get("rss_bytes", 0.0), np.rint(some[_RSS] * part), 0.0)
        some[_RSS] += grown
        some[_VMS] = np.maximum(some[_VMS] + np.where(chances[6] < moves.get("vms_bytes", 0.0), grown, 0.0), some[_RSS])
        # A worker more or less, a connection opened or closed.
        for row, first, name, chance in (
            (_THREADS, _FIRST_THREADS, "threads", 7),
            (_FILES, _FIRST_FILES, "open_files", 8),
        ):
            moved = chances[chance] < moves.get(name, 0.0)
            some[row] = np.where(moved, some[first] + np.rint(lots[1] * 0.2 * some[first]), some[row])
        for row, name, lot in ((_VOLUNTARY, "voluntary_switches", 2), (_INVOLUNTARY, "involuntary_switches", 3)):
            by = np.maximum(np.rint(when[f"{name} by"].at(lots[lot])), 1)
            some[row] += np.where(lots[4] < moves.get(name, 0.0), by, 0.0)


def _within(shares: Floats) -> Floats:
    """Turned back at 0 and 1: what was cut off there would be many of the very same value."""
    turned: Floats = 1 - np.abs(1 - np.abs(shares) % 2)
    return turned
