"""The processes at an instant, as columns: read whole, and then filtered, ordered, counted and summed in memory.

First it is read which chunks of snapshots there are, and at the same time what was reported of endings; all else is
read of these chunks alone, and of each once. So an answer is as of the moment of that first statement, whatever is
stored meanwhile. What the numbers in chunks stand for (label sets, versions, names of hosts) is stored before them, and
so it is read after them.

A million processes are some ten megabytes a column, so that any question about an instant costs one reading of its
snapshots, and those after it nothing but the check that these are still the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import pyarrow as pa

from procession.analysis import REACH_SECONDS, InstantPin, Selection
from procession.process import ProcessKey
from procession.storage.history.engine.statement import Statement, SubmitTable
from procession.storage.history.instants.columns.chunk_columns import ALWAYS_THERE, read_columns, read_columns_together
from procession.storage.history.instants.columns.endings_reader import EndingsReader, SubmittedEndings
from procession.storage.history.instants.columns.instant import Columns, Instant, is_process
from procession.storage.history.instants.columns.newest_snapshots import Snapshots, newest_snapshots, within_reach
from procession.storage.history.instants.columns.pinned_chunks import check, pin_of, pinned
from procession.storage.history.instants.columns.reported_endings import NEEDED, ReportedEndings
from procession.storage.history.instants.columns.selection_filters import SelectionFilters
from procession.storage.history.statements.snapshots import chunks
from procession.storage.history.tables.constants import BLOCK_SECONDS

MAX_CACHED_BYTES = 160 * 2**20


class Tables(Protocol):
    """Runs statements."""

    def table(self, statement: Statement) -> pa.Table: ...

    @property
    def submit_table(self) -> SubmitTable: ...


class InstantReader:
    """Remembers what it has read, for as long as the store says that the snapshots are the same."""

    def __init__(self, endings: EndingsReader) -> None:
        self._endings = endings
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, bytes], Columns] = OrderedDict()

    def read(
        self,
        tables: Tables,
        selection: Selection,
        at: int,
        columns: Iterable[str],
        *,
        hosts: Collection[int] | None = None,
        pin: InstantPin | None = None,
        kept: ProcessKey | None = None,
    ) -> Instant:
        """What fits the selection at this instant, on these hosts. `pin`: of these chunks and no others. `kept`: also
        this process, though it may have ended by then."""
        found = self._read_once(tables, [(selection, at)], columns, hosts, pin, kept)
        if _is_late(found):
            found = self._read_once(tables, [(selection, at)], columns, hosts, pin, kept)
        (instant,) = found
        return instant

    def read_together(
        self,
        tables: Tables,
        wanted: Sequence[tuple[Selection, int]],
        columns: Iterable[str],
    ) -> list[Instant]:
        """The same for several selections of one org at instants of their own, all as of one moment of the store."""
        found = self._read_once(tables, wanted, columns)
        return self._read_once(tables, wanted, columns) if _is_late(found) else found

    def _read_once(
        self,
        tables: Tables,
        wanted: Sequence[tuple[Selection, int]],
        columns: Iterable[str],
        hosts: Collection[int] | None = None,
        pin: InstantPin | None = None,
        kept: ProcessKey | None = None,
    ) -> list[Instant]:
        filters = {selection: SelectionFilters(tables.table, selection) for selection, _ in wanted}
        moments = sorted(at for _, at in wanted)
        submitted = self._submit_endings(tables, filters.values(), moments, hosts)
        chunks = pinned(_chunks(tables, filters.values(), moments, hosts), pin)
        sides = [_Side.of(filters[selection], chunks, at, hosts) for selection, at in wanted]
        if submitted is None:
            submitted = self._endings.submit(tables.submit_table, sides[0].filters.org_id, moments, _all_hosts(sides))
        ends = [submitted.of(side.since, side.at) for side in sides]
        for side in sides:
            check(side.snapshots, pin)
        pins = [pin or pin_of(chunks, side.snapshots) for side in sides]
        found = [self._instant(tables, *one, columns, hosts, kept) for one in zip(sides, ends, strict=True)]
        return [replace(instant, pin=one) for instant, one in zip(found, pins, strict=True)]

    def _submit_endings(
        self,
        tables: Tables,
        filters: Collection[SelectionFilters],
        moments: Sequence[int],
        hosts: Collection[int] | None,
    ) -> SubmittedEndings | None:
        """None where hosts are named: which these are is read after the chunks."""
        org_id = next(iter(filters)).org_id
        is_any_named = any(one.named for one in filters)
        return None if is_any_named else self._endings.submit(tables.submit_table, org_id, moments, hosts)

    def _instant(
        self,
        tables: Tables,
        side: _Side,
        ends: ReportedEndings,
        columns: Iterable[str],
        only: Collection[int] | None,
        kept: ProcessKey | None,
    ) -> Instant:
        filters, snapshots = side.filters, side.snapshots
        wanted = {"state", *columns, *filters.columns(), *(NEEDED if ends else ())}.difference(ALWAYS_THERE)
        read = self._columns(tables, filters.org_id, snapshots, wanted)
        whole = Instant(side.at, read, snapshots, True, side.hosts)
        lived = ends.lived(whole.columns, snapshots.oldest())
        mask = filters.narrow(whole, lived if kept is None else lived | is_process(whole.columns, kept))
        found = whole if mask.all() else whole.where(mask)
        return found if len(found) else replace(found, is_known=filters.is_known(found, only))

    def read_many(
        self, tables: Tables, selection: Selection, moments: Sequence[int], columns: Iterable[str]
    ) -> Iterator[Instant]:
        """The same at several instants, in ascending order; what is close together is read at once, and not kept."""
        filters = SelectionFilters(tables.table, selection)
        chunks = _chunks(tables, [filters], moments)
        hosts = filters.hosts_of(None)
        asked = {"state", *columns, *filters.columns()}.difference(ALWAYS_THERE)
        for some, submitted in self._with_endings(tables, selection.org_id, [*_close_together(moments)], hosts):
            sides = [_Side.of(filters, chunks, at, None) for at in some]
            ends = [submitted.of(side.since, side.at) for side in sides]
            names = sorted(asked | set(NEEDED if any(ends) else ()))
            snapshots = {side.at: side.snapshots for side in sides}
            together = read_columns_together(tables.table, selection.org_id, snapshots, names)
            for reported, (at, columns_then) in zip(ends, together, strict=True):
                instant = Instant(at, columns_then, snapshots[at], True, hosts)
                mask = filters.narrow(instant, reported.lived(columns_then, snapshots[at].oldest()))
                found = instant if mask.all() else instant.where(mask)
                yield found if len(found) else replace(found, is_known=filters.is_known(found))

    def _with_endings(
        self, tables: Tables, org_id: int, parts: Sequence[Sequence[int]], hosts: Collection[int] | None
    ) -> Iterator[tuple[Sequence[int], SubmittedEndings]]:
        """Each part of some moments, while those of the next are asked for."""
        submitted = [self._endings.submit(tables.submit_table, org_id, parts[0], hosts)] if parts else []
        for index, some in enumerate(parts):
            if index + 1 < len(parts):
                submitted.append(self._endings.submit(tables.submit_table, org_id, parts[index + 1], hosts))
            yield some, submitted.pop(0)

    def _columns(self, tables: Tables, org_id: int, snapshots: Snapshots, wanted: set[str]) -> Columns:
        cache_key = org_id, snapshots.digest()
        with self._lock:
            known = self._known.get(cache_key, {})
        if not wanted <= known.keys():
            wanted |= known.keys() - set(ALWAYS_THERE)
            known = read_columns(tables.table, org_id, snapshots, sorted(wanted))
        with self._lock:
            self._known[cache_key] = known
            self._known.move_to_end(cache_key)
            while len(self._known) > 1 and sum(map(_bytes, self._known.values())) > MAX_CACHED_BYTES:
                self._known.popitem(last=False)
        return known


def _chunks(
    tables: Tables, filters: Collection[SelectionFilters], moments: Sequence[int], hosts: Collection[int] | None = None
) -> pa.Table:
    """What may count at these instants, ascending: everything that an answer looks at is among it."""
    org_id = next(iter(filters)).org_id
    reached: list[int] = []
    for at in moments:
        reached += range(max(at - REACH_SECONDS, reached[-1] + 1 if reached else 0), at + 1)
    only = None if hosts is None else sorted(hosts)
    return tables.table(chunks(org_id, reached, only, [one.named for one in filters]))


def _is_late(found: Iterable[Instant]) -> bool:
    """Whether something is known by now of one of which nothing was there when it was read."""
    return any(one.is_known and not one.snapshots for one in found)


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


def _all_hosts(sides: Sequence[_Side]) -> Collection[int] | None:
    if any(side.hosts is None for side in sides):
        return None
    return {host for side in sides for host in side.hosts or ()}


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
