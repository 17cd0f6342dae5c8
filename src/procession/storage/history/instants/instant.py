"""The processes at an instant, as columns: read whole, and then filtered, ordered, counted and summed in memory.

First it is read which chunks of snapshots there are; all else is read of these chunks alone, and of each once. So an
answer is as of the moment of that first statement, whatever is stored meanwhile. What the numbers in chunks stand for
(label sets, versions, names of hosts) is stored before them, and so it is read after them.

A million processes are some ten megabytes a column, so that any question about an instant costs one reading of its
snapshots, and those after it nothing but the check that these are still the same.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from procession.analysis import REACH_SECONDS, Order, Selection
from procession.errors import InvalidRequest
from procession.lifecycle.completeness import is_complete
from procession.packed import DEAD, NO_STATE, STATE_NUMBERS
from procession.process import ProcessKey
from procession.search.tag_filter import TagCondition
from procession.storage.history.engine.statement import Statement
from procession.storage.history.instants.membership import is_in, paired
from procession.storage.history.instants.reported_ends import NEEDED, ReportedEnds
from procession.storage.history.statements.descriptions import matching_versions
from procession.storage.history.statements.hosts import hosts_with_tag
from procession.storage.history.statements.named_hosts import may_name_host, mentions_host, named_hosts
from procession.storage.history.statements.snapshots import any_chunk, chunk_arrays, chunks
from procession.storage.history.statements.tag_sets import label_sets_with_tag
from procession.storage.history.tables.constants import BLOCK_SECONDS, HOUR_SECONDS

Read = Callable[[Statement], pa.Table]
"""Runs a statement."""

Columns = dict[str, Any]
"""Name -> numpy array; all of one length."""

MAX_INSTANT = 5_000_000
"""So many processes may be at an instant that is looked at: their columns have to fit into memory, several times."""

_ALWAYS = ("host", "seen_at")
"""Columns that every instant has, beside those that are read."""

MAX_CACHED_BYTES = 160 * 2**20


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
    """What they are made of, as `_chunk_ids`: what came later is not among it."""

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


@dataclass(frozen=True, slots=True)
class Instant:
    """Columns: `host`, `seen_at`, `turn`, `state`, and what was asked for of `start, pid, version, label_set` and the
    measures, with -1 for what is not known."""

    at: int
    columns: Columns
    snapshots: Snapshots
    is_known: bool
    looked_at: Collection[int] | None
    """The hosts whose snapshots were looked for; None: all."""

    def __len__(self) -> int:
        return len(self.columns["host"])

    def keys(self, rows: Any) -> list[ProcessKey]:
        columns = (self.columns[name][rows].tolist() for name in ("start", "host", "pid"))
        return [ProcessKey(*key) for key in zip(*columns, strict=True)]

    def where(self, mask: Any) -> Instant:
        return replace(self, columns={name: values[mask] for name, values in self.columns.items()})

    def hours(self) -> list[int]:
        """The hours of its snapshots: where the texts are."""
        return sorted({at // HOUR_SECONDS for _, at in (*self.snapshots.plain, *self.snapshots.mixed)})


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
    ids = np.unique(_chunk_ids(columns)[order][np.repeat(kept, rows)])

    def pairs(mask: Any) -> tuple[tuple[int, int], ...]:
        return tuple(sorted(set(zip(hosts[of_host[mask]].tolist(), moment[mask].tolist(), strict=True))))

    return Snapshots(pairs(kept & ~is_mixed), pairs(kept & is_mixed), sightings, tuple(ids.tolist()))


def _chunk_ids(columns: Mapping[str, Any]) -> Any:
    """A number for each row of `host, at, request`."""
    return paired(paired(columns["host"], columns["at"]), columns["request"])


def _only(table: pa.Table, chunks: Iterable[int]) -> pa.Table:
    """The rows of these chunks, each once: others may have come since it was read which there are, or come again."""
    ids = _chunk_ids({name: table[name].to_numpy() for name in ("host", "at", "request")})
    distinct, rows = np.unique(ids, return_index=True)
    rows = np.sort(rows[np.isin(distinct, np.array(list(chunks), np.uint64))])
    return table if len(rows) == len(table) else table.take(pa.array(rows))


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
        filters = {selection: _Filters(read, selection) for selection, _ in wanted}
        chunks = _chunks(read, filters.values(), sorted(at for _, at in wanted), hosts)
        sides = [_Side.of(filters[selection], chunks, at, hosts) for selection, at in wanted]
        ends = _ends_together(read, sides)
        return [self._instant(read, *one, columns, hosts) for one in zip(sides, ends, strict=True)]

    def _instant(
        self, read: Read, side: _Side, ends: ReportedEnds, columns: Iterable[str], only: Collection[int] | None
    ) -> Instant:
        filters, at, snapshots = side.filters, side.at, side.snapshots
        wanted = {"state", *columns, *filters.columns(), *(NEEDED if ends else ())}.difference(_ALWAYS)
        whole = Instant(at, self._columns(read, filters.org_id, at, snapshots, wanted), snapshots, True, side.hosts)
        mask = filters.narrow(whole, ends.lived(whole.columns, snapshots.oldest(), at))
        found = whole if mask.all() else whole.where(mask)
        return found if len(found) else replace(found, is_known=filters.is_known(found, only))

    def read_many(
        self, read: Read, selection: Selection, moments: Sequence[int], columns: Iterable[str]
    ) -> Iterator[Instant]:
        """The same at several instants, in ascending order; what is close together is read at once, and not kept."""
        filters = _Filters(read, selection)
        chunks = _chunks(read, [filters], moments)
        hosts = filters.hosts_of(None)
        asked = {"state", *columns, *filters.columns()}.difference(_ALWAYS)
        for some in _together(moments):
            snapshots = {at: newest_snapshots(_within_reach(chunks, at, hosts)) for at in some}
            for one in snapshots.values():
                one.check()
            whole = Snapshots(tuple({pair for one in snapshots.values() for pair in (*one.plain, *one.mixed)}), ())
            since = min(whole.oldest().values(), default=some[-1])
            ends = ReportedEnds.read(read, selection.org_id, since, some[-1], hosts)
            names = sorted(asked | set(NEEDED if ends else ()))
            for at, columns_then in _read_together(read, selection.org_id, snapshots, names):
                instant = Instant(at, columns_then, snapshots[at], True, hosts)
                mask = filters.narrow(instant, ends.lived(columns_then, snapshots[at].oldest(), at))
                found = instant if mask.all() else instant.where(mask)
                yield found if len(found) else replace(found, is_known=filters.is_known(found))

    def _columns(self, read: Read, org_id: int, at: int, snapshots: Snapshots, wanted: set[str]) -> Columns:
        place = org_id, at, snapshots.digest()
        with self._lock:
            known = self._known.get(place, {})
        if not wanted <= known.keys():
            wanted |= known.keys() - set(_ALWAYS)
            known = _read_columns(read, org_id, snapshots, sorted(wanted))
        with self._lock:
            self._known[place] = known
            self._known.move_to_end(place)
            while len(self._known) > 1 and sum(map(_bytes, self._known.values())) > MAX_CACHED_BYTES:
                self._known.popitem(last=False)
        return known


def _chunks(
    read: Read, filters: Collection[_Filters], moments: Sequence[int], hosts: Collection[int] | None = None
) -> pa.Table:
    """What may count at these instants, ascending: everything that an answer looks at is among it."""
    org_id = next(iter(filters)).org_id
    reached: list[int] = []
    for at in moments:
        reached += range(max(at - REACH_SECONDS, reached[-1] + 1 if reached else 0), at + 1)
    only = None if hosts is None else sorted(hosts)
    return read(chunks(org_id, reached, only, [one.named for one in filters]))


def _within_reach(chunks: pa.Table, at: int, hosts: Collection[int] | None) -> pa.Table:
    taken = chunks["at"].to_numpy()
    mask = (taken >= at - REACH_SECONDS) & (taken <= at)
    if hosts is not None:
        mask &= is_in(chunks["host"].to_numpy(), np.array(sorted(hosts), np.uint64))
    return chunks if mask.all() else chunks.filter(pa.array(mask))


class _Side(NamedTuple):
    """One of several instants that are looked at together."""

    filters: _Filters
    at: int
    hosts: Collection[int] | None
    """The only ones on which anything can fit; None: any."""
    snapshots: Snapshots

    @classmethod
    def of(cls, filters: _Filters, chunks: pa.Table, at: int, only: Collection[int] | None) -> _Side:
        hosts = filters.hosts_of(only)
        snapshots = newest_snapshots(_within_reach(chunks, at, hosts))
        snapshots.check()
        return cls(filters, at, hosts, snapshots)

    @property
    def since(self) -> int:
        return min(self.snapshots.oldest().values(), default=self.at)


def _ends_together(read: Read, sides: Sequence[_Side]) -> list[ReportedEnds]:
    """What was said of ends, for each. To be read after the snapshots: whoever is in them has not ended by what was
    said of another one later. What may concern all is read once: else it would count for some of them only."""
    org_id = sides[0].filters.org_id
    if max(side.since for side in sides) > min(side.at for side in sides):
        return [ReportedEnds.read(read, org_id, side.since, side.at, side.hosts) for side in sides]
    hosts = None if any(side.hosts is None for side in sides) else {host for side in sides for host in side.hosts or ()}
    since, until = min(side.since for side in sides), max(side.at for side in sides)
    return [ReportedEnds.read(read, org_id, since, until, hosts)] * len(sides)


def is_known_between(
    read: Read, selection: Selection, since: int, until: int, *, hosts: Collection[int] | None = None
) -> bool:
    """Whether any host that the selection names, of these, told of its processes, both ends within."""
    hosts = hosts_named(read, selection, hosts)
    return bool(len(read(any_chunk(selection.org_id, since, until, hosts))))


def hosts_named(read: Read, selection: Selection, hosts: Collection[int] | None = None) -> list[int] | None:
    """Of these hosts those that the selection names. None: any."""
    found = None if hosts is None else set(hosts)
    for patterns in named_hosts(selection.search, selection.tags):
        if any(len(read(label_sets_with_tag(selection.org_id, pattern))) for pattern in patterns):
            continue  # processes have such tags of their own, on any host
        tables = [read(hosts_with_tag(selection.org_id, pattern)) for pattern in patterns]
        named = {host for table in tables for host in table["host"].to_pylist()}
        found = named if found is None else found & named
    return None if found is None else sorted(found)


def _bytes(columns: Columns) -> int:
    return sum(values.nbytes for values in columns.values())


def _read_columns(read: Read, org_id: int, snapshots: Snapshots, wanted: Sequence[str]) -> Columns:
    parts = []
    if snapshots.plain:
        table = read(chunk_arrays(org_id, snapshots.plain, wanted))
        parts.append(_exploded(_only(table, snapshots.chunks), wanted))
    if snapshots.mixed:
        names = sorted({*wanted, "start", "pid", "version", "state"})
        table = read(chunk_arrays(org_id, snapshots.mixed, names))
        parts.append(_newest(_exploded(_only(table, snapshots.chunks), names)))
    return _joined(parts, wanted)


def _together(moments: Sequence[int]) -> Iterator[list[int]]:
    some: list[int] = []
    for at in moments:
        if some and at - some[0] > BLOCK_SECONDS:
            yield some
            some = []
        some.append(at)
    if some:
        yield some


def _read_together(
    read: Read, org_id: int, snapshots: Mapping[int, Snapshots], names: Sequence[str]
) -> Iterator[tuple[int, Columns]]:
    pairs = {pair for one in snapshots.values() for pair in (*one.plain, *one.mixed)}
    if not pairs:
        yield from ((at, _nothing(names)) for at in snapshots)
        return
    if any(one.mixed for one in snapshots.values()):
        names = sorted({*names, "start", "pid", "version", "state"})
    known = {chunk for one in snapshots.values() for chunk in one.chunks}
    table = _only(read(chunk_arrays(org_id, sorted(pairs), names)), known)
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
    return {name: np.concatenate([part[name] for part in parts]) for name in (*_ALWAYS, *names)}


def _nothing(names: Sequence[str]) -> Columns:
    return {name: np.empty(0, np.int64) for name in (*_ALWAYS, *names)}


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
    says = 1 + (columns["state"] == STATE_NUMBERS[DEAD]) - (columns["state"] == NO_STATE)
    of_process = (columns[name] for name in ("start", "seen_at", "pid", "host"))
    order = np.lexsort((columns["version"], says, *of_process))
    host, pid = (columns[name][order] for name in ("host", "pid"))
    is_last = np.ones(len(order), bool)
    is_last[:-1] = (host[1:] != host[:-1]) | (pid[1:] != pid[:-1])
    rows = order[is_last]
    return {name: values[rows] for name, values in columns.items()}


class _Filters:
    """What a selection stands for in the columns of an instant.

    Made before the chunks are read, of which it says what may be left out; all else is looked up after that.
    """

    def __init__(self, read: Read, selection: Selection) -> None:
        self._read = read
        self._selection = selection
        self.org_id = selection.org_id
        self.named = tuple(
            condition.pattern
            for condition in selection.tags.conditions
            if not condition.negated and may_name_host(condition.pattern) and not len(self._label_sets_with(condition))
        )
        """Only of hosts whose `host:` tag fits each of these anything can fit: no label set has such a tag."""

    def _label_sets_with(self, condition: TagCondition) -> Any:
        return self._read(label_sets_with_tag(self.org_id, condition.pattern))["label_set"]

    @cached_property
    def _sets(self) -> list[tuple[TagCondition, Any, Any]]:
        """Each condition, the label sets that fit it and the hosts that do, if any may."""
        found: list[tuple[TagCondition, Any, Any]] = []
        for condition in self._selection.tags.conditions:
            pattern = condition.pattern
            by_host_alone = not condition.negated and pattern in self.named
            label_sets = pa.array([], pa.uint64()) if by_host_alone else self._label_sets_with(condition)
            may_be_host = may_name_host(pattern)
            hosts = self._read(hosts_with_tag(self.org_id, pattern))["host"] if may_be_host else None
            found.append((condition, label_sets, hosts))
        return found

    def hosts_of(self, hosts: Collection[int] | None) -> Collection[int] | None:
        """Of these hosts those on which anything can fit. None: all."""
        possible = self._possible_hosts
        if possible is None:
            return hosts
        return possible if hosts is None else possible.intersection(hosts)

    def columns(self) -> set[str]:
        by_tag = {"label_set"} if self._selection.tags.conditions else set()
        return by_tag | ({"version"} if self._selection.search is not None else set())

    @cached_property
    def _possible_hosts(self) -> set[int] | None:
        found: set[int] | None = None
        for condition, _, hosts in self._sets:
            if not condition.negated and condition.pattern in self.named:
                named = set(hosts.to_pylist())
                found = named if found is None else found & named
        return found

    def is_known(self, instant: Instant, hosts: Collection[int] | None = None) -> bool:
        """Whether any host that the selection names, of these, told of its processes."""
        told = instant.snapshots.moments().keys()
        if told and (self._named is None or not self._named.isdisjoint(told)):
            return True
        if self._possible_hosts is None:
            return False
        # Of others the snapshots were not looked for.
        return is_known_between(self._read, self._selection, instant.at - REACH_SECONDS, instant.at, hosts=hosts)

    @cached_property
    def _named(self) -> frozenset[int] | None:
        named = hosts_named(self._read, self._selection)
        return None if named is None else frozenset(named)

    def narrow(self, instant: Instant, mask: Any) -> Any:
        columns = instant.columns
        for condition, label_sets, hosts in self._sets:
            has_tag = is_in(columns["label_set"], label_sets)
            if hosts is not None:
                has_tag |= is_in(columns["host"], hosts)
            mask = mask & (has_tag != condition.negated)
        search = self._selection.search
        if search is None:
            return mask
        with_host = mentions_host(search)
        found = self._read(
            matching_versions(
                self._selection.org_id, instant.hours(), search, type(self._selection.tags)(), with_host=with_host
            )
        )
        if not with_host:
            return mask & is_in(columns["version"], found["version"])
        pairs = paired(found["host"].to_numpy(), found["version"].to_numpy())
        return mask & is_in(paired(columns["host"], columns["version"]), pa.array(pairs))


def first_rows(columns: Sequence[Any], count: int) -> Any:
    """The first `count` rows in the order of these columns, the most important one first, without sorting the rest."""
    return _first_of(np.arange(len(columns[0])), columns, count)


def _first_of(rows: Any, columns: Sequence[Any], count: int) -> Any:
    first, *others = columns
    values = first[rows]
    if count >= len(rows) or len(rows) < 1000:
        return rows[np.lexsort(tuple(column[rows] for column in reversed(columns)))[:count]]
    threshold = np.partition(values, count - 1)[count - 1]
    better = rows[values < threshold]
    better = better[np.lexsort(tuple(column[better] for column in reversed(columns)))]
    if not others:
        return np.concatenate((better, rows[values == threshold]))[:count]
    return np.concatenate((better, _first_of(rows[values == threshold], others, count - len(better))))


def sort_values(values: Any, order: Order) -> Any:
    """Ascending in the order that was asked for; what is not known, -1, last."""
    numbers = values.astype(np.float64)
    is_unknown = numbers < 0
    if order.is_descending:
        numbers = -numbers
    numbers[is_unknown] = np.inf
    return numbers
