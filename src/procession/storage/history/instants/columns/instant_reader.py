"""The processes at an instant, as columns: read whole, and then filtered, ordered, counted and summed in memory.

First it is read which chunks of snapshots there are; all else is read of these chunks alone, and of each once. So an
answer is as of the moment of that first statement, whatever is stored meanwhile. What the numbers in chunks stand for
(label sets, versions, names of hosts) is stored before them, and so it is read after them.

A million processes are some ten megabytes a column, so that any question about an instant costs one reading of its
snapshots, and those after it nothing but the check that these are still the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa

from procession.analysis import REACH_SECONDS, Selection
from procession.storage.history.engine.statement import Statement
from procession.storage.history.instants.columns.chunk_columns import ALWAYS_THERE, read_columns, read_columns_together
from procession.storage.history.instants.columns.instant import Columns, Instant
from procession.storage.history.instants.columns.newest_snapshots import Snapshots, newest_snapshots, within_reach
from procession.storage.history.instants.columns.reported_endings import NEEDED, ReportedEndings
from procession.storage.history.instants.columns.selection_filters import SelectionFilters
from procession.storage.history.statements.snapshots import chunks
from procession.storage.history.tables.constants import BLOCK_SECONDS

Read = Callable[[Statement], pa.Table]
"""Runs a statement."""

MAX_CACHED_BYTES = 160 * 2**20


class InstantReader:
    """Remembers what it has read, for as long as the store says that the snapshots are the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, int, bytes], Columns] = OrderedDict()

    def read(
        self,
        read: Read,
        selection: Selection,
        at: int,
        columns: Iterable[str],
        *,
        hosts: Collection[int] | None = None,
    ) -> Instant:
        """What fits the selection at this instant, on these hosts."""
        (instant,) = self.read_together(read, [(selection, at)], columns, hosts=hosts)
        return instant

    def read_together(
        self,
        read: Read,
        wanted: Sequence[tuple[Selection, int]],
        columns: Iterable[str],
        *,
        hosts: Collection[int] | None = None,
    ) -> list[Instant]:
        """The same for several selections of one org at instants of their own, all as of one moment of the store."""
        found = self._read_once(read, wanted, columns, hosts)
        # What something is known of since, may be there by now.
        is_late = any(one.is_known and not one.snapshots for one in found)
        return self._read_once(read, wanted, columns, hosts) if is_late else found

    def _read_once(
        self,
        read: Read,
        wanted: Sequence[tuple[Selection, int]],
        columns: Iterable[str],
        hosts: Collection[int] | None,
    ) -> list[Instant]:
        filters = {selection: SelectionFilters(read, selection) for selection, _ in wanted}
        chunks = _chunks(read, filters.values(), sorted(at for _, at in wanted), hosts)
        sides = [_Side.of(filters[selection], chunks, at, hosts) for selection, at in wanted]
        ends = _endings_together(read, sides)
        return [self._instant(read, *one, columns, hosts) for one in zip(sides, ends, strict=True)]

    def _instant(
        self, read: Read, side: _Side, ends: ReportedEndings, columns: Iterable[str], only: Collection[int] | None
    ) -> Instant:
        filters, at, snapshots = side.filters, side.at, side.snapshots
        wanted = {"state", *columns, *filters.columns(), *(NEEDED if ends else ())}.difference(ALWAYS_THERE)
        whole = Instant(at, self._columns(read, filters.org_id, at, snapshots, wanted), snapshots, True, side.hosts)
        mask = filters.narrow(whole, ends.lived(whole.columns, snapshots.oldest(), at))
        found = whole if mask.all() else whole.where(mask)
        return found if len(found) else replace(found, is_known=filters.is_known(found, only))

    def read_many(
        self, read: Read, selection: Selection, moments: Sequence[int], columns: Iterable[str]
    ) -> Iterator[Instant]:
        """The same at several instants, in ascending order; what is close together is read at once, and not kept."""
        filters = SelectionFilters(read, selection)
        chunks = _chunks(read, [filters], moments)
        hosts = filters.hosts_of(None)
        asked = {"state", *columns, *filters.columns()}.difference(ALWAYS_THERE)
        for some in _close_together(moments):
            snapshots = {at: newest_snapshots(within_reach(chunks, at, hosts)) for at in some}
            for one in snapshots.values():
                one.check()
            whole = Snapshots(tuple({pair for one in snapshots.values() for pair in (*one.plain, *one.mixed)}), ())
            since = min(whole.oldest().values(), default=some[-1])
            ends = ReportedEndings.read(read, selection.org_id, since, some[-1], hosts)
            names = sorted(asked | set(NEEDED if ends else ()))
            for at, columns_then in read_columns_together(read, selection.org_id, snapshots, names):
                instant = Instant(at, columns_then, snapshots[at], True, hosts)
                mask = filters.narrow(instant, ends.lived(columns_then, snapshots[at].oldest(), at))
                found = instant if mask.all() else instant.where(mask)
                yield found if len(found) else replace(found, is_known=filters.is_known(found))

    def _columns(self, read: Read, org_id: int, at: int, snapshots: Snapshots, wanted: set[str]) -> Columns:
        cache_key = org_id, at, snapshots.digest()
        with self._lock:
            known = self._known.get(cache_key, {})
        if not wanted <= known.keys():
            wanted |= known.keys() - set(ALWAYS_THERE)
            known = read_columns(read, org_id, snapshots, sorted(wanted))
        with self._lock:
            self._known[cache_key] = known
            self._known.move_to_end(cache_key)
            while len(self._known) > 1 and sum(map(_bytes, self._known.values())) > MAX_CACHED_BYTES:
                self._known.popitem(last=False)
        return known


