"""One page of processes: their keys and the newest sighting of each in the window, and what they were then.

One statement says which processes there were and when each was seen, so that all of a page is as of one moment,
whatever is stored meanwhile: of a key range of `presence`, of those in it that have a version in `descriptions` that
fits, or of one host's snapshots. Where it turns out not to reach far enough, it is asked again from the beginning. What
processes are is stored before they are seen, and so it is read after that.
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
from procession.search.named_hosts import required_host
from procession.search.pattern import Pattern
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import First, Rows, Submit
from procession.storage.history.read.dictionaries import HostDictionary, TagDictionary
from procession.storage.history.read.key_samples import KeySamples
from procession.storage.history.read.newest_sighting import Candidate
from procession.storage.history.read.page_descriptions import PageDescriptions
from procession.storage.history.read.presence_reader import KEY_ORDER, KeyRange, PresenceReader
from procession.storage.history.statements.conditions import hours_of
from procession.storage.history.statements.descriptions import BriefDescription, WholeDescription
from procession.storage.history.statements.search_conditions import Filters, filters_of
from procession.storage.history.statements.snapshots import seen_on_host
from procession.storage.history.statements.tag_sets import any_tag_set_with, with_tag_sets_looked_up
from procession.window import Window

_T = TypeVar("_T")
_SHORT_SECONDS = 6 * 3600
"""The snapshots of a host in so long are read faster than its processes are looked up."""

_FAR_TOO_FAR = 2
"""A key range with so many times what is wanted was guessed badly: the rest of it is left for later."""

_FEW_SHOWN = 0.1
"""Where no more processes are shown for each row that is read, their descriptions are looked up once it is known
which."""

_FEW_ROWS, _FEW_MATCHES = 1000, 200
_MORE = 4
"""Where what was read was not enough, read so many times as much."""

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
    presence_until: Callable[[int], None]
    """Sees to it that all of it is written up to a moment."""
    host_tags: set[tuple[int, str]]
    """Org and `host:` tag, of which processes turned out to carry it besides those of the host."""


class PageQuery:
    """One query, on one connection."""

    def __init__(self, connection: Connection, sources: Sources, query: ProcessQuery, *, now: int) -> None:
        self._rows: Rows = rows_of(connection)
        self._sources = sources
        self._samples = sources.key_samples
        self._query = query
        self._is_past = query.window.to_at < now - _LIVE_SECONDS
        self._presence = PresenceReader(connection, query, sources.presence_until, is_past=self._is_past)
        row: Any = BriefDescription if query.is_brief else WholeDescription
        self._descriptions = PageDescriptions(connection, query, row, sources.tags, sources.hosts)

    def page(self) -> Page:
        query = self._query
        if query.only is not None:
            found = self._only_process(query.only)
        elif query.search is None and not query.tags.conditions:
            found = self._page_by_key_ranges()
        else:
            host = required_host(query.search, query.tags)
            on_host = self._on_host(host) if host and self._may_be_all_on(host) else None
            found = self._page_of_matches() if on_host is None else on_host
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
        filters = self._filters_now()
        return found if filters.is_any else self._newest_matching(found, filters)

    # Without filters

    def _page_by_key_ranges(self) -> list[Candidate]:
        query = self._query
        found: list[Candidate] = []
        after = query.after
        read_before, fewest = 0, _FEW_ROWS
        while len(found) < query.limit:
            wanted = self._wanted(found)
            most = read_before + max(_FAR_TOO_FAR * wanted, fewest) * len(hours_of(query.window))
            fewest *= _MORE
            upto, row_count = self._end_of_range(after, wanted)
            key_range = self._candidates_upto(after, upto, most)
            read_before = key_range.row_count
            if read_before >= most and key_range.last is not None:
                upto = key_range.last
                row_count = self._row_count(after, upto)
            self._samples.learn(self._filter_key, row_count, max(len(key_range.found) - len(found), 0))
            found = key_range.found
            if upto is None:
                break
            after = upto
        return found

    def _candidates_upto(self, after: ProcessKey | None, upto: ProcessKey | None, most: int) -> KeyRange:
        """As `PresenceReader.upto`; with descriptions at the same time, of those after another key, unless few of them
        are in the window."""
        if self._samples.share(self._filter_key) < _FEW_SHOWN:
            return self._presence.upto(upto, most)
        statement = self._descriptions.in_key_range(after, upto)
        described = self._sources.submit(replace(statement, first=First(KEY_ORDER, most)))
        try:
            return self._presence.upto(upto, most)
        finally:
            self._descriptions.remember(described.result())

    # With filters

    def _filters_now(self) -> Filters:
        """With the sets of tags that there are by now."""
        query = self._query
        return with_tag_sets_looked_up(filters_of(query.org_id, query.search, query.tags), self._rows)

    def _page_of_matches(self) -> list[Candidate]:
        query = self._query
        most = max(query.limit + query.limit // 4, _FEW_MATCHES)
        # Of a filter that nothing is known of, the first that fit are asked for by their order, wherever they are. The
        # same where what fits turns out not to be spread as it was.
        upto = None
        if self._samples.has_learned(self._filter_key):
            upto, _ = self._end_of_range(query.after, query.limit)
            if upto is None:
                return self._all_matches()
        while True:
            upto, found = self._first_matches(upto, most)
            self._learn(upto, len(found))
            if upto is None or len(found) >= query.limit:
                return found
            upto, most = None, most * _MORE

    def _all_matches(self) -> list[Candidate]:
        """Where few fit: all at once, so that texts are searched once."""
        candidates, filters = self._with_matching_versions(None, None)
        found = self._newest_matching(candidates, filters)
        self._learn(found[-1].key if len(found) >= self._query.limit else None, len(found))
        return found

    def _learn(self, upto: ProcessKey | None, found: int) -> None:
        """Of a key range that holds many in one spot, no more than the page: so the same page reaches as far again."""
        row_count = self._row_count(self._query.after, upto)
        self._samples.learn(self._filter_key, row_count, min(found, self._query.limit))

    def _first_matches(self, upto: ProcessKey | None, most: int) -> tuple[ProcessKey | None, list[Candidate]]:
        """The processes that fit up to a key (None: to the end) or up to so many versions, and up to where these are
        all."""
        candidates, filters = self._with_matching_versions(upto, most)
        statement = self._descriptions.matching_in_key_range(filters, self._query.after, upto)
        rows = self._rows(replace(statement, first=First(KEY_ORDER, most, is_far=True)))
        if len(rows) >= most:
            # With those that came since, they reach no further than those of which it was read who was seen.
            upto = max(row.version_key.key for row in rows)
        fits = self._descriptions.remember(rows)
        return upto, [one for one in candidates if one.version_key in fits and (upto is None or one.key <= upto)]

    def _with_matching_versions(self, upto: ProcessKey | None, most: int | None) -> tuple[list[Candidate], Filters]:
        """Processes that were seen in the window and have one of the first versions that fit (None: of all), which need
        not be the newest; and filters for what they are."""
        filters = self._filters_now()
        while True:
            candidates = self._presence.of_matching(filters, upto, most)
            newer = self._filters_now()
            if newer == filters:
                return candidates, filters
            filters = newer  # of a set of tags that came since there may be processes

    def _newest_matching(self, candidates: list[Candidate], filters: Filters) -> list[Candidate]:
        """Those of which the newest version fits, as many as are wanted."""
        found: list[Candidate] = []
        for some in _slices(candidates, self._query.limit + 100):
            window = Window(min(one.seen_at for one in some), max(one.seen_at for one in some))
            statement = self._descriptions.matching_of_keys(filters, [one.key for one in some], window)
            fits = self._descriptions.remember(self._rows(statement))
            found += [one for one in some if one.version_key in fits]
            if len(found) >= self._query.limit:
                break
        return found

    # On one host

    def _may_be_all_on(self, host: Pattern) -> bool:
        """Whether all that fits may be in the host's snapshots: few and kept."""
        window = self._query.window
        is_short = window.to_at - window.from_at <= _SHORT_SECONDS
        is_kept = window.from_at >= self._sources.sightings_since()
        return is_short and is_kept and (self._query.org_id, host.text) not in self._sources.host_tags

    def _on_host(self, host: Pattern) -> list[Candidate] | None:
        """From its snapshots, which lie together, as `presence` and `descriptions` have it nowhere together. None where
        any other process may have its tag: that can be said once they were read."""
        query = self._query
        rows = self._rows(seen_on_host(query.org_id, host, query.window, query.after))
        if self._rows(any_tag_set_with(query.org_id, host.text)):
            self._sources.host_tags.add((query.org_id, host.text))
            return None
        newest = sorted((Candidate(*row) for row in rows), key=lambda candidate: candidate.key)
        return self._newest_matching(newest, self._filters_now())

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

    def _row_count(self, after: ProcessKey | None, upto: ProcessKey | None) -> float:
        query = self._query
        return self._samples.row_count(self._rows, query.org_id, hours_of(query.window), after, upto)


def _slices(items: list[_T], size: int) -> Iterable[list[_T]]:
    return (items[index : index + size] for index in range(0, len(items), size))
