"""How the processes of a page did at their newest sighting, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from procession.lifecycle.endings import (
    START_TOLERANCE,
    ReportedExit,
    earliest_exit,
    ending_of,
    starts_near,
    told_by,
)
from procession.packed import DEAD, STATES, numbers_from
from procession.process import (
    Ending,
    ProcessDetail,
    ProcessKey,
    ProcessNumbers,
    ProcessSummary,
)
from procession.storage.history.engine.statement import Aside
from procession.storage.history.read import process_statements
from procession.storage.history.read.complete_snapshots import CompleteSnapshots
from procession.window import Window

LIVE_SECONDS = 300
"""Before the end of the window: what is older than this is no news of a process that lives."""


def find_details(
    ask: Aside, org_id: int, window: Window, processes: Sequence[ProcessSummary], *, may_go_on: bool = False
) -> tuple[ProcessDetail, ...]:
    """`may_go_on`: whether there may be newer sightings up to the end of the window."""
    if not processes:
        return ()
    seen = [(ProcessKey.of(process.identity), process.seen_at) for process in processes]
    # All of it at once: the engine takes longer to think of each than to read it.
    ends = _Ends(ask, org_id, window.to_at, seen, may_go_on=may_go_on)
    numbers = _numbers(ask, org_id, window, seen)
    used = [numbers.get(key, ProcessNumbers()) for key, _ in seen]
    endings = ends.of(seen, [one.state for one in used])
    return tuple(
        ProcessDetail(numbers=one, ended_at=ending.at, exit_code=ending.exit_code)
        for one, ending in zip(used, endings, strict=True)
    )


def find_endings(ask: Aside, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...]:
    if not seen:
        return ()
    return tuple(_Ends(ask, org_id, until, seen, may_go_on=True).of(seen, [""] * len(seen)))


class _Ends:
    """What tells how some processes ended: snapshots of their hosts, and exits of their pids."""

    def __init__(
        self, ask: Aside, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]], *, may_go_on: bool
    ) -> None:
        keys, since = [key for key, _ in seen], min(at for _, at in seen)
        hosts = sorted({key.host_key for key in keys})
        self._newest = (
            ask(process_statements.newest_states(org_id, Window(since, max(since, until)), keys)) if may_go_on else None
        )
        self._snapshots = CompleteSnapshots(ask, org_id, since, until, hosts)
        self._exits = ask(process_statements.exits(org_id, min(earliest_exit(*one) for one in seen), until, keys))

    def of(self, seen: Sequence[tuple[ProcessKey, int]], states: Sequence[str]) -> list[Ending]:
        """One for each process, from its newest sighting and its state there."""
        going_on = self._going_on()
        newest = {key: going_on.get(key, (at, state)) for (key, at), state in zip(seen, states, strict=True)}
        missing_at = self._snapshots.first_without({key: at for key, (at, state) in newest.items() if state != DEAD})
        missing_at |= {key: at for key, (at, state) in newest.items() if state == DEAD}
        exits = self._of_pids()
        return [
            ending_of(key, *newest[key], missing_at.get(key), exits.get((key.host_key, key.pid), ())) for key, _ in seen
        ]

    def _of_pids(self) -> Mapping[tuple[int, int], Sequence[ReportedExit]]:
        found: dict[tuple[int, int], list[ReportedExit]] = {}
        for host, pid, at, executed_at, exit_code in self._exits.result():
            found.setdefault((host, pid), []).append(ReportedExit(at, exit_code, executed_at))
        return {place: sorted(exits) for place, exits in found.items()}

    def _going_on(self) -> Mapping[ProcessKey, tuple[int, str]]:
        rows = () if self._newest is None else self._newest.result()
        return {ProcessKey(start, host, pid): (at, STATES[state]) for start, host, pid, at, state in rows}


def _numbers(
    ask: Aside, org_id: int, window: Window, seen: Sequence[tuple[ProcessKey, int]]
) -> dict[ProcessKey, ProcessNumbers]:
    """At the newest sighting of each, or from live numbers that are newer."""
    seen_at, keys = dict(seen), [key for key, _ in seen]
    sightings = [(at, key.host_key) for key, at in seen]
    since = max(min(seen_at.values()), window.to_at - LIVE_SECONDS)
    of_sightings = ask(process_statements.numbers(org_id, sightings, keys))
    live = ask(process_statements.live_numbers(org_id, since, window.to_at, START_TOLERANCE, keys))
    found: dict[ProcessKey, ProcessNumbers] = {}
    for at, host, pid, start, *values in of_sightings.result():
        key = ProcessKey(start, host, pid)
        if at == seen_at.get(key):
            numbers = numbers_of(values)
            if key not in found or told_by(numbers.state) > told_by(found[key].state):
                found[key] = numbers
    for at, host, pid, start, *values in sorted(live.result(), key=lambda row: row[0]):
        # Live numbers are kept under the start that the host says.
        for near in starts_near(start):
            if (key := ProcessKey(near, host, pid)) in seen_at:
                if at > seen_at[key]:
                    found[key] = numbers_of(values)
                break
    return found


def numbers_of(values: Sequence[Any]) -> ProcessNumbers:
    """From `state` and NUMBER_COLUMNS."""
    state, *rest = values
    return numbers_from(rest, state)
