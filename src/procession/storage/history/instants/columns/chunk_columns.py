"""From the arrays of chunks to columns of an instant: one row for each process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procession.packed import DEAD, NO_STATE, STATE_NUMBERS
from procession.storage.history.engine.statement import Statement
from procession.storage.history.instants.columns.instant import Columns
from procession.storage.history.instants.columns.newest_snapshots import Snapshots, only_chunks
from procession.storage.history.statements.snapshots import chunk_arrays

Read = Callable[[Statement], pa.Table]
"""Runs a statement."""

ALWAYS_THERE = ("host", "seen_at")
"""Columns that every instant has, besides those that are read."""


def read_columns(read: Read, org_id: int, snapshots: Snapshots, wanted: Sequence[str]) -> Columns:
    parts = []
    if snapshots.plain:
        table = read(chunk_arrays(org_id, snapshots.plain, wanted))
        parts.append(_exploded(only_chunks(table, snapshots.chunks), wanted))
    if snapshots.mixed:
        names = sorted({*wanted, "start", "pid", "version", "state"})
        table = read(chunk_arrays(org_id, snapshots.mixed, names))
        parts.append(_newest(_exploded(only_chunks(table, snapshots.chunks), names)))
    return _joined(parts, wanted)


def read_columns_together(
    read: Read, org_id: int, snapshots: Mapping[int, Snapshots], names: Sequence[str]
) -> Iterator[tuple[int, Columns]]:
    pairs = {pair for one in snapshots.values() for pair in (*one.plain, *one.mixed)}
    if not pairs:
        yield from ((at, _nothing(names)) for at in snapshots)
        return
    if any(one.mixed for one in snapshots.values()):
        names = sorted({*names, "start", "pid", "version", "state"})
    known = {chunk for one in snapshots.values() for chunk in one.chunks}
    table = only_chunks(read(chunk_arrays(org_id, sorted(pairs), names)), known)
    of_chunks = list(zip(table["host"].to_pylist(), table["at"].to_pylist(), strict=True))
    for at, one in snapshots.items():
        plain, mixed = set(one.plain), set(one.mixed)
        parts = []
        if plain:
            parts.append(_exploded(table.filter(pa.array([pair in plain for pair in of_chunks], pa.bool_())), names))
        if mixed:
            found = table.filter(pa.array([pair in mixed for pair in of_chunks], pa.bool_()))
            parts.append(_newest(_exploded(found, names)))
        yield at, _joined(parts, names)


def _joined(parts: Sequence[Columns], names: Sequence[str]) -> Columns:
    if not parts:
        return _nothing(names)
    return {name: np.concatenate([part[name] for part in parts]) for name in (*ALWAYS_THERE, *names)}


def _nothing(names: Sequence[str]) -> Columns:
    return {name: np.empty(0, np.int64) for name in (*ALWAYS_THERE, *names)}


def _exploded(table: pa.Table, names: Sequence[str]) -> Columns:
    """One row for each process."""
    lengths = pc.list_value_length(table[names[0]]).to_numpy()
    columns = {
        "host": np.repeat(table["host"].to_numpy(), lengths),
        "seen_at": np.repeat(table["at"].to_numpy(), lengths),
    }
    for name in names:
        columns[name] = pc.list_flatten(table[name]).to_numpy()
    return columns


def _newest(columns: Columns) -> Columns:
    """The newest row of each pid, which has one process at a time; of two in one second the younger. Of several rows of
    it in that second the one of the dead counts, or else one that has a state; and of these always the same."""
    tells = 1 + (columns["state"] == STATE_NUMBERS[DEAD]) - (columns["state"] == NO_STATE)
    of_process = (columns[name] for name in ("start", "seen_at", "pid", "host"))
    order = np.lexsort((columns["version"], tells, *of_process))
    host, pid = (columns[name][order] for name in ("host", "pid"))
    is_last = np.ones(len(order), bool)
    is_last[:-1] = (host[1:] != host[:-1]) | (pid[1:] != pid[:-1])
    rows = order[is_last]
    return {name: values[rows] for name, values in columns.items()}
