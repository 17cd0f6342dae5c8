"""What every question about many processes needs: a connection, and what the numbers in the tables stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from procession.analysis import REACH_SECONDS, InstantPin, ProcessAtInstant, Selection
from procession.process import ProcessDescription, ProcessIdentity, ProcessKey, ProcessNumbers, ProcessSummary
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import RowT, Select, Statement, Submit, SubmitTable
from procession.storage.history.instants.columns.endings_reader import EndingsReader
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.columns.instant_reader import InstantReader
from procession.storage.history.instants.columns.label_sets import LabelSetCaches, LabelSets
from procession.storage.history.instants.columns.selection_filters import hosts_named, is_known_between
from procession.storage.history.read.dictionaries import HostDictionary, TagDictionary
from procession.storage.history.read.long_command_lines import with_long
from procession.storage.history.statements.descriptions import VersionKey, WholeDescription, descriptions_of
from procession.storage.history.statements.presence import any_presence
from procession.storage.history.statements.snapshots import numbers_at
from procession.window import Window


class QueryContext:
    """Of one question: a connection, and the caches that all questions share."""

    def __init__(
        self,
        connection: Connection,
        caches: QueryCaches,
        org_id: int,
        now: int,
        submit: Submit,
        submit_table: SubmitTable,
        *,
        sightings_since: int,
        presence_until: Callable[[int], None],
    ) -> None:
        """`presence_until`: sees to it that all of it is written up to a moment, before it is read."""
        self.connection = connection
        self.now = now
        self._sightings_since = sightings_since
        self.org_id = org_id
        self.presence_until = presence_until
        self._caches = caches
        self.submit = submit
        self.submit_table = submit_table

    def rows(self, statement: Select[RowT]) -> Sequence[RowT]:
        return rows_of(self.connection)(statement)

    def table(self, statement: Statement) -> pa.Table:
        return self.connection.run_arrow(statement)

    def instant(
        self,
        selection: Selection,
        at: int,
        columns: Collection[str],
        *,
        hosts: Collection[int] | None = None,
        pin: InstantPin | None = None,
        kept: ProcessKey | None = None,
    ) -> Instant:
        """See `InstantReader.read`."""
        return self._caches.instants.read(self, selection, at, columns, hosts=hosts, pin=pin, kept=kept)

    def instants_together(self, wanted: Sequence[tuple[Selection, int]], columns: Collection[str]) -> list[Instant]:
        """Of several selections, each at an instant of its own, as of one moment of the store."""
        return self._caches.instants.read_together(self, wanted, columns)

    def instants(self, selection: Selection, moments: Sequence[int], columns: Collection[str]) -> Iterator[Instant]:
        """Of ascending moments."""
        return self._caches.instants.read_many(self, selection, moments, columns)

    def is_known(self, selection: Selection, when: Window | int) -> bool:
        """Whether any host that the selection names told of its processes in the window, or for the instant."""
        window = when if isinstance(when, Window) else Window(when - REACH_SECONDS, when)
        if is_known_between(self.table, selection, window.from_at, window.to_at):
            return True
        if window.from_at >= self._sightings_since:
            return False
        hosts = hosts_named(self.table, selection)
        self.presence_until(min(window.to_at, self._sightings_since))  # what waits is among the sightings
        return bool(len(self.table(any_presence(self.org_id, window, hosts))))

    def host_names(self, hosts: Any) -> dict[int, str]:
        return self._caches.hosts.of(self.connection, self.org_id, _integers(hosts))

    def label_sets(self, numbers: Any) -> LabelSets:
        """Of these numbers, each of which is there once."""
        return self._caches.label_sets.of(self.table, self.org_id, np.asarray(numbers, np.uint64))

    def tags(self, tag_sets: Collection[int]) -> Mapping[int, tuple[str, ...]]:
        """Of each of these sets that is known."""
        return self._caches.tags.of(self.connection, self.org_id, set(tag_sets))

    def descriptions(
        self, keys: Sequence[ProcessKey], versions: Sequence[int], window: Window
    ) -> list[ProcessDescription]:
        """What these processes are as these versions, one for each; the window is that of their sightings."""
        if not keys:
            return []
        read = {row.version_key: row for row in self.rows(descriptions_of(self.org_id, window, keys, WholeDescription))}
        wanted = [
            VersionKey(key.started_at, key.host_key, key.pid, version)
            for key, version in zip(keys, versions, strict=True)
        ]
        rows = with_long(
            {key: read[key] for key in wanted if key in read},
            lambda some, some_versions: self.rows(
                descriptions_of(self.org_id, window, some, WholeDescription, is_shortened=False, versions=some_versions)
            ),
        )
        tags = self.tags({row.tag_set for row in rows.values()})
        described = {key: row.description(tags.get(row.tag_set, ())) for key, row in rows.items()}
        return [described.get(key, ProcessDescription()) for key in wanted]

    def processes_at(self, instant: Instant, rows: Any) -> tuple[ProcessAtInstant, ...]:
        """These rows of an instant, with all that is known of them."""
        keys = instant.keys(rows)
        if not keys:
            return ()
        seen_at = instant.columns["seen_at"][rows].tolist()
        sightings = list(zip(keys, seen_at, strict=True))
        numbers = self.submit(numbers_at(self.org_id, sightings))
        try:
            window = Window(min(seen_at), max(seen_at))
            descriptions = self.descriptions(keys, instant.columns["version"][rows].tolist(), window)
            hosts = self.host_names(instant.columns["host"][rows])
        finally:
            used_by = {(one.key, one.at): one.numbers for one in numbers.result()}
        found = []
        for (key, at), description in zip(sightings, descriptions, strict=True):
            identity = ProcessIdentity(hosts.get(key.host_key, ""), key.pid, key.started_at)
            used = used_by.get((key, at), ProcessNumbers())
            found.append(ProcessAtInstant(ProcessSummary(identity, at, description), used))
        return tuple(found)


class QueryCaches:
    """What stays the same for ever, or is checked before it is used: shared by all questions."""

    def __init__(self, tags: TagDictionary, hosts: HostDictionary, endings: EndingsReader) -> None:
        self.tags = tags
        self.hosts = hosts
        self.label_sets = LabelSetCaches()
        self.instants = InstantReader(endings)


def _integers(values: Any) -> list[int]:
    found: list[int] = np.unique(np.asarray(values)).tolist() if isinstance(values, np.ndarray) else list(values)
    return found
