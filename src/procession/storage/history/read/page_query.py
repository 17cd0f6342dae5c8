"""One page of processes: their keys and the newest sighting of each in the window, and what they were then.

Without filters, a stretch of the order is read from `presence` and `descriptions` at once. With filters,
`descriptions` or the hosts' snapshots say which processes may fit, and `presence` which of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeVar

import msgspec

from procession.paging import Page
from procession.process import ProcessDescription, ProcessIdentity, ProcessKey, ProcessSummary
from procession.query import ProcessQuery
from procession.search.pattern import Pattern
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import Aside, First, Statement
from procession.storage.history.read import dictionaries, process_statements
from procession.storage.history.read.dictionaries import Names
from procession.storage.history.read.filters import Filters, filters_of, required_host, with_tag_sets_looked_up
from procession.storage.history.read.key_samples import KeySamples
from procession.storage.history.read.long_texts import with_long, without_long
from procession.storage.history.read.newest_sighting import Candidate, Columns, newest_of, newest_tick, ticks_span
from procession.storage.history.tables import constants
from procession.window import Window

_T = TypeVar("_T")
_MOST_NAMED = 20_000
"""Processes in one statement."""

_SHORT_SECONDS = 6 * 3600
"""The snapshots of a host in so long are read faster than its processes are looked up."""

_FAR_TOO_FAR = 2
"""A stretch with so many times what is wanted was guessed badly: the rest of it is left for later."""

_FEW_SHOWN = 0.1
"""Where no more processes are shown for each row that is read, their texts are looked up once it is known which."""

_FEW_ROWS, _FEW_MATCHES = 1000, 200
_MORE = 4
"""Where what was read did not fit, go on with so many times as much."""

_ORDER = "start, host, pid"

_LIVE_SECONDS = 2
"""A window that ends no earlier than so long ago is taken for one that nothing was seen after."""


class Sources(msgspec.Struct, frozen=True):
    """What finders share."""

    tags: Names
    hosts: Names
    marks: KeySamples
    aside: Aside
    sightings_since: Callable[[], int]
    """From when on snapshots are kept."""


class PageQuery:
    """One query, on one connection."""

    def __init__(self, connection: Connection, sources: Sources, query: ProcessQuery, *, now: int) -> None:
        self._connection = connection
        self._sources = sources
        self._query = query
        self._is_past = query.window.to_at < now - _LIVE_SECONDS
        self._texts = dictionaries.BRIEF if query.is_brief else dictionaries.ALL
        self._columns_read = without_long(self._texts.columns)
        self._described: dict[tuple[int, int, int, int], Any] = {}
        """Start, host key, pid and version -> a row of dictionaries."""

    @cached_property
    def _filters(self) -> Filters:
        return self._filters_now()

    def _filters_now(self) -> Filters:
        """With the sets of tags that there are by now: for versions that were read since the query began."""
        query = self._query
        return with_tag_sets_looked_up(filters_of(query.org_id, query.search, query.tags), self._rows)

    @cached_property
    def _about(self) -> int:
        """A number for how many of the rows are wanted: of a short window in the past it is but a few. What was learned
        of a window holds for others about as long."""
        query = self._query
        doublings = (query.window.to_at - query.window.from_at).bit_length()
        return hash((query.org_id, query.search, query.tags, doublings, self._is_past))

    def page(self) -> Page:
        query = self._query
        if query.only is not None:
            found = self._fitting_only(query.only)
        elif query.search is None and not query.tags.conditions:
            found = self._along_the_order()
        elif (host := required_host(query.search, query.tags)) and self._is_all_on(host):
            found = self._on_host(host)
        else:
            found = self._among_what_fits()
        return Page(self._summaries(found[: query.limit]))

    def _along_the_order(self) -> list[Candidate]:
        query, marks, about = self._query, self._sources.marks, self._about
        found: list[Candidate] = []
        after = query.after
        fewest = _FEW_ROWS
        while len(found) < query.limit:
            wanted = self._wanted(found)
            most = max(_FAR_TOO_FAR * wanted, fewest)
            fewest *= _MORE
            upto, row_count = self._reach(after, wanted)
            candidates, is_cut = self._described_between(after, upto, most)
            if is_cut:
                upto = candidates[-1].key
                row_count = self._row_count(after, upto)
            some = self._closed(candidates)
            marks.learn(about, row_count, len(some))
            found += some
            if upto is None:
                break
            after = upto
        return found

    def _fitting_only(self, key: ProcessKey) -> list[Candidate]:
        if self._query.after is not None and key <= self._query.after:
            return []
        statement = process_statements.descriptions(self._query.org_id, self._query.window, [key], self._columns_read)
        described = self._sources.aside(statement)
        try:
            found = self._seen_of_keys([key])
        finally:
            self._remember(described.result())
        if found and self._filters.condition != "true":
            statement = process_statements.matching_of_keys(
                self._filters_now(), self._query.window, [key], self._columns_read
            )
            fits = self._remember(self._rows(statement))
            found = [one for one in found if (one.start, one.host, one.pid, one.version) in fits]
        return found

    def _described_between(
        self, after: ProcessKey | None, upto: ProcessKey | None, most: int
    ) -> tuple[list[Candidate], bool]:
        """As `_seen_between`, with their texts at the same time, unless few of the stretch are in the window."""
        if self._sources.marks.share(self._about) < _FEW_SHOWN:
            return self._seen_between(after, upto, most)
        query = self._query
        statement = process_statements.texts_between(query.org_id, query.window, after, upto, self._columns_read)
        described = self._sources.aside(replace(statement, first=First(_ORDER, most)))
        try:
            return self._seen_between(after, upto, most)
        finally:
            self._remember(described.result())

    def _among_what_fits(self) -> list[Candidate]:
        query, marks, about = self._query, self._sources.marks, self._about
        found: list[Candidate] = []
        after = query.after
        row_count = 0.0
        fewest = _FEW_MATCHES
        # Of a filter that nothing is known of, the first that fit are asked for by their order, wherever they are; what
        # is rare is found at once that way. The same where what fits turns out not to be spread as it was.
        is_far = not marks.knows(about)
        while len(found) < query.limit:
            wanted = self._wanted(found)
            most = max(wanted + wanted // 4, fewest)
            upto = None if is_far else self._reach(after, wanted)[0]
            upto, some = self._fitting_between(after, upto, most)
            found += some
            if upto is None:
                break
            row_count += self._row_count(after, upto)
            after = upto
            fewest *= _MORE if is_far else 1
            is_far = True
        # Of a stretch that holds many in one place, no more than the page: so the same page reaches as far again.
        marks.learn(about, row_count, min(len(found), query.limit))
        return found

    def _fitting_between(
        self, after: ProcessKey | None, upto: ProcessKey | None, most: int
    ) -> tuple[ProcessKey | None, list[Candidate]]:
        """The processes that fit after one key, up to another (None: to the end) or to as many as are wanted, and up to
        where these are all."""
        query = self._query
        statement = process_statements.matching_between(self._filters, query.window, after, upto, self._columns_read)
        rows = self._rows(replace(statement, first=First(_ORDER, most, is_far=True)))
        if len(rows) >= most:
            upto = max(ProcessKey(*row[:3]) for row in rows)
        return upto, self._newest_among(self._remember(rows))

    def _on_host(self, host: Pattern) -> list[Candidate]:
        """From its snapshots, which lie together, as `presence` and `descriptions` have it nowhere together."""
        query = self._query
        rows = self._rows(process_statements.newest_on_host(self._filters, host, query.window, query.after))
        newest = sorted((Candidate(*row) for row in rows), key=lambda candidate: candidate.key)
        found: list[Candidate] = []
        filters = self._filters_now()
        for some in _slices(newest, query.limit + 100):
            window = Window(min(one.known for one in some), max(one.known for one in some))
            keys = [one.key for one in some]
            matching = self._rows(process_statements.matching_of_keys(filters, window, keys, self._columns_read))
            fits = self._remember(matching)
            found += [one for one in some if (one.start, one.host, one.pid, one.version) in fits]
            if len(found) >= query.limit:
                break
        return found

    def _is_all_on(self, host: Pattern) -> bool:
        """Whether all that fits is in the host's snapshots: few and kept, and with its tag on no other process."""
        window = self._query.window
        is_short = window.to_at - window.from_at <= _SHORT_SECONDS
        is_kept = window.from_at >= self._sources.sightings_since()
        return is_short and is_kept and not self._rows(process_statements.has_tag(self._query.org_id, host.text))

    def _wanted(self, found: list[Candidate]) -> int:
        """So many processes more, and no few: each time costs something."""
        limit = self._query.limit
        return max(limit - len(found), limit // 4)

    def _reach(self, after: ProcessKey | None, wanted: int) -> tuple[ProcessKey | None, float]:
        query = self._query
        hours = process_statements.hours_of(query.window)
        return self._sources.marks.reach(self._rows, query.org_id, hours, after, wanted, self._about)

    def _row_count(self, after: ProcessKey | None, upto: ProcessKey) -> float:
        query = self._query
        return self._sources.marks.row_count(
            self._rows, query.org_id, process_statements.hours_of(query.window), after, upto
        )

    def _newest_among(self, fits: set[tuple[int, int, int, int]]) -> list[Candidate]:
        """Of versions that fit, by start, host key, pid and version, the processes of which one was the newest in the
        window."""
        keys = sorted({ProcessKey(*key[:3]) for key in fits})
        found: list[Candidate] = []
        for some in _slices(keys, _MOST_NAMED):
            found += self._seen_of_keys(some)
        # Another version is the newest where it does not fit; or where it came since what fits was read.
        others = [one.key for one in found if (one.start, one.host, one.pid, one.version) not in fits]
        filters = self._filters_now() if others else self._filters
        for changed in _slices(others, _MOST_NAMED):
            statement = process_statements.matching_of_keys(filters, self._query.window, changed, self._columns_read)
            fits |= self._remember(self._rows(statement))
        return [one for one in found if (one.start, one.host, one.pid, one.version) in fits]

    def _remember(self, rows: Sequence[Any]) -> set[tuple[int, int, int, int]]:
        """Start, host key, pid and version of each."""
        described = {(row[0], row[1], row[2], row[3]): row for row in rows}
        self._described |= described
        return set(described)

    def _seen_between(
        self, after: ProcessKey | None, upto: ProcessKey | None, most: int
    ) -> tuple[list[Candidate], bool]:
        """The processes of a stretch, to be closed, and whether there may be more after the last of them."""
        query = self._query
        statement = partial(process_statements.seen_between, query.org_id, query.window, after, upto)
        return self._newest(statement, First(_ORDER, most * len(process_statements.hours_of(query.window))))

    def _seen_of_keys(self, keys: Sequence[ProcessKey]) -> list[Candidate]:
        found, _ = self._newest(partial(process_statements.seen_of_keys, self._query.org_id, self._query.window, keys))
        wanted = set(keys)
        return [one for one in self._closed(found) if one.key in wanted]

    def _newest(self, seen: Callable[..., Statement], first: First | None = None) -> tuple[list[Candidate], bool]:
        """In order, and whether there were as many rows as there may be. The slots are read where sightings go on after
        the window: of a window that ends now, hardly ever."""
        window = self._query.window
        columns = self._columns(replace(seen(with_slots=self._is_past), first=first))
        if not self._is_past and (columns["last"] > window.to_at).any():
            columns = self._columns(replace(seen(with_slots=True), first=first))
        return newest_of(columns, window), first is not None and len(columns["start"]) >= first.count

    def _closed(self, candidates: list[Candidate]) -> list[Candidate]:
        """Those that were seen in the window, with the newest sighting there."""
        open_ones = [candidate for candidate in candidates if candidate.open_slots]
        if not open_ones:
            return [candidate for candidate in candidates if candidate.known]
        ticks = self._ticks(open_ones)
        closed = {
            candidate.key: newest_tick(candidate, self._query.window, ticks.get(candidate.host, {}))
            for candidate in open_ones
        }
        unclear = [candidate for candidate in open_ones if closed[candidate.key] is None]
        if unclear:
            closed |= self._from_truth(unclear)
        newest = (closed.get(candidate.key, candidate) for candidate in candidates)
        return [candidate for candidate in newest if candidate is not None and candidate.known]

    def _ticks(self, candidates: list[Candidate]) -> dict[int, dict[int, list[int]]]:
        """Host key -> slot -> moments."""
        query = self._query
        since, until = ticks_span(candidates, query.window)
        hosts = {candidate.host for candidate in candidates}
        ticks: dict[int, dict[int, list[int]]] = {}
        for host, at in self._rows(process_statements.ticks(query.org_id, since, until, hosts)):
            slot = at % constants.HOUR_SECONDS // constants.SLOT_SECONDS
            ticks.setdefault(host, {}).setdefault(slot, []).append(at)
        return ticks

    def _from_truth(self, candidates: list[Candidate]) -> dict[ProcessKey, Candidate | None]:
        query = self._query
        statement = process_statements.newest_sightings(
            query.org_id, query.window, [candidate.key for candidate in candidates]
        )
        newest = {
            ProcessKey(start, host, pid): (at, version) for start, host, pid, at, version in self._rows(statement)
        }
        closed: dict[ProcessKey, Candidate | None] = {}
        for candidate in candidates:
            at, version = newest.get(candidate.key, (0, 0))
            if at <= candidate.known:
                at, version = candidate.known, candidate.version
            closed[candidate.key] = msgspec.structs.replace(candidate, known=at, version=version, open_slots=())
        return closed

    def _summaries(self, candidates: list[Candidate]) -> tuple[ProcessSummary, ...]:
        query, described, place = self._query, self._described, self._texts.tag_set
        missing = [one.key for one in candidates if (one.start, one.host, one.pid, one.version) not in described]
        if missing:
            statement = process_statements.descriptions(query.org_id, query.window, missing, self._columns_read)
            self._remember(self._rows(statement))
        shown = [(one.start, one.host, one.pid, one.version) for one in candidates]
        whole = with_long({key: described[key] for key in shown if key in described}, self._whole)
        rows = [whole.get(key) for key in shown]
        tags = self._sources.tags.of(self._connection, query.org_id, (row[place] for row in rows if row))
        hosts = self._sources.hosts.of(self._connection, query.org_id, (one.host for one in candidates))
        summaries = []
        for one, row in zip(candidates, rows, strict=True):
            # Past the retention the engine drops tables apart from each other; inside, none of these is ever missing.
            description = self._texts.description(row, tags.get(row[place], ())) if row else ProcessDescription()
            identity = ProcessIdentity(hosts.get(one.host, ""), one.pid, one.start)
            summaries.append(ProcessSummary(identity, one.known, description))
        return tuple(summaries)

    def _whole(self, keys: Sequence[ProcessKey], versions: Sequence[int]) -> Sequence[Any]:
        query = self._query
        return self._rows(
            process_statements.descriptions(query.org_id, query.window, keys, self._texts.columns, versions)
        )

    def _rows(self, statement: Statement) -> Sequence[Any]:
        return rows_of(self._connection)(statement)

    def _columns(self, statement: Statement) -> Columns:
        table = self._connection.run_arrow(statement)
        return {name: table[name].to_numpy() for name in table.column_names}


def _slices(items: list[_T], size: int) -> Iterable[list[_T]]:
    return (items[index : index + size] for index in range(0, len(items), size))
