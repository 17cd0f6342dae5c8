"""What agents have reported of endings since the snapshots of an instant were taken: it belongs to the instant.

Whether an exit is that of a process is decided as for a window: `procession.lifecycle.endings`. Besides exits there are
last looks at the dead, in snapshots and among live numbers. And a pid has one process at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procession.lifecycle.endings import ReportedExit, exit_of, exits_since, is_last_look
from procession.packed import DEAD, NO_STATE, STATE_NUMBERS
from procession.process import ProcessKey
from procession.storage.history.instants.columns.membership import is_in, paired

NEEDED = ("pid", "start")
"""Columns that tell whose ending it is, besides `host`, `seen_at` and `state`."""

_PidOfHost = tuple[int, int]
"""Host key, pid."""


@dataclass(frozen=True, slots=True)
class ReportedEndings:
    """Up to the instant."""

    exits: pa.Table
    """`host, pid, at, executed_at`."""
    dead: pa.Table
    """Last looks at the dead among live numbers: `host, pid, at, start`."""

    @classmethod
    def between(cls, since: int, until: int, exits: pa.Table, live_numbers: pa.Table) -> ReportedEndings:
        """Of what was read for a longer time, both ends within."""
        return cls(_between(since, until, exits), _last_looks(_between(since, until, live_numbers)))

    def __bool__(self) -> bool:
        return bool(len(self.exits) or len(self.dead))

    def lived(self, columns: Mapping[str, Any], oldest: Mapping[int, int]) -> Any:
        """Which of these processes had not ended by then. `oldest`: of each host, when the first of the snapshots was
        taken that they are from: what ended before it is not in it."""
        lived = columns["state"] != STATE_NUMBERS[DEAD]
        if not self:
            return lived
        pids_of_hosts = paired(columns["host"], columns["pid"])
        reported_of = np.concatenate([_pids_of_hosts(self.exits), _pids_of_hosts(self.dead)])
        mask = lived & is_in(pids_of_hosts, np.unique(reported_of))
        exits, dead = (_by_pid(table, pids_of_hosts[mask]) for table in (self.exits, self.dead))
        for row in np.flatnonzero(mask).tolist():
            key = ProcessKey(*(int(columns[name][row]) for name in ("start", "host", "pid")))
            pid_of_host, seen_at = (key.host_key, key.pid), int(columns["seen_at"][row])
            since = max(exits_since(key, seen_at, _state(columns, row)), oldest[key.host_key])
            reported = (ReportedExit(at, None, executed_at) for at, executed_at in sorted(exits.get(pid_of_host, ())))
            is_dead = any(is_last_look(key, seen_at, *look) for look in dead.get(pid_of_host, ()))
            lived[row] = not is_dead and exit_of(key.started_at, reported, since, None) is None
        return lived


def _between(since: int, until: int, table: pa.Table) -> pa.Table:
    at = table["at"].to_numpy()
    return table.filter(pa.array((at >= since) & (at <= until)))


def _last_looks(live_numbers: pa.Table) -> pa.Table:
    """A row for each of the dead, from arrays over processes."""
    lengths = pc.list_value_length(live_numbers["state"]).to_numpy()
    pid, start, state = (pc.list_flatten(live_numbers[name]).to_numpy() for name in ("pid", "start", "state"))
    host, at = (np.repeat(live_numbers[name].to_numpy(), lengths) for name in ("host", "at"))
    is_dead = state == STATE_NUMBERS[DEAD]
    columns = {"host": host, "pid": pid, "at": at, "start": start}
    return pa.table({name: values[is_dead] for name, values in columns.items()})


def _pids_of_hosts(table: pa.Table) -> Any:
    return paired(table["host"].to_numpy(), table["pid"].to_numpy())


def _by_pid(table: pa.Table, pids_of_hosts: Any) -> dict[_PidOfHost, list[tuple[int, int]]]:
    """Of a table of `host, pid, at` and a number: of these pids, moments with the number."""
    # Of a fleet that runs scripts, most of what ended was in no snapshot.
    table = table.filter(pa.array(is_in(_pids_of_hosts(table), np.unique(pids_of_hosts))))
    found: defaultdict[_PidOfHost, list[tuple[int, int]]] = defaultdict(list)
    for host, pid, at, number in zip(*(column.to_pylist() for column in table.columns), strict=True):
        found[host, pid].append((at, number))
    return dict(found)


def _state(columns: Mapping[str, Any], row: int) -> str:
    """As far as it matters here: whether there is one. The dead were left out before."""
    return "" if columns["state"][row] == NO_STATE else "S"
