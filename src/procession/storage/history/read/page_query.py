"""One page of processes: their keys and the newest sighting of each in the window, and what they were then.

Without filters, a key range is read from `presence` and `descriptions` at once. With filters, `descriptions` or the
hosts' snapshots say which processes may fit, and `presence` which of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from procession.paging import Page
from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.search.pattern import Pattern
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import First, Rows, Submit
from procession.storage.history.read.dictionaries import HostDictionary, TagDictionary
from procession.storage.history.read.key_samples import KeySamples
from procession.storage.history.read.newest_sighting import Candidate
from procession.storage.history.read.page_descriptions import PageDescriptions
from procession.storage.history.read.presence_reader import KEY_ORDER, PresenceReader
from procession.storage.history.statements.conditions import hours_of
from procession.storage.history.statements.descriptions import BriefDescription, VersionKey, WholeDescription
from procession.storage.history.statements.named_hosts import required_host
from procession.storage.history.statements.search_conditions import Filters, filters_of
from procession.storage.history.statements.snapshots import seen_on_host
from procession.storage.history.statements.tag_sets import any_tag_set_with, with_tag_sets_looked_up
from procession.window import Window

_T = TypeVar("_T")
_MOST_NAMED = 20_000
"""Processes in one statement."""

_SHORT_SECONDS = 6 * 3600
"""The snapshots of a host in so long are read faster than its processes are looked up."""

_FAR_TOO_FAR = 2
"""A key range with so many times what is wanted was guessed badly: the rest of it is left for later."""

_FEW_SHOWN = 0.1
"""Where no more processes are shown for each row that is read, their descriptions are looked up once it is known
which."""

_FEW_ROWS, _FEW_MATCHES = 1000, 200
_MORE = 4
"""Where what was read did not fit, go on with so many times as much."""

_LIVE_SECONDS = 2
"""A window that ends no earlier than so long ago is taken for one that nothing was seen after."""


class Sources(msgspec.Struct, frozen=True):
    """What all queries share."""

    tags: TagDictionary
    hosts: HostDictionary
    key_samples: KeySamples
    submit: Submit
    sightings_since: Callable[[], int]
    """From when on snapshots are kept."""


class PageQuery:
    """One query, on one connection."""

    def __init__(self, connection: Connection, sources: Sources, query: ProcessQuery, *, now: int) -> None:
        self._rows: Rows = rows_of(connection)
        self._sources = sources
        self._samples = sources.key_samples
        self._query = query
        self._is_past = query.window.to_at < now - _LIVE_SECONDS
        self._presence = PresenceReader(connection, query, is_past=self._is_past)
        row: Any = BriefDescription if query.is_brief else WholeDescription
        self._descriptions = PageDescriptions(connection, query, row, sources.tags, sources.hosts)

    def page(self) -> Page:
        query = self._query
        if query.only is not None:
            found = self._only_process(query.only)
        elif query.search is None and not query.tags.conditions:
            found = self._page_by_key_ranges()
        elif (host := required_host(query.search, query.tags)) and self._is_all_on(host):
            found = self._on_host(host)
        else:
            found = self._page_of_matches()
        return Page(self._descriptions.summaries(found[: query.limit]))

    # One process

    def _only_process(self, key: ProcessKey) -> list[Candidate]:
        if self._query.after is not None and key <= self._query.after:
            return []
        described = self._sources.submit(self._descriptions.of_keys([key]))
        try:
            found = self._presence.of_keys([key])
        finally:
            self._descriptions.remember(described.result())
        if found and not self._filters.is_any:
            fits = self._matching_versions(self._filters_now(), [key])
            found = [one for one in found if one.version_key in fits]
        return found

    # Without filters

    def _page_by_key_ranges(self) -> list[Candidate]:
        query = self._query
        found: list[Candidate] = []
        after = query.after
        fewest = _FEW_ROWS
        while len(found) < query.limit:
            wanted = self._wanted(found)
            most = max(_FAR_TOO_FAR * wanted, fewest)
            fewest *= _MORE
            upto, row_count = self._end_of_range(after, wanted)
            candidates, is_cut = self._candidates_between(after, upto, most)
            if is_cut:
                upto = candidates[-1].key
                row_count = self._row_count(after, upto)
            some = self._presence.resolved(candidates)
            self._samples.learn(self._filter_key, row_count, len(some))
            found += some
            if upto is None:
                break
            after = upto
        return found

    def _candidates_between(
        self, after: ProcessKey | None, upto: ProcessKey | None, most: int
    ) -> tuple[list[Candidate], bool]:
        """As `PresenceReader.in_key_range`, with their descriptions at the same time, unless few of the range are in
        the window."""
        if self._samples.share(self._filter_key) < _FEW_SHOWN:
            return self._presence.in_key_range(after, upto, most)
        statement = self._descriptions.in_key_range(after, upto)
        described = self._sources.submit(replace(statement, first=First(KEY_ORDER, most)))
        try:
            return self._presence.in_key_range(after, upto, most)
        finally:
            self._descriptions.remember(described.result())

    # With filters

    @cached_property
    def _filters(self) -> Filters:
        return self._filters_now()

    def _filters_now(self) -> Filters:
        """With the sets of tags that there are by now: for versions that were read since the query began."""
        query = self._query
        return with_tag_sets_looked_up(filters_of(query.org_id, query.search, query.tags), self._rows)

    def _page_of_matches(self) -> list[Candidate]:
        query = self._query
        found: list[Candidate] = []
        after = query.after
        row_count = 0.0
        fewest = _FEW_MATCHES
        # Of a filter that nothing is known of, the first that fit are asked for by their order, wherever they are; what
        # is rare is found at once that way. The same where what fits turns out not to be spread as it was.
        is_far = not self._samples.has_learned(self._filter_key)
        while len(found) < query.limit:
            wanted = self._wanted(found)
            most = max(wanted + wanted // 4, fewest)
            upto = None if is_far else self._end_of_range(after, wanted)[0]
            upto, some = self._matches_between(after, upto, most)
            found += some
            if upto is None:
                break
            row_count += self._row_count(after, upto)
            after = upto
            fewest *= _MORE if is_far else 1
            is_far = True
        # Of a key range that holds many in one spot, no more than the page: so the same page reaches as far again.
        self._samples.learn(self._filter_key, row_count, min(len(found), query.limit))
        return found

    def _matches_between(
        self, after: ProcessKey | None, upto: ProcessKey | None, most: int
    ) -> tuple[ProcessKey | None, list[Candidate]]:
        """The processes that fit after one key, up to another (None: to the end) or to as many as are wanted, and up to
        where these are all."""
        statement = self._descriptions.matching_in_key_range(self._filters, after, upto)
        rows = self._rows(replace(statement, first=First(KEY_ORDER, most, is_far=True)))
        if len(rows) >= most:
            upto = max(row.version_key.key for row in rows)
        return upto, self._newest_among(self._descriptions.remember(rows))

    def _newest_among(self, fits: set[VersionKey]) -> list[Candidate]:
        """Of versions that fit, the processes of which one was the newest in the window."""
        keys = sorted({one.key for one in fits})
        found: list[Candidate] = []
        for some in _slices(keys, _MOST_NAMED):
            found += self._presence.of_keys(some)
        # Another version is the newest where it does not fit; or where it came since what fits was read.
        others = [one.key for one in found if one.version_key not in fits]
        filters = self._filters_now() if others else self._filters
        for changed in _slices(others, _MOST_NAMED):
            fits |= self._matching_versions(filters, changed)
        return [one for one in found if one.version_key in fits]

    def _matching_versions(self, filters: Filters, keys: Sequence[ProcessKey]) -> set[VersionKey]:
        """Of these processes."""
        return self._descriptions.remember(self._rows(self._descriptions.matching_of_keys(filters, keys)))

    # On one host

    def _is_all_on(self, host: Pattern) -> bool:
        """Whether all that fits is in the host's snapshots: few and kept, and with its tag on no other process."""
        window = self._query.window
        is_short = window.to_at - window.from_at <= _SHORT_SECONDS
        is_kept = window.from_at >= self._sources.sightings_since()
        return is_short and is_kept and not self._rows(any_tag_set_with(self._query.org_id, host.text))

    def _on_host(self, host: Pattern) -> list[Candidate]:
        """From its snapshots, which lie together, as `presence` and `descriptions` have it nowhere together."""
        query = self._query
        rows = self._rows(seen_on_host(query.org_id, host, query.window, query.after))
        newest = sorted((Candidate(*row) for row in rows), key=lambda candidate: candidate.key)
        found: list[Candidate] = []
        filters = self._filters_now()
        for some in _slices(newest, query.limit + 100):
            window = Window(min(one.seen_at for one in some), max(one.seen_at for one in some))
            statement = self._descriptions.matching_of_keys(filters, [one.key for one in some], window)
            fits = self._descriptions.remember(self._rows(statement))
            found += [one for one in some if one.version_key in fits]
            if len(found) >= query.limit:
                break
        return found

    # How far to read

    @cached_property
    def _filter_key(self) -> int:
        """A number for how many of the rows are wanted: of a short window in the past it is but a few. What was learned
        of a window holds for others about as long."""
        query = self._query
        doublings = (query.window.to_at - query.window.from_at).bit_length()
        return hash((query.org_id, query.search, query.tags, doublings, self._is_past))

    def _wanted(self, found: Sequence[Candidate]) -> int:
        """So many processes more, and no few: each time costs something."""
        limit = self._query.limit
        return max(limit - len(found), limit // 4)

    def _end_of_range(self, after: ProcessKey | None, wanted: int) -> tuple[ProcessKey | None, float]:
        query = self._query
        return self._samples.end_of_range(
            self._rows, query.org_id, hours_of(query.window), after, wanted, self._filter_key
        )

    def _row_count(self, after: ProcessKey | None, upto: ProcessKey) -> float:
        query = self._query
        return self._samples.row_count(self._rows, query.org_id, hours_of(query.window), after, upto)


def _slices(items: list[_T], size: int) -> Iterable[list[_T]]:
    return (items[index : index + size] for index in range(0, len(items), size))
