"""Which snapshots tell what there was at an instant, and the chunks that they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from procession.analysis import REACH_SECONDS
from procession.errors import InvalidRequest
from procession.lifecycle.completeness import is_complete
from procession.storage.history.instants.columns.membership import is_in, paired

MAX_INSTANT = 5_000_000
"""So many processes may be at an instant that is looked at: their columns have to fit into memory, several times."""


@dataclass(frozen=True, slots=True)
class Snapshots:
    """(host key, moment) of what has to be read for an instant."""

    plain: tuple[tuple[int, int], ...]
    """One complete snapshot of a host, each chunk once: what it lists is what there was."""
    mixed: tuple[tuple[int, int], ...]
    """Of hosts with more: a process may be in several of them."""
    sightings: int = 0
    """In all of them."""
    chunks: tuple[int, ...] = ()
    """What they are made of, as `chunk_ids`: what came later is not among it."""

    def check(self) -> None:
        """Raises InvalidRequest where it is more than may be read at once."""
        if self.sightings > MAX_INSTANT:
            raise InvalidRequest(
                f"{self.sightings} processes are too many to look at in one instant, which may have {MAX_INSTANT};"
                " choose some hosts by a host: tag in tags"
            )

    def __bool__(self) -> bool:
        return bool(self.plain or self.mixed)

    def digest(self) -> bytes:
        return hashlib.blake2b(repr((self.plain, self.mixed, self.chunks)).encode(), digest_size=16).digest()

    def moments(self) -> dict[int, int]:
        """Host key -> its newest."""
        found: dict[int, int] = {}
        for host, at in (*self.plain, *self.mixed):
            found[host] = max(at, found.get(host, 0))
        return found

    def oldest(self) -> dict[int, int]:
        """Host key -> the oldest of its."""
        found: dict[int, int] = {}
        for host, at in (*self.plain, *self.mixed):
            found[host] = min(at, found.get(host, at))
        return found


def newest_snapshots(chunks: pa.Table) -> Snapshots:
    """Of each host, from all chunks up to an instant: its newest complete snapshot and what came after it; all, where
    none is complete."""
    if not len(chunks):
        return Snapshots((), ())
    columns = {name: chunks[name].to_numpy() for name in chunks.column_names}
    hosts, host = np.unique(columns["host"], return_inverse=True)
    order = np.lexsort((columns["request"], columns["split_id"], columns["at"], host))
    host, at = host[order], columns["at"][order].astype(np.int64)
    group, request, size = columns["split_id"][order], columns["request"][order], columns["chunk_count"][order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (host[1:] != host[:-1]) | (at[1:] != at[:-1]) | (group[1:] != group[:-1])
    is_new = is_first.copy()
    is_new[1:] |= request[1:] != request[:-1]
    first = np.flatnonzero(is_first)
    distinct = np.add.reduceat(is_new.astype(np.int64), first)
    rows = np.diff(np.append(first, len(order)))
    wanted = np.maximum.reduceat(size, first)
    complete = is_complete(distinct, wanted)
    of_host, moment = host[first], at[first]
    base = np.full(len(hosts), -1, np.int64)
    np.maximum.at(base, of_host[complete], moment[complete])
    kept = moment >= base[of_host]
    is_odd = ~complete | (rows > distinct)
    odd_hosts = np.bincount(of_host[kept], minlength=len(hosts)) > 1
    odd_hosts |= np.bincount(of_host[kept & is_odd], minlength=len(hosts)) > 0
    is_mixed = odd_hosts[of_host]
    sightings = int(np.add.reduceat(columns["size"][order].astype(np.int64), first)[kept].sum())
    ids = np.unique(chunk_ids(columns)[order][np.repeat(kept, rows)])

    def pairs(mask: Any) -> tuple[tuple[int, int], ...]:
        return tuple(sorted(set(zip(hosts[of_host[mask]].tolist(), moment[mask].tolist(), strict=True))))

    return Snapshots(pairs(kept & ~is_mixed), pairs(kept & is_mixed), sightings, tuple(ids.tolist()))


def chunk_ids(columns: Mapping[str, Any]) -> Any:
    """A number for each row of `host, at, request`."""
    return paired(paired(columns["host"], columns["at"]), columns["request"])


def only_chunks(table: pa.Table, chunks: Iterable[int]) -> pa.Table:
    """The rows of these chunks, each once: others may have come since it was read which there are, or come again."""
    ids = chunk_ids({name: table[name].to_numpy() for name in ("host", "at", "request")})
    distinct, rows = np.unique(ids, return_index=True)
    rows = np.sort(rows[np.isin(distinct, np.array(list(chunks), np.uint64))])
    return table if len(rows) == len(table) else table.take(pa.array(rows))


def within_reach(chunks: pa.Table, at: int, hosts: Collection[int] | None) -> pa.Table:
    taken = chunks["at"].to_numpy()
    mask = (taken >= at - REACH_SECONDS) & (taken <= at)
    if hosts is not None:
        mask &= is_in(chunks["host"].to_numpy(), np.array(sorted(hosts), np.uint64))
    return chunks if mask.all() else chunks.filter(pa.array(mask))
