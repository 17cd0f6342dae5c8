"""Questions about many processes at once, of now. None for what the table does not know all of: history does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from procession.analysis import (
    REACH_SECONDS,
    Facets,
    Family,
    Groups,
    Hosts,
    HostTree,
    InstantPage,
    Order,
    Points,
    ProcessAtInstant,
    ProcessInWindow,
    Run,
    Selection,
    TagCompletion,
    WindowPage,
)
from procession.analysis.all_cpus import CpusOfHosts
from procession.analysis.family_tree import FamilyTree
from procession.analysis.listed_windows import takes_listing
from procession.errors import InvalidRequest
from procession.process import MAX_UINT32, ProcessKey, ProcessSummary
from procession.search.pattern import fold
from procession.storage.live.candidates import Candidates, all_in_window
from procession.storage.live.columns import Array, pids_of, starts_of
from procession.storage.live.endings import find_details, unpacked
from procession.storage.live.hosts import Host
from procession.storage.live.instants.aggregates import (
    completion,
    facet_of,
    groups_of,
    hosts_of,
    values_by,
    window_facet_of,
)
from procession.storage.live.instants.at_instant import at_instant, is_known, names_by_tags
from procession.storage.live.instants.row_order import first_in_order, first_places, position_of, sort_columns
from procession.storage.live.instants.runs import find_runs
from procession.storage.live.instants.table_at import TableAt, table_at
from procession.storage.live.matching.window_endings import NotKept, seen_with_numbers
from procession.storage.live.org_table import OrgTable
from procession.storage.live.row_filter import RowFilter
from procession.storage.live.table import LiveTable
from procession.window import Window

MAX_BRANCHES = 10_000
_SLOT_SECONDS = 10


class LiveAnalysis:
    """What the table answers of an `AnalysisStore`, each as that does."""

    def __init__(self, table: LiveTable) -> None:
        self._table = table
        self._last: tuple[tuple[int, int, int], TableAt | None] | None = None

    def is_known(self, selection: Selection, window: Window) -> bool | None:
        with self._table.reading(selection.org_id) as table:
            reached = Window(max(window.from_at, table.since), window.to_at)
            if reached.from_at <= reached.to_at and is_known(table, selection, reached):
                return True  # whatever was before
            return False if window.from_at >= table.since else None

    def has_tags_of_hosts(self, selection: Selection) -> bool:
        """Whether processes have a tag that names hosts in the selection: which hosts it means is no more said by what
        these are called."""
        with self._table.reading(selection.org_id) as table:
            return names_by_tags(table, selection)

    def instant_page(
        self, selection: Selection, at: int, order: Order, offset: int, limit: int, after: ProcessKey | None = None
    ) -> InstantPage | None:
        with self.at(selection.org_id, at) as then:
            if then is None:
                return None
            found = at_instant(then, selection)
            if after is not None:
                columns = sort_columns(found, order)
                offset += position_of(columns, _place_of(then.table, found, after), len(found))
            places = first_in_order(found, order, min(offset + limit, len(found)))[offset:]
            return InstantPage(len(found), processes_of(found.select(places)), is_known_at(then.table, selection, at))

    def window_page(
        self, selection: Selection, window: Window, order: Order, offset: int, limit: int
    ) -> WindowPage | None:
        with self._in(selection.org_id, window) as table:
            if table is None:
                return None
            try:
                found = _with_numbers_in(table, selection, window)
                columns = sort_columns(found, order)
            except NotKept:
                return None
            places = first_places(columns, min(offset + limit, len(found)), len(found))[offset:]
            summaries = found.select(places).summaries()
            details = find_details(table, window, summaries)
            if details is None:
                return None
            page = tuple(ProcessInWindow(*one) for one in zip(summaries, details, strict=True))
            return WindowPage(len(found), page, is_known(table, selection, window))

    def points(self, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points | None:
        with self.at(selection.org_id, at) as then:
            if then is None:
                return None
            found = at_instant(then, selection)
            found = found.select((found.numbers(x) >= 0) & (found.numbers(y) >= 0))
            first = first_places(sort_columns(found, Order(x, is_descending=True)), limit, len(found))
            chosen = found.select(first)
            labels = [] if by is None else _first_values(chosen, by)
            groups = tuple(sorted({value for value in labels if value is not None}))
            numbers = {value: number for number, value in enumerate(groups)}
            return Points(
                total=len(found),
                groups=groups,
                keys=tuple(_keys(chosen)),
                x=tuple(chosen.numbers(x).tolist()),
                y=tuple(chosen.numbers(y).tolist()),
                group=tuple(None if value is None else numbers[value] for value in labels or [None] * len(chosen)),
                is_known=is_known_at(then.table, selection, at),
            )

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets | None:
        if isinstance(when, Window):
            window = whole_slots(when)
            with self._in(selection.org_id, window) as table:
                if table is None:
                    return None
                try:
                    takes_numbers = takes_listing(selection, keys)
                    found = (_with_numbers_in if takes_numbers else _seen_in)(table, selection, window)
                    facets = tuple(window_facet_of(found, fold(key), limit, prefix) for key in keys)
                except NotKept:
                    return None
                return Facets(len(found), window, facets, is_known(table, selection, window))
        with self.at(selection.org_id, when) as then:
            if then is None:
                return None
            found = at_instant(then, selection)
            facets = tuple(facet_of(found, fold(key), limit, prefix) for key in keys)
            return Facets(len(found), None, facets, is_known_at(then.table, selection, when))

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion | None:
        slots = whole_slots(window)
        with self._in(org_id, slots) as table:
            return None if table is None else completion(_seen_in(table, Selection(org_id), slots), prefix, limit)

    def groups(
        self,
        selection: Selection,
        at: int,
        by: str,
        measures: Sequence[str],
        order: Order,
        limit: int,
        *,
        second: str | None = None,
        has_percentiles: bool = False,
        cpus: CpusOfHosts | None = None,
    ) -> Groups | None:
        """With `cpus`, CPU is in percent of all CPUs of a host."""
        with self.at(selection.org_id, at) as then:
            if then is None:
                return None
            found, known = at_instant(then, selection), is_known_at(then.table, selection, at)
            keys = (by,) if second is None else (by, second)
            return groups_of(found, keys, measures, order, limit, known, has_percentiles=has_percentiles, cpus=cpus)

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts | None:
        with self.at(selection.org_id, at) as then:
            if then is None:
                return None
            found = at_instant(then, selection)
            return hosts_of(found, at, measures, order, offset, limit, is_known_at(then.table, selection, at))

    def hosts_told(self, org_id: int, window: Window) -> tuple[dict[str, int], int]:
        """As far as the table reaches, and since when that is."""
        with self._table.reading(org_id) as table:
            told = {host.name: host.told_up_to(window.to_at) for host in table.hosts if host is not None}
            least = max(window.from_at, table.since, 1)
            return {name: at for name, at in told.items() if at >= least}, table.since

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree | None:
        with self.at(org_id, at) as then:
            if then is None:
                return None
            known = then.table.host_named(host)
            if known is None:
                return HostTree(0, (), is_known=False)
            total, members = _members(then, org_id, known)
            return HostTree(total, FamilyTree(members).whole(), known.has_told_in(at - REACH_SECONDS, at))

    def family(self, org_id: int, key: ProcessKey, at: int) -> tuple[Family | None] | None:
        """In a tuple, since there may be none."""
        with self.at(org_id, at) as then:
            if then is None:
                return None
            host = then.table.host_with_key(key.host_key)
            return (None if host is None else FamilyTree(_members(then, org_id, host)[1]).family(key),)

    def runs(
        self, org_id: int, process: ProcessSummary, window: Window, limit: int, *, without_arguments: bool = False
    ) -> tuple[Run, ...] | None:
        with self._in(org_id, window) as table:
            if table is None:
                return None
            return find_runs(table, process, window, limit, without_arguments=without_arguments)

    @contextmanager
    def _in(self, org_id: int, window: Window) -> Iterator[OrgTable | None]:
        with self._table.reading(org_id) as table:
            yield table if window.from_at >= table.since else None

    @contextmanager
    def at(self, org_id: int, at: int) -> Iterator[TableAt | None]:
        """Of an instant since which little was told: of older sightings no numbers are kept."""
        with self._table.reading(org_id) as table:
            is_covered = at - REACH_SECONDS >= table.since and at <= MAX_UINT32
            yield self._table_at(table, org_id, at) if is_covered else None

    def _table_at(self, table: OrgTable, org_id: int, at: int) -> TableAt | None:
        """What many ask about the same instant, as monitors do, is put together once as long as nothing is written."""
        key = self._table.writes, org_id, at
        last = self._last
        if last is None or last[0] != key:
            last = self._last = key, table_at(table, at)
        return last[1]


def whole_slots(window: Window) -> Window:
    return Window(
        window.from_at // _SLOT_SECONDS * _SLOT_SECONDS,
        window.to_at // _SLOT_SECONDS * _SLOT_SECONDS + _SLOT_SECONDS - 1,
    )


def _seen_in(table: OrgTable, selection: Selection, window: Window) -> Candidates:
    window = Window(max(window.from_at, 0), min(window.to_at, MAX_UINT32))
    return RowFilter(table, selection.search, selection.tags).accepted(all_in_window(table, window))


def _with_numbers_in(table: OrgTable, selection: Selection, window: Window) -> Candidates:
    """The same, with what searches compare. Raises NotKept."""
    found = seen_with_numbers(table, window)
    return RowFilter(table, selection.search, selection.tags).accepted(found)


def is_known_at(table: OrgTable, selection: Selection, at: int) -> bool:
    return is_known(table, selection, Window(at - REACH_SECONDS, at))


def _place_of(table: OrgTable, found: Candidates, key: ProcessKey) -> int:
    row = table.row_of(key)
    places: Array = np.flatnonzero(found.rows == (-1 if row is None else row))
    if not len(places):
        raise InvalidRequest("Invalid query parameter page[cursor]: its process is kept no longer")
    return int(places[0])


def processes_of(found: Candidates) -> tuple[ProcessAtInstant, ...]:
    """As they are shown."""
    numbers = unpacked(found.packed_numbers())
    return tuple(ProcessAtInstant(*one) for one in zip(found.summaries(), numbers, strict=True))


def _members(then: TableAt, org_id: int, host: Host) -> tuple[int, tuple[ProcessAtInstant, ...]]:
    """How many a host has, and them in the order of their starts."""
    found = at_instant(then, Selection(org_id), host)
    order = first_in_order(found, Order(), MAX_BRANCHES)
    return len(found), processes_of(found.select(order))


def _keys(found: Candidates) -> list[ProcessKey]:
    keys = found.column("key")
    hosts = [found.table.host(number).key for number in found.column("host").tolist()]
    return [
        ProcessKey(start, host, pid)
        for start, host, pid in zip(starts_of(keys).tolist(), hosts, pids_of(keys).tolist(), strict=True)
    ]


def _first_values(found: Candidates, by: str) -> list[str | None]:
    """Of each process the first of its values."""
    values = values_by(found, by)
    first: dict[int, str] = {}
    for code, number in zip(values.of_codes.tolist(), values.numbers.tolist(), strict=True):
        name = values.names[number]
        first[code] = min(first.get(code, name), name)
    return [first.get(code) for code in values.codes().tolist()]
