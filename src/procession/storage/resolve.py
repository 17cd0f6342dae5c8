"""From rows of several buckets and parts to one newest sighting per process. Pure: columns in, values out."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from procession.process import ProcessKey

Columns = dict[str, Any]
"""Name -> numpy array; all of one length."""


class Candidate(msgspec.Struct, frozen=True):
    """A process that may be in the window, with the newest sighting there that is proved so far."""

    start: int
    host: int
    pid: int
    version: int
    known: int
    """Unix seconds; 0: none is proved."""
    is_open: bool
    """Sightings go on after the window, so there may be a newer one inside."""

    @property
    def key(self) -> ProcessKey:
        return ProcessKey(self.start, self.host, self.pid)


def complete_before(rows: Columns, limit: int) -> tuple[Columns, ProcessKey | None]:
    """Cut rows, ordered within each source, to the processes of which all rows are there.

    A source that gave `limit` rows has more, perhaps of the process it stopped in. Gives the rows kept, and the last
    process that is complete: where to go on, None if nothing is left. `limit` must exceed the rows of any one process,
    or the cut would keep nothing; then the caller reads on with a larger one.
    """
    sources = rows["source"]
    horizon: tuple[int, int, int] | None = None
    for source, count in zip(*np.unique(sources, return_counts=True), strict=True):
        if count >= limit:
            index = np.flatnonzero(sources == source)[-1]
            key = (int(rows["start"][index]), int(rows["host"][index]), int(rows["pid"][index]))
            horizon = key if horizon is None else min(horizon, key)
    if horizon is None:
        return rows, None
    start, host, pid = horizon
    starts, hosts, pids = rows["start"], rows["host"], rows["pid"]
    inside = (starts < start) | ((starts == start) & ((hosts < host) | ((hosts == host) & (pids < pid))))
    # Where to go on: right before the process that the source stopped in. Keys are whole numbers, so that is one less.
    return {name: values[inside] for name, values in rows.items()}, _before(start, host, pid)


def _before(start: int, host: int, pid: int) -> ProcessKey:
    if pid:
        return ProcessKey(start, host, pid - 1)
    if host:
        return ProcessKey(start, host - 1, 2**32 - 1)
    return ProcessKey(start - 1, 2**64 - 1, 2**32 - 1)


def newest_of(rows: Columns) -> list[Candidate]:
    """One candidate per process, in key order."""
    count = len(rows["start"])
    if not count:
        return []
    order = np.lexsort((rows["known"], rows["pid"], rows["host"], rows["start"]))
    start, host, pid = (rows[name][order] for name in ("start", "host", "pid"))
    is_last = np.append((start[1:] != start[:-1]) | (host[1:] != host[:-1]) | (pid[1:] != pid[:-1]), True)
    ends = np.flatnonzero(is_last)
    firsts = np.append(0, ends[:-1] + 1)
    is_open = np.logical_or.reduceat(rows["is_open"][order].astype(bool), firsts)
    columns = (start[ends], host[ends], pid[ends], rows["version"][order][ends], rows["known"][order][ends], is_open)
    return [Candidate(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
