"""One page of processes: their keys and the newest sighting of each in the window, and what they were then.

Without filters, a stretch of the order is read from `seen` and `what` at once. With filters, `what` or the hosts'
snapshots say which processes may fit, and `seen` which of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import msgspec

from procession.paging import Page
from procession.process import ProcessDescription, ProcessIdentity, ProcessKey, ProcessSummary
from procession.query import ProcessQuery
from procession.storage import schema, sql, texts
from procession.storage.engine import Connection, rows_of
from procession.storage.marks import Marks
from procession.storage.resolve import Candidate, Columns, complete_before, newest_of, newest_tick, ticks_span
from procession.storage.texts import Names

_T = TypeVar("_T")
_MAX_BATCH = 200_000
_LIVE_SECONDS = 2
"""A window that ends no earlier than so long ago is taken for one that nothing was seen after."""


class Sources(msgspec.Struct, frozen=True):
    """What finders share."""

    tags: Names
    hosts: Names
    marks: Marks
    aside: Callable[[sql.Statement], Future[Sequence[Any]]]
    """Reads rows on another connection, at the same time."""


class Finder:
    """One query, on one connection."""

    def __init__(self, connection: Connection, sources: Sources, query: ProcessQuery, *, now: int) -> None:
        self._connection = connection
        self._sources = sources
        self._query = query
        self._is_past = query.window.to_at < now - _LIVE_SECONDS
        self._texts = texts.BRIEF if query.is_brief else texts.ALL
        self._described: dict[tuple[int, int, int, int], Any] = {}
        """Start, host key, pid and version -> a row of texts."""

    def page(self) -> Page:
        if self._query.search is None and not self._query.tags.conditions:
            found = self._along_the_order()
        else:
            found = self._among_what_fits()
        return Page(self._summaries(found[: self._query.limit]))

    def _along_the_order(self) -> list[Candidate]:
        query, marks = self._query, self._sources.marks
        buckets = sql.buckets_of(query.window)
        found: list[Candidate] = []
        after = query.after
        while len(found) < query.limit:
            upto, row_count = marks.reach(self._rows, query.org_id, buckets, after, query.limit - len(found))
            described = self._sources.aside(
                sql.texts_between(query.org_id, query.window, after, upto, self._texts.columns)
            )
            try:
                some = self._seen_between(after, upto)
            finally:
                rows = described.result()
            self._described |= {tuple(row[:4]): row for row in rows}
            marks.learn(query.org_id, row_count, len(some))
            found += some
            if upto is None:
                break
            after = upto
        return found

    def _seen_between(self, after: ProcessKey | None, upto: ProcessKey | None) -> list[Candidate]:
        query = self._query
        if not self._is_past:
            rows = self._rows(sql.newest_between(query.org_id, query.window, after, upto))
            if not any(goes_on for *_, goes_on in rows):
                return sorted(
                    (
                        Candidate(start, host, pid, version, known)
                        for start, host, pid, version, known, _ in rows
                        if known
                    ),
                    key=lambda candidate: candidate.key,
                )
        return self._closed(newest_of(self._columns(sql.seen_between(query.org_id, query.window, after, upto))))

    def _among_what_fits(self) -> list[Candidate]:
        query = self._query
        found: list[Candidate] = []
        after = query.after
        limit = query.limit + query.limit // 5 + 50
        while len(found) < query.limit:
            rows = self._columns(sql.matching_keys(query.org_id, query.window, query.search, query.tags, after, limit))
            rows, after = complete_before(rows, limit)
            for candidates in self._fitting(rows):
                found += candidates
                if len(found) >= query.limit:
                    break
            if after is None:
                break
            limit = min(limit * 2, _MAX_BATCH)
        return found

    def _fitting(self, rows: Columns) -> Iterator[list[Candidate]]:
        """Of versions that fit, the processes of which one was the newest in the window."""
        query = self._query
        matching = set(zip(*(rows[name].tolist() for name in ("start", "host", "pid", "version")), strict=True))
        keys = [ProcessKey(*key) for key in sorted({key[:3] for key in matching})]
        for some in _slices(keys, query.limit + 100):  # what is found out of each is not found out in vain
            seen = self._columns(sql.seen_of_keys(query.org_id, query.window, some))
            newest = self._closed(newest_of(seen))
            yield [item for item in newest if (item.start, item.host, item.pid, item.version) in matching]

    def _closed(self, candidates: list[Candidate]) -> list[Candidate]:
        """Those that were seen in the window, with the newest sighting there."""
        open_ones = [candidate for candidate in candidates if candidate.open_slots]
        if not open_ones:
            return candidates
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
        for host, at in self._rows(sql.ticks(query.org_id, since, until, hosts)):
            slot = at % schema.BUCKET_SECONDS // schema.SLOT_SECONDS
            ticks.setdefault(host, {}).setdefault(slot, []).append(at)
        return ticks

    def _from_truth(self, candidates: list[Candidate]) -> dict[ProcessKey, Candidate | None]:
        query = self._query
        statement = sql.newest_sightings(query.org_id, query.window, [candidate.key for candidate in candidates])
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
        query, described, place = self._query, self._described, self._texts.tagset
        missing = [one.key for one in candidates if (one.start, one.host, one.pid, one.version) not in described]
        if missing:
            statement = sql.descriptions(query.org_id, query.window, missing, self._texts.columns)
            described |= {tuple(row[:4]): row for row in self._rows(statement)}
        rows = [described.get((one.start, one.host, one.pid, one.version)) for one in candidates]
        tags = self._sources.tags.of(self._connection, query.org_id, (row[place] for row in rows if row))
        hosts = self._sources.hosts.of(self._connection, query.org_id, (one.host for one in candidates))
        summaries = []
        for one, row in zip(candidates, rows, strict=True):
            # Past the retention the engine drops tables apart from each other; inside, none of these is ever missing.
            description = self._texts.description(row, tags.get(row[place], ())) if row else ProcessDescription()
            identity = ProcessIdentity(hosts.get(one.host, ""), one.pid, one.start)
            summaries.append(ProcessSummary(identity, one.known, description))
        return tuple(summaries)

    def _rows(self, statement: sql.Statement) -> Sequence[Any]:
        return rows_of(self._connection)(statement)

    def _columns(self, statement: sql.Statement) -> Columns:
        table = self._connection.query_arrow(statement.text, statement.parameters)
        return {name: table[name].to_numpy() for name in table.column_names}


def _slices(items: list[_T], size: int) -> Iterable[list[_T]]:
    return (items[index : index + size] for index in range(0, len(items), size))
