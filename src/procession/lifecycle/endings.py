"""When has a process ended, and how? Only this module decides.

A process has ended if its agent reported its exit, if it was seen dead, or if a complete snapshot of its host after its
newest sighting does not have it. Reports name a pid, which one process after another has, and agents correct when a
process started. So a report about a pid has to be matched to one of its processes. All moments are Unix seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from procession.packed import DEAD
from procession.process import NO_EXIT_FACTS, Ending, ExitCost, ExitFacts, ProcessKey

DEAD_SECONDS = 3600
"""How long after its end a process may still be seen dead, at most."""

START_TOLERANCE = 2
"""Seconds by which two starts that are reported of one process may differ: agents correct when the machine booted."""


class ReportedExit(NamedTuple):
    """The exit of one of the processes that had a pid. Exits are sorted by moment, then by code: see `exit_order`."""

    at: int
    exit_code: int | None
    executed_at: int
    """When the process last executed a program, which may be after its start; 0 where that is not known."""
    facts: ExitFacts = NO_EXIT_FACTS


def exit_order(one: ReportedExit) -> tuple[object, ...]:
    """By what exits are sorted. Of one exit that two agents reported, what knows more comes first."""
    facts = one.facts
    oom = facts.oom_killed is None, not facts.oom_killed, not facts.oom_cgroup, facts.oom_cgroup
    return one.at, one.exit_code, *oom, *_cost_order(facts.cost), one.executed_at


def _cost_order(cost: ExitCost | None) -> tuple[object, ...]:
    if cost is None:
        return (True,)
    numbers = cost.cpu_user_seconds, cost.cpu_system_seconds, cost.peak_rss_bytes, cost.read_bytes, cost.written_bytes
    return False, not cost.is_final, numbers.count(None), *(-1 if one is None else one for one in numbers)


def is_near(start: int, other: int) -> bool:
    """Whether two starts reported of one pid may be the start of one process."""
    return abs(start - other) <= START_TOLERANCE


def starts_near(start: int) -> list[int]:
    """All starts that may be the start of the same process, the nearest first; of two as near, the earlier first."""
    return sorted(range(start - START_TOLERANCE, start + START_TOLERANCE + 1), key=lambda near: abs(near - start))


def ending_of(
    key: ProcessKey, seen_at: int, state: str, missing_at: int | None, exits: Iterable[ReportedExit]
) -> Ending:
    """How a process ended; all fields None where it has not.

    `seen_at` and `state` are of its newest sighting, `exits` those of its pid. `missing_at` is the moment of the first
    complete snapshot without it, or the moment at which it was seen dead.
    """
    found = exit_of(key.started_at, exits, exits_since(key, seen_at, state), missing_at)
    return Ending(missing_at) if found is None else Ending(found.at, found.exit_code, found.facts)


def exit_of(started_at: int, exits: Iterable[ReportedExit], since: int, missing_at: int | None) -> ReportedExit | None:
    """Which of the exits of a pid is that of the process that started at `started_at`. None where none is.

    It is the first exit from `since` to `missing_at`: a later one is that of the next process with the pid. An exit of
    a process that executed its program before `started_at` is that of an earlier process.
    """
    for one in exits:
        if one.at < since or (missing_at is not None and one.at > missing_at):
            continue
        if one.executed_at and one.executed_at < started_at - START_TOLERANCE:
            continue
        return one
    return None


def exits_since(key: ProcessKey, seen_at: int, state: str) -> int:
    """The first moment at which an exit can be that of this process, given the state at its newest sighting.

    If it was alive then, it exits at that moment or later. If it was dead, or its state is not known, it may have
    ended before.
    """
    return seen_at if state not in ("", DEAD) else earliest_exit(key, seen_at)


def earliest_exit(key: ProcessKey, seen_at: int) -> int:
    """The first moment at which an exit can be that of this process, whatever its state was at its newest sighting."""
    return max(min(key.started_at, seen_at), seen_at - DEAD_SECONDS)


def first_after(moment: int, moments: Sequence[int]) -> int | None:
    """The first of the ascending `moments` that is after `moment`, or None.

    If `moments` are those of complete snapshots, and a process was seen last at `moment`, this snapshot lacks it.
    """
    index = bisect_right(moments, moment)
    return moments[index] if index < len(moments) else None


def has_ended_between(seen_at: int, until: int, complete: Iterable[int], exits: Iterable[int]) -> bool:
    """Whether a process that was seen at `seen_at` has ended before `until`.

    `complete` are the moments of complete snapshots without it, `exits` those of the exits of its pid.
    """
    return any(seen_at < at < until for at in complete) or any(seen_at <= at < until for at in exits)


def is_last_look(key: ProcessKey, seen_at: int, dead_at: int, dead_start: int) -> bool:
    """Whether a dead process that was seen under a pid at `dead_at` is the process of `key`.

    It is if it has the same start, within the tolerance, and was seen no earlier than `seen_at`, the newest sighting.
    """
    return dead_at >= seen_at and is_near(dead_start, key.started_at)


def told_by(state: str) -> int:
    """How much the state of a sighting tells: 2 for dead, 1 for any other state, 0 for none.

    A process may have several sightings in one second: in a snapshot, by an exec (which has no state), and as dead. The
    sighting that tells the most counts.
    """
    return 0 if not state else 2 if state == DEAD else 1
