"""Who was there in the window of a query, with the newest sighting there of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import msgspec

from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import First, Rows, Statement
from procession.storage.history.read.newest_sighting import (
    Candidate,
    Columns,
    deciding_span,
    newest_of,
    resolve_by_slots,
)
from procession.storage.history.statements.conditions import hours_of
from procession.storage.history.statements.presence import presence_in_key_range, presence_of_keys
from procession.storage.history.statements.snapshots import newest_sightings, snapshot_moments
from procession.storage.history.tables.constants import HOUR_SECONDS, SLOT_SECONDS

KEY_ORDER = "start, host, pid"


class PresenceReader:
    """For one query, on one connection."""

    def __init__(self, connection: Connection, query: ProcessQuery, *, is_past: bool) -> None:
        """`is_past`: whether there may be sightings after the window."""
        self._connection = connection
        self._rows: Rows = rows_of(connection)
        self._query = query
        self._is_past = is_past

    def in_key_range(
        self, after: ProcessKey | None, upto: ProcessKey | None, most: int
    ) -> tuple[list[Candidate], bool]:
        """The processes after one key, up to another, to be resolved, and whether there may be more after the last of
        them."""
        query = self._query
        statement = partial(presence_in_key_range, query.org_id, query.window, after, upto)
        return self._newest(statement, First(KEY_ORDER, most * len(hours_of(query.window))))

    def of_keys(self, keys: Sequence[ProcessKey]) -> list[Candidate]:
        """Those of these processes that were seen in the window."""
        found, _ = self._newest(partial(presence_of_keys, self._query.org_id, self._query.window, keys))
        wanted = set(keys)
        return [one for one in self.resolved(found) if one.key in wanted]

    def resolved(self, candidates: list[Candidate]) -> list[Candidate]:
        """Those that were seen in the window, with the newest sighting there."""
        unresolved = [candidate for candidate in candidates if candidate.open_slots]
        if not unresolved:
            return [candidate for candidate in candidates if candidate.seen_at]
        moments = self._moments_by_slot(unresolved)
        resolved = {
            candidate.key: resolve_by_slots(candidate, self._query.window, moments.get(candidate.host, {}))
            for candidate in unresolved
        }
        unclear = [candidate for candidate in unresolved if resolved[candidate.key] is None]
        if unclear:
            resolved |= self._from_snapshots(unclear)
        newest = (resolved.get(candidate.key, candidate) for candidate in candidates)
        return [candidate for candidate in newest if candidate is not None and candidate.seen_at]

    def _newest(self, presence: Callable[..., Statement], first: First | None = None) -> tuple[list[Candidate], bool]:
        """In order, and whether there were as many rows as there may be. The slots are read where sightings go on after
        the window: of a window that ends now, hardly ever."""
        window = self._query.window
        columns = self._columns(replace(presence(with_slots=self._is_past), first=first))
        if not self._is_past and (columns["last"] > window.to_at).any():
            columns = self._columns(replace(presence(with_slots=True), first=first))
        return newest_of(columns, window), first is not None and len(columns["start"]) >= first.count

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
