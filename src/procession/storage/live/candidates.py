"""Processes that were seen in a window, each with its newest sighting there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from procession.process import ProcessDescription, ProcessIdentity, ProcessSummary
from procession.storage.live.columns import APART, NO_NUMBER, NUMBERS_ROW, Array, pids_of, starts_of
from procession.storage.live.org_table import OrgTable
from procession.window import Window

NO_CODE = np.iinfo("i8").min
"""Stands for an exit code that is not known."""


class EarlierSightings(NamedTuple):
    """By row of a table, what it was at a sighting that is not its newest; NO_NUMBER where that is meant."""

    source: Array
    """The place of its version."""
    places: Array
    """Of its numbers in `packed`."""
    packed: Array


class Endings(NamedTuple):
    """How processes ended, as columns."""

    at: Array
    """When each did; below 0 for one that has not."""
    exit_codes: Array
    """NO_CODE where none is known."""
    oom_killed: Array
    """Whether the OOM killer did it, 1 or 0; below 0 where that is not known."""


class Candidates:
    """Columns of one length. `source`: places of older versions, NO_NUMBER where it is the newest; None where all
    are."""

    def __init__(
        self,
        table: OrgTable,
        rows: Array,
        seen: Array | None,
        source: Array | None,
        *,
        are_all: bool = False,
        earlier: EarlierSightings | None = None,
    ) -> None:
        """`seen`: None where it is the newest sighting of all. `are_all`: whether the rows are those of the table from
        first to last. `earlier`: has the numbers of sightings that are not the newest."""
        self._earlier = earlier
        self._are_all = are_all
        self.table = table
        self.rows = rows
        self._seen = seen
        self._source = source
        self._columns: dict[str, Array] = {}
        self._counts: dict[str, Array] = {}
        self.until: int | None = None
        """Of a window, its end, up to which it is looked for how processes ended."""
        self.endings: Endings | None = None
        """How they did, once that was asked."""

    @property
    def seen(self) -> Array:
        if self._seen is None:
            self._seen = self.table.rows.last[self.rows]
        return self._seen

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> Array:
        """`text`, `labels`, `ppid`, `namespace_pid` at that sighting; or `host` and `key`."""
        found = self._columns.get(name)
        if found is None:
            column = getattr(self.table.rows, name)
            found = column[: len(self.rows)] if self._are_all else column.take(self.rows)
            if self._source is not None and name not in ("host", "key"):
                is_older = self._source != NO_NUMBER
                found[is_older] = getattr(self.table.versions, name)[self._source[is_older]]
            self._columns[name] = found
        return found

    @classmethod
    def joined(cls, table: OrgTable, parts: Sequence[Candidates]) -> Candidates:
        """One after the other."""
        if not parts:
            return cls(table, np.zeros(0, "i4"), np.zeros(0, "u4"), None)
        sources = [np.full(len(one), NO_NUMBER, "i4") if one._source is None else one._source for one in parts]
        rows, seen = (np.concatenate([getattr(one, name) for one in parts]) for name in ("rows", "seen"))
        return cls(table, rows, seen, np.concatenate(sources))

    def with_earlier(self, earlier: EarlierSightings) -> Candidates:
        """With the numbers of those sightings that are not the newest of all."""
        return Candidates(self.table, self.rows, self.seen, self._source, earlier=earlier)

    def select(self, which: Array | slice) -> Candidates:
        """Those that a mask, their places, or a slice say."""
        if not isinstance(which, slice) and which.dtype == bool:
            which = np.flatnonzero(which)
        source = None if self._source is None else self._source[which]
        seen = None if self._seen is None else self._seen[which]
        chosen = Candidates(self.table, self.rows[which], seen, source, earlier=self._earlier)
        chosen._columns = {name: values[which] for name, values in self._columns.items()}
        chosen.until = self.until
        if self.endings is not None:
            chosen.endings = Endings(*(column[which] for column in self.endings))
        return chosen

    def numbers(self, name: str) -> Array:
        """A column of the numbers, or `state`, at these sightings, which are the newest of all if it is not known what
        was earlier; below 0 where a number is not known."""
        own = self.table.rows
        column: Array = getattr(own, name) if name in APART else own.numbers.view(NUMBERS_ROW)[name]
        if self._are_all:
            return column[: len(self.rows)]
        found = column.take(self.rows)
        if self._earlier is not None:
            places = self._earlier.places[self.rows]
            is_earlier = places != NO_NUMBER
            found[is_earlier] = self._earlier.packed[places[is_earlier]].view(NUMBERS_ROW)[name]
        return found

    def packed_numbers(self) -> Array:
        """The rows of all numbers."""
        found = self.table.rows.numbers[self.rows]
        if self._earlier is not None:
            places = self._earlier.places[self.rows]
            is_earlier = places != NO_NUMBER
            found[is_earlier] = self._earlier.packed[places[is_earlier]]
        return found

    def counts(self, name: str, size: int) -> Array:
        """By number of a host, a text or labels, how many have it."""
        counts = self._counts.get(name)
        if counts is None:
            counts = self._counts[name] = np.bincount(self.column(name), minlength=size)
        return counts

    def summaries(self, *, is_brief: bool = False) -> list[ProcessSummary]:
        """`is_brief`: as in `ProcessQuery`."""
        keys = self.column("key")
        descriptions = self.table.descriptions
        described: Callable[..., ProcessDescription] = descriptions.brief if is_brief else descriptions.whole
        names = ("text", "labels", "ppid") if is_brief else ("text", "labels", "ppid", "namespace_pid")
        columns = [self.column(name).tolist() for name in names]
        hosts = [self.table.host(number).name for number in self.column("host").tolist()]
        return [
            ProcessSummary(ProcessIdentity(host, pid, start), seen, described(*parts))
            for host, pid, start, seen, *parts in zip(
                hosts, pids_of(keys).tolist(), starts_of(keys).tolist(), self.seen.tolist(), *columns, strict=True
            )
        ]


def all_in_window(table: OrgTable, window: Window) -> Candidates:
    """In the order of rows, which is none."""
    own, count = table.rows, table.row_count
    if window.to_at >= table.newest:
        is_in = own.last[:count] >= window.from_at
        if is_in.all():
            return Candidates(table, np.arange(count, dtype="i4"), None, None, are_all=True)
        rows = np.flatnonzero(is_in)
        return Candidates(table, rows, None, None)
    may_be = (own.last[:count] >= window.from_at) & (own.since[:count] <= window.to_at)
    return in_window(table, np.flatnonzero(may_be), window)


def in_window(table: OrgTable, rows: Array, window: Window) -> Candidates:
    """Those of these rows that were seen in the window, in the same order."""
    seen, source = newest_sightings(table, rows, window.to_at)
    is_in = seen >= window.from_at
    found = Candidates(table, rows, seen, source)
    return found if is_in.all() else found.select(is_in)


def newest_sightings(table: OrgTable, rows: Array, until: int) -> tuple[Array, Array | None]:
    """When each of these was seen last up to a moment, 0 where it was not; and the `source`, as of `Candidates`."""
    seen = table.rows.last[rows]
    if until >= table.newest:
        return seen, None
    later = np.flatnonzero(seen > until)
    if not len(later):
        return seen, None
    source = np.full(len(rows), NO_NUMBER, "i4")
    seen[later], source[later] = _newest_up_to(table, rows[later], until)
    return seen, source


def _newest_up_to(table: OrgTable, rows: Array, at: int) -> tuple[Array, Array]:
    """When processes that were seen after a moment were seen last before it, 0 where they were not; and which version
    that was."""
    own, older = table.rows, table.versions
    hosts = own.host[rows]
    moments = np.zeros(len(table.hosts), "u4")
    for number in np.unique(hosts).tolist():
        moments[number] = table.host(number).moment_up_to(at)
    up_to = moments[hosts]
    first = own.first[rows]
    seen = np.where((first <= at) & (up_to >= first), up_to, 0).astype("u4")
    source = np.full(len(rows), NO_NUMBER, "i4")
    left = np.flatnonzero(own.older[rows] != NO_NUMBER)
    places = own.older[rows[left]]
    while len(left):
        first, last = older.first[places], older.last[places]
        within = np.where((first <= at) & (up_to[left] >= first), up_to[left], 0)
        found = np.where(last <= at, last, within)
        is_newer = found > seen[left]
        seen[left[is_newer]] = found[is_newer]
        source[left[is_newer]] = places[is_newer]
        places = older.older[places]
        goes_on = places != NO_NUMBER
        left, places = left[goes_on], places[goes_on]
    return seen, source
