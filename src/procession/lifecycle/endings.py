"""When has a process ended, and how: the one place that knows.

A process has ended by an exit that its agent reported, by a sighting of it as dead, or by the first complete snapshot
of its host after its newest sighting, since it would be in it. A pid goes from one process to the next, and agents
correct their idea of when a process started. So what is reported of a pid has to be matched to a process.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from procession.packed import DEAD
from procession.process import Ending, ProcessKey

DEAD_SECONDS = 3600
"""A sighting of a dead process comes no later than this after its end."""

START_TOLERANCE = 2
"""Seconds by which the start of a process may be off: agents correct their idea of when the machine was booted."""


class ReportedExit(NamedTuple):
    """An exit of whatever process had a pid. They are in order by moment, those of one moment by code."""

    at: int
    exit_code: int | None
    executed_at: int
    """When it became the program that ended, 0 where that is not known. It may have started before."""


def is_near(start: int, other: int) -> bool:
    """Whether two starts of one pid may be the same."""
    return abs(start - other) <= START_TOLERANCE


def starts_near(start: int) -> list[int]:
    """The starts that may be this one, the nearest first, and of two as near the earlier."""
    return sorted(range(start - START_TOLERANCE, start + START_TOLERANCE + 1), key=lambda near: abs(near - start))


def ending_of(
    key: ProcessKey, seen_at: int, state: str, missing_at: int | None, exits: Iterable[ReportedExit]
) -> Ending:
    """How a process ended, from its newest sighting and its state there, the first complete snapshot that lacks it,
    and the exits of its pid. The sighting of a dead process tells of an end, too, with `missing_at` its moment."""
    found = exit_of(key.started_at, exits, exits_since(key, seen_at, state), missing_at)
    return Ending(missing_at) if found is None else Ending(found.at, found.exit_code)


def exit_of(started_at: int, exits: Iterable[ReportedExit], since: int, missing_at: int | None) -> ReportedExit | None:
    """The exit of a process, from those of its pid.

    It is the first one `since` it can be its own, up to the snapshot that lacks it; any later one is that of another
    process, to which the pid went. And so is one of what became a program before this process started.
    """
    for one in exits:
        if one.at < since or (missing_at is not None and one.at > missing_at):
            continue
        if one.executed_at and one.executed_at < started_at - START_TOLERANCE:
            continue
        return one
    return None


def exits_since(key: ProcessKey, seen_at: int, state: str) -> int:
    """The first moment at which an exit can be its own, by its state at its newest sighting.

    A process that was seen alive exits later. One that was dead then has ended before; and of which no state is known,
    or none any more, may have.
    """
    return seen_at if state not in ("", DEAD) else earliest_exit(key, seen_at)


def earliest_exit(key: ProcessKey, seen_at: int) -> int:
    """The first moment at which an exit can be its own, whatever its state at its newest sighting."""
    return max(min(key.started_at, seen_at), seen_at - DEAD_SECONDS)


def first_after(moment: int, moments: Sequence[int]) -> int | None:
    """The first of ascending moments that comes after this one: of complete snapshots, that which lacks a process that
    was seen last at `moment`."""
    index = bisect_right(moments, moment)
    return moments[index] if index < len(moments) else None


def has_ended_between(seen_at: int, until: int, complete: Iterable[int], exits: Iterable[int]) -> bool:
    """Whether a process that was seen at one moment, and again or not at a later one, has ended in between.

    `complete`: moments of complete snapshots that lack it. `exits`: moments of exits of its pid.
    """
    return any(seen_at < at < until for at in complete) or any(seen_at <= at < until for at in exits)


def is_last_look(key: ProcessKey, seen_at: int, dead_at: int, dead_start: int) -> bool:
    """Whether the sighting of something dead under the pid of a process is the last look at it: not before its newest
    sighting, and with its start."""
    return dead_at >= seen_at and is_near(dead_start, key.started_at)


def told_by(state: str) -> int:
    """How much the state tells at a sighting; of several in one second that count which tells the most.

    Of one second there may be a snapshot and an exec, which has no state, and perhaps a last look at the dead.
    """
    return 0 if not state else 2 if state == DEAD else 1
