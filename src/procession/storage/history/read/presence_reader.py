"""Who was there in the window of a query, with the newest sighting there of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import msgspec

from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import First, Rows, Statement
from procession.storage.history.read.newest_sighting import (
    Candidate,
    Columns,
    are_same,
    deciding_span,
    newest_of,
    resolve_by_slots,
)
from procession.storage.history.statements.presence import presence_in_key_range, presence_of_keys, presence_of_matching
from procession.storage.history.statements.search_conditions import Filters
from procession.storage.history.statements.snapshots import newest_sightings, snapshot_moments
from procession.storage.history.tables.constants import HOUR_SECONDS, SLOT_SECONDS

KEY_ORDER = "start, host, pid"


class KeyRange(NamedTuple):
    found: list[Candidate]
    """Those that were seen in the window, with the newest sighting there, in order."""
    row_count: int
    """From how many rows."""
    last: ProcessKey | None
    """Of all that may have been seen there."""


class PresenceReader:
    """For one query, on one connection."""

    def __init__(
        self, connection: Connection, query: ProcessQuery, presence_until: Callable[[int], None], *, is_past: bool
    ) -> None:
        """`presence_until`: sees to it that all is written up to a moment. `is_past`: whether there may be sightings
        after the window."""
        self._connection = connection
        self._rows: Rows = rows_of(connection)
        self._presence_until = presence_until
        self._query = query
        self._is_past = is_past

    def upto(self, upto: ProcessKey | None, most: int) -> KeyRange:
        """Up to a key. If it was read from so many rows, there may be more after the last of them."""
        query = self._query
        statement = partial(presence_in_key_range, query.org_id, query.window, query.after, upto)
        return self._read(statement, First(KEY_ORDER, most))

    def of_keys(self, keys: Sequence[ProcessKey]) -> list[Candidate]:
        """Those of these processes that were seen in the window."""
        wanted = set(keys)
        found = self._read(partial(presence_of_keys, self._query.org_id, self._query.window, keys)).found
        return [one for one in found if one.key in wanted]

    def of_matching(self, filters: Filters, upto: ProcessKey | None, most: int | None) -> list[Candidate]:
        """Those up to a key that were seen in the window and have one of the first so many versions that fit (None: of
        all)."""
        query = self._query
        return self._read(partial(presence_of_matching, filters, query.window, query.after, upto, most)).found

    def _read(self, presence: Callable[..., Statement], first: First | None = None) -> KeyRange:
        candidates, row_count = self._newest(presence, first)
        while True:
            found, is_sure = self._resolved(candidates)
            last = candidates[-1].key if candidates else None
            if is_sure:
                break
            # What the snapshots told of some may be as of later: if so, it is for all.
            before = candidates
            candidates, row_count = self._newest(presence, first)
            if are_same(candidates, before, self._query.window):
                break
        return KeyRange(found, row_count, last)

    def _resolved(self, candidates: list[Candidate]) -> tuple[list[Candidate], bool]:
        """Those that were seen in the window, with the newest sighting there, and whether all of that was said by what
        these were read from."""
        unresolved = [candidate for candidate in candidates if candidate.open_slots]
        if not unresolved:
            return [candidate for candidate in candidates if candidate.seen_at], True
        moments = self._moments_by_slot(unresolved)
        resolved = {
            candidate.key: resolve_by_slots(candidate, self._query.window, moments.get(candidate.host, {}))
            for candidate in unresolved
        }
        unclear = [candidate for candidate in unresolved if resolved[candidate.key] is None]
        if unclear:
            resolved |= self._from_snapshots(unclear)
        newest = (resolved.get(candidate.key, candidate) for candidate in candidates)
        found = [candidate for candidate in newest if candidate is not None and candidate.seen_at]
        return found, not unclear

    def _newest(self, presence: Callable[..., Statement], first: First | None) -> tuple[list[Candidate], int]:
        """In order, and from how many rows. The slots are read where sightings go on after the window: of a window that
        ends now, hardly ever."""
        window = self._query.window
        self._presence_until(window.to_at)
        columns = self._columns(replace(presence(with_slots=self._is_past), first=first))
        if not self._is_past and (columns["last"] > window.to_at).any():
            columns = self._columns(replace(presence(with_slots=True), first=first))
        return newest_of(columns, window), len(columns["start"])

    def _moments_by_slot(self, candidates: Iterable[Candidate]) -> dict[int, dict[int, list[int]]]:
        """Host key -> slot -> moments of snapshots."""
        since, until = deciding_span(candidates, self._query.window)
        hosts = {candidate.host for candidate in candidates}
        moments: dict[int, dict[int, list[int]]] = {}
        for host, at in self._rows(snapshot_moments(self._query.org_id, since, until, hosts)):
            slot = at % HOUR_SECONDS // SLOT_SECONDS
            moments.setdefault(host, {}).setdefault(slot, []).append(at)
        return moments

    def _from_snapshots(self, candidates: Sequence[Candidate]) -> dict[ProcessKey, Candidate | None]:
        query = self._query
        statement = newest_sightings(query.org_id, query.window, [candidate.key for candidate in candidates])
        newest = {row.key: row for row in self._rows(statement)}
        found_there: dict[ProcessKey, Candidate | None] = {}
        for candidate in candidates:
            found = newest.get(candidate.key)
            seen_at, version = candidate.seen_at, candidate.version
            if found is not None and found.at > seen_at:
                seen_at, version = found.at, found.version
            found_there[candidate.key] = msgspec.structs.replace(
                candidate, seen_at=seen_at, version=version, open_slots=()
            )
        return found_there

    def _columns(self, statement: Statement) -> Columns:
        table = self._connection.run_arrow(statement)
        return {name: table[name].to_numpy() for name in table.column_names}
