"""How the processes of a page did at their newest sighting, and how they ended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from procession.events import ProcessExit
from procession.process import ProcessDetail, ProcessKey, ProcessNumbers, ProcessSummary, host_key
from procession.storage import sql
from procession.storage.rows import STATES
from procession.storage.schema import NUMBER_COLUMNS
from procession.window import Window

Rows = Callable[[sql.Statement], Sequence[Any]]
"""Runs a statement."""

START_TOLERANCE = 2
"""Seconds by which the start of a process may be off: agents correct their idea of when the machine was booted."""


def find_details(
    rows: Rows, org_id: int, window: Window, processes: Sequence[ProcessSummary]
) -> tuple[ProcessDetail, ...]:
    if not processes:
        return ()
    keys = [ProcessKey.of(process.identity) for process in processes]
    numbers = _numbers(rows, org_id, processes, keys)
    hosts = sorted({key.host_key for key in keys})
    since = min(process.seen_at for process in processes)
    complete: dict[int, list[int]] = {}
    for host, at in rows(sql.complete_snapshots(org_id, since, window.to_at, hosts)):
        complete.setdefault(host, []).append(at)
    exits: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for host, pid, at, executed_at, exit_code in rows(sql.exits(org_id, since, window.to_at, keys)):
        exits.setdefault((host, pid), []).append((at, executed_at, exit_code))

    def detail(process: ProcessSummary, key: ProcessKey) -> ProcessDetail:
        missing_at = first_after(process.seen_at, complete.get(key.host_key, ()))
        found = exit_of(process, exits.get((key.host_key, key.pid), ()), missing_at)
        ended_at, exit_code = (missing_at, None) if found is None else found
        return ProcessDetail(
            numbers=numbers.get((key, process.seen_at), ProcessNumbers()), ended_at=ended_at, exit_code=exit_code
        )

    return tuple(map(detail, processes, keys))


def first_after(moment: int, moments: Sequence[int]) -> int | None:
    """Of ascending moments."""
    index = bisect_right(moments, moment)
    return moments[index] if index < len(moments) else None


def exit_of(
    process: ProcessSummary, exits: Iterable[tuple[int, int, int]], missing_at: int | None
) -> tuple[int, int] | None:
    """When and with which code a process ended, from the exits of its pid: `at, executed_at, exit_code`, by moment.

    It is the first one since its newest sighting, up to the snapshot that lacks it; any later one is that of another
    process, to which the pid went. And so is one of what became a program before this process started.
    """
    for at, executed_at, exit_code in exits:
        if at < process.seen_at or (missing_at is not None and at > missing_at):
            continue
        if executed_at and executed_at < process.identity.started_at - START_TOLERANCE:
            continue
        return at, exit_code
    return None


def _numbers(
    rows: Rows, org_id: int, processes: Sequence[ProcessSummary], keys: Sequence[ProcessKey]
) -> dict[tuple[ProcessKey, int], ProcessNumbers]:
    sightings = [(process.seen_at, key.host_key) for process, key in zip(processes, keys, strict=True)]
    found: dict[tuple[ProcessKey, int], ProcessNumbers] = {}
    for at, host, pid, start, state, *values in rows(sql.numbers(org_id, sightings, keys)):
        fields = {name: None if value < 0 else value for (name, _), value in zip(NUMBER_COLUMNS, values, strict=True)}
        numbers = ProcessNumbers(state=STATES[state] if state < len(STATES) else "", **fields)
        found[ProcessKey(start, host, pid), at] = numbers
    return found


def exits_table(org_id: int, host: str, exits: Sequence[ProcessExit]) -> pa.Table:
    count = len(exits)
    return pa.table(
        {
            "org": pa.array([org_id] * count, pa.uint32()),
            "host": pa.array([host_key(host)] * count, pa.uint64()),
            "pid": pa.array([one.pid for one in exits], pa.uint32()),
            "at": pa.array([one.at for one in exits], pa.uint32()),
            "executed_at": pa.array([one.executed_at or 0 for one in exits], pa.uint32()),
            "exit_code": pa.array([one.exit_code for one in exits], pa.int32()),
        }
    )
