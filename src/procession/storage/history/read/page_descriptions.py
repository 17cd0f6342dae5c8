"""What the processes of one page are: described versions, remembered while the page is put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from procession.process import ProcessDescription, ProcessIdentity, ProcessKey, ProcessSummary
from procession.query import ProcessQuery
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import Rows, Select
from procession.storage.history.read.dictionaries import HostDictionary, TagDictionary
from procession.storage.history.read.long_command_lines import with_long
from procession.storage.history.read.newest_sighting import Candidate
from procession.storage.history.statements.descriptions import (
    DescriptionT,
    VersionKey,
    descriptions_in_key_range,
    descriptions_of,
    matching_in_key_range,
    matching_of_keys,
)
from procession.storage.history.statements.search_conditions import Filters
from procession.window import Window


class PageDescriptions(Generic[DescriptionT]):
    """Of one query, on one connection. Long command lines are read at the end, of those alone that are shown."""

    def __init__(
        self,
        connection: Connection,
        query: ProcessQuery,
        row: type[DescriptionT],
        tags: TagDictionary,
        hosts: HostDictionary,
    ) -> None:
        self._connection = connection
        self._rows: Rows = rows_of(connection)
        self._query = query
        self._row: type[DescriptionT] = row
        self._tags = tags
        self._hosts = hosts
        self._known: dict[VersionKey, DescriptionT] = {}

    def of_keys(self, keys: Sequence[ProcessKey]) -> Select[DescriptionT]:
        return descriptions_of(self._query.org_id, self._query.window, keys, self._row)

    def in_key_range(self, after: ProcessKey | None, upto: ProcessKey | None) -> Select[DescriptionT]:
        return descriptions_in_key_range(self._query.org_id, self._query.window, after, upto, self._row)

    def matching_in_key_range(
        self, filters: Filters, after: ProcessKey | None, upto: ProcessKey | None
    ) -> Select[DescriptionT]:
        return matching_in_key_range(filters, self._query.window, after, upto, self._row)

    def matching_of_keys(
        self, filters: Filters, keys: Sequence[ProcessKey], window: Window | None = None
    ) -> Select[DescriptionT]:
        """`window`: that of their sightings, where it is known to be shorter than that of the query."""
        return matching_of_keys(filters, window or self._query.window, keys, self._row)

    def remember(self, rows: Sequence[DescriptionT]) -> set[VersionKey]:
        """Which versions they are of."""
        described = {row.version_key: row for row in rows}
        self._known |= described
        return set(described)

    def summaries(self, candidates: Sequence[Candidate]) -> tuple[ProcessSummary, ...]:
        query = self._query
        missing = [one.key for one in candidates if one.version_key not in self._known]
        if missing:
            self.remember(self._rows(self.of_keys(missing)))
        shown = [one.version_key for one in candidates]
        whole = with_long({key: self._known[key] for key in shown if key in self._known}, self._whole)
        tags = self._tags.of(self._connection, query.org_id, (row.tag_set for row in whole.values()))
        hosts = self._hosts.of(self._connection, query.org_id, (one.host for one in candidates))
        summaries = []
        for one, key in zip(candidates, shown, strict=True):
            row = whole.get(key)
            # Past the retention the engine drops tables apart from each other; inside, none of these is ever missing.
            description = ProcessDescription() if row is None else row.description(tags.get(row.tag_set, ()))
            identity = ProcessIdentity(hosts.get(one.host, ""), one.pid, one.start)
            summaries.append(ProcessSummary(identity, one.seen_at, description))
        return tuple(summaries)

    def _whole(self, keys: Sequence[ProcessKey], versions: Sequence[int]) -> Sequence[DescriptionT]:
        return self._rows(
            descriptions_of(
                self._query.org_id, self._query.window, keys, self._row, is_shortened=False, versions=versions
            )
        )
