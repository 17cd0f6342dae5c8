"""From rows of several hours and parts to one newest sighting per process. Pure: columns in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from procession.process import ProcessKey
from procession.storage.history.statements.descriptions import VersionKey
from procession.storage.history.tables.constants import HOUR_SECONDS, SLOT_SECONDS
from procession.window import Window

Columns = dict[str, Any]
"""Name -> numpy array; all of one length."""


class Candidate(msgspec.Struct, frozen=True):
    """A process that may be in the window, with the newest sighting there that is proved so far."""

    start: int
    host: int
    pid: int
    version: int
    seen_at: int
    """Unix seconds; 0: none is proved."""
    open_slots: tuple[tuple[int, int], ...] = ()
    """(version, slots as bits), by version, where sightings go on after the window, so that there may be newer ones
    inside."""

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.start, self.host, self.pid)

    @property
    def version_key(self) -> VersionKey:
        return VersionKey(self.start, self.host, self.pid, self.version)


def newest_of(rows: Columns, window: Window) -> list[Candidate]:
    """One candidate per process that may be in the window, in key order, from rows of `start, host, pid, version,
    first, last` and, where any was seen after the window, `low_slots, high_slots`."""
    if not len(rows["last"]):
        return []
    is_open = rows["last"] > window.to_at
    seen_at = np.where(is_open, np.where(rows["first"] >= window.from_at, rows["first"], 0), rows["last"])
    slots = np.zeros(len(seen_at), object)
    for row in np.flatnonzero(is_open).tolist():
        slots[row] = int.from_bytes(rows["low_slots"][row] + rows["high_slots"][row], "little")
    order = np.lexsort((seen_at, rows["pid"], rows["host"], rows["start"]))
    start, host, pid, version = (rows[name][order] for name in ("start", "host", "pid", "version"))
    seen_at, slots = seen_at[order], slots[order]
    is_last = np.append((start[1:] != start[:-1]) | (host[1:] != host[:-1]) | (pid[1:] != pid[:-1]), True)
    ends = np.flatnonzero(is_last)
    open_slots: dict[int, dict[int, int]] = {}
    groups = np.cumsum(is_last) - is_last
    for row in np.flatnonzero(is_open[order]).tolist():
        of_versions = open_slots.setdefault(int(groups[row]), {})
        of_versions[int(version[row])] = of_versions.get(int(version[row]), 0) | slots[row]
    columns = (start[ends], host[ends], pid[ends], version[ends], seen_at[ends])
    return [
        Candidate(start, host, pid, version, seen_at, tuple(sorted(open_slots.get(group, {}).items())))
        for group, (start, host, pid, version, seen_at) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    ]


def _slots_until(window: Window) -> int:
    """As bits, the slots of the hour in which the window ends, up to its end."""
    return (1 << ((window.to_at % HOUR_SECONDS) // SLOT_SECONDS + 1)) - 1


def are_same(candidates: Sequence[Candidate], others: Sequence[Candidate], window: Window) -> bool:
    """Whether the same is known of them; what was seen after the slots of the window says nothing."""
    inside = _slots_until(window)

    def known(some: Sequence[Candidate]) -> list[Any]:
        return [
            (one.version_key, one.seen_at, [(number, bits & inside) for number, bits in one.open_slots]) for one in some
        ]

    return known(candidates) == known(others)


def deciding_slots(candidate: Candidate, window: Window) -> tuple[int, ...]:
    """The two newest slots of the hour, newest first, in which the candidate was seen and that begin in the window or
    before. Two, since the moment in the newest may lie after the window; then that in the other does not."""
    bits = 0
    for _, slots in candidate.open_slots:
        bits |= slots
    bits &= _slots_until(window)
    newest = bits.bit_length() - 1
    if newest < 0:
        return ()
    second = (bits ^ (1 << newest)).bit_length() - 1
    return (newest,) if second < 0 else (newest, second)


def deciding_span(candidates: Iterable[Candidate], window: Window) -> tuple[int, int]:
    """From when to when the moments of their hosts' snapshots have to be known, both within, for `resolve_by_slots`."""
    hour_start = window.to_at // HOUR_SECONDS * HOUR_SECONDS
    oldest = min((deciding_slots(candidate, window)[-1:] or (0,))[0] for candidate in candidates)
    return hour_start + oldest * SLOT_SECONDS, window.to_at // SLOT_SECONDS * SLOT_SECONDS + SLOT_SECONDS - 1


def resolve_by_slots(
    candidate: Candidate, window: Window, moments_by_slot: Mapping[int, Sequence[int]]
) -> Candidate | None:
    """The candidate with its newest sighting inside the window, read off the moments of its host's snapshots.

    None where the slots do not say it: several snapshots share one, and a process in one may have missed another.
    Where its snapshots are past their retention, a moment is known to its slot: the last of it that is in the window.
    """
    hour_start = window.to_at // HOUR_SECONDS * HOUR_SECONDS
    for slot in deciding_slots(candidate, window):
        slot_end = hour_start + slot * SLOT_SECONDS + SLOT_SECONDS - 1
        moments = moments_by_slot.get(slot) or (min(slot_end, window.to_at),)
        holders = [version for version, slots in candidate.open_slots if slots >> slot & 1]
        if len(moments) > 1 or len(holders) > 1:
            return None
        if moments[0] > window.to_at:
            continue
        if moments[0] > candidate.seen_at and moments[0] >= window.from_at:
            return msgspec.structs.replace(candidate, seen_at=moments[0], version=holders[0], open_slots=())
        break
    return msgspec.structs.replace(candidate, open_slots=())