def _chunks(
    read: Read, filters: Collection[SelectionFilters], moments: Sequence[int], hosts: Collection[int] | None = None
) -> pa.Table:
    """What may count at these instants, ascending: everything that an answer looks at is among it."""
    org_id = next(iter(filters)).org_id
    reached: list[int] = []
    for at in moments:
        reached += range(max(at - REACH_SECONDS, reached[-1] + 1 if reached else 0), at + 1)
    only = None if hosts is None else sorted(hosts)
    return read(chunks(org_id, reached, only, [one.named for one in filters]))


class _Side(NamedTuple):
    """One of several instants that are looked at together."""

    filters: SelectionFilters
    at: int
    hosts: Collection[int] | None
    """The only ones on which anything can fit; None: any."""
    snapshots: Snapshots

    @classmethod
    def of(cls, filters: SelectionFilters, chunks: pa.Table, at: int, only: Collection[int] | None) -> _Side:
        hosts = filters.hosts_of(only)
        snapshots = newest_snapshots(within_reach(chunks, at, hosts))
        snapshots.check()
        return cls(filters, at, hosts, snapshots)

    @property
    def since(self) -> int:
        return min(self.snapshots.oldest().values(), default=self.at)


def _endings_together(read: Read, sides: Sequence[_Side]) -> list[ReportedEndings]:
    """What was reported of endings, for each. To be read after the snapshots: whoever is in them has not ended by what
    was reported of another one later. What may concern all is read once: else it would count for some of them only."""
    org_id = sides[0].filters.org_id
    if max(side.since for side in sides) > min(side.at for side in sides):
        return [ReportedEndings.read(read, org_id, side.since, side.at, side.hosts) for side in sides]
    hosts = None if any(side.hosts is None for side in sides) else {host for side in sides for host in side.hosts or ()}
    since, until = min(side.since for side in sides), max(side.at for side in sides)
    return [ReportedEndings.read(read, org_id, since, until, hosts)] * len(sides)


def _close_together(moments: Sequence[int]) -> Iterator[list[int]]:
    some: list[int] = []
    for at in moments:
        if some and at - some[0] > BLOCK_SECONDS:
            yield some
            some = []
        some.append(at)
    if some:
        yield some


def _bytes(columns: Columns) -> int:
    return sum(values.nbytes for values in columns.values())
