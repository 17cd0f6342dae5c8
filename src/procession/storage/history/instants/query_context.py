"""What every question about many processes needs: a connection, and what the numbers in the tables stand for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from procession.analysis import REACH_SECONDS, ProcessAtInstant, Selection
from procession.process import ProcessDescription, ProcessIdentity, ProcessKey, ProcessNumbers, ProcessSummary
from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import Aside, Statement
from procession.storage.history.instants import analysis_statements as statements
from procession.storage.history.instants.instant import Instant, InstantReader, hosts_named, is_known_between
from procession.storage.history.read import process_statements
from procession.storage.history.read.details import numbers_of
from procession.storage.history.read.dictionaries import Names, description_of
from procession.storage.history.read.label_sets import LabelSetCaches, LabelSets
from procession.storage.history.read.long_texts import with_long, without_long
from procession.window import Window


class Session:
    """One connection, and what numbers stand for."""

    def __init__(
        self, connection: Connection, books: Books, org_id: int, now: int, aside: Aside, *, sightings_since: int
    ) -> None:
        self.connection = connection
        self.now = now
        self._sightings_since = sightings_since
        self.org_id = org_id
        self._books = books
        self.aside = aside

    def rows(self, statement: Statement) -> Sequence[Any]:
        return rows_of(self.connection)(statement)

    def table(self, statement: Statement) -> pa.Table:
        return self.connection.run_arrow(statement)

    def instant(
        self, selection: Selection, at: int, columns: Collection[str], *, hosts: Collection[int] | None = None
    ) -> Instant:
        return self._books.instants.read(self.table, selection, at, columns, hosts=hosts)

    def instants_together(self, wanted: Sequence[tuple[Selection, int]], columns: Collection[str]) -> list[Instant]:
        """Of several selections, each at an instant of its own, as of one moment of the store."""
        return self._books.instants.read_together(self.table, wanted, columns)

    def instants(self, selection: Selection, moments: Sequence[int], columns: Collection[str]) -> Iterator[Instant]:
        """Of ascending moments."""
        return self._books.instants.read_many(self.table, selection, moments, columns)

    def is_known(self, selection: Selection, when: Window | int) -> bool:
        """Whether any host that the selection names told of its processes in the window, or for the instant."""
        window = when if isinstance(when, Window) else Window(when - REACH_SECONDS, when)
        if is_known_between(self.table, selection, window.from_at, window.to_at):
            return True
        if window.from_at >= self._sightings_since:
            return False
        hosts = hosts_named(self.table, selection)
        return bool(self.rows(statements.any_seen(self.org_id, window, hosts)))

    def host_names(self, hosts: Any) -> dict[int, str]:
        return self._books.hosts.of(self.connection, self.org_id, _integers(hosts))

    def label_sets(self, numbers: Any) -> LabelSets:
        """Of these numbers, each of which is there once."""
        return self._books.label_sets.of(self.table, self.org_id, np.asarray(numbers, np.uint64))

    def descriptions(
        self, keys: Sequence[ProcessKey], versions: Sequence[int], window: Window
    ) -> list[ProcessDescription]:
        """What these processes are as these versions, one for each; the window is that of their sightings."""
        if not keys:
            return []
        statement = process_statements.descriptions(
            self.org_id, window, keys, without_long(process_statements.ALL_TEXTS)
        )
        read = {(row[0], row[1], row[2], row[3]): row for row in self.rows(statement)}
        wanted = [(*key_of, version) for key_of, version in zip(map(_place, keys), versions, strict=True)]
        rows = with_long(
            {key: read[key] for key in wanted if key in read},
            lambda some, some_versions: self.rows(
                process_statements.descriptions(self.org_id, window, some, process_statements.ALL_TEXTS, some_versions)
            ),
        )
        tags = self._books.tags.of(self.connection, self.org_id, {row[16] for row in rows.values()})
        found = []
        for key in wanted:
            row = rows.get(key)
            found.append(ProcessDescription() if row is None else description_of(row, tags.get(row[16], ())))
        return found

    def placed(self, instant: Instant, rows: Any) -> tuple[ProcessAtInstant, ...]:
        """These rows of an instant, with all that is known of them."""
        keys = instant.keys(rows)
        if not keys:
            return ()
        seen_at = instant.columns["seen_at"][rows].tolist()
        window = Window(min(seen_at), max(seen_at))
        numbers = self.aside(_numbers(self.org_id, keys, seen_at))
        try:
            descriptions = self.descriptions(keys, instant.columns["version"][rows].tolist(), window)
            hosts = self.host_names(instant.columns["host"][rows])
        finally:
            used_by = _numbers_of(keys, seen_at, numbers.result())
        found = []
        for key, at, about, used in zip(keys, seen_at, descriptions, used_by, strict=True):
            identity = ProcessIdentity(hosts.get(key.host_key, ""), key.pid, key.started_at)
            found.append(ProcessAtInstant(ProcessSummary(identity, at, about), used))
        return tuple(found)


def _numbers(org_id: int, keys: Sequence[ProcessKey], moments: Sequence[int]) -> Statement:
    return process_statements.numbers(org_id, list(zip(moments, (key.host_key for key in keys), strict=True)), keys)


def _numbers_of(keys: Sequence[ProcessKey], moments: Sequence[int], rows: Sequence[Any]) -> list[ProcessNumbers]:
    """What each of these used at its sighting."""
    found = {(at, ProcessKey(start, host, pid)): values for at, host, pid, start, *values in rows}
    values = (found.get(place) for place in zip(moments, keys, strict=True))
    return [ProcessNumbers() if row is None else numbers_of(row) for row in values]


class Books:
    """What stays the same for ever, or is checked before it is used: shared by all sessions."""

    def __init__(self, tags: Names, hosts: Names) -> None:
        self.tags = tags
        self.hosts = hosts
        self.label_sets = LabelSetCaches()
        self.instants = InstantReader()


def _place(key: ProcessKey) -> tuple[int, int, int]:
    return key.started_at, key.host_key, key.pid


def _integers(values: Any) -> list[int]:
    found: list[int] = np.unique(np.asarray(values)).tolist() if isinstance(values, np.ndarray) else list(values)
    return found
