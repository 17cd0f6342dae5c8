"""One org of a store, as a test speaks of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from procession.process import ProcessKey, ProcessSummary, Snapshot
from procession.query import MAX_LIMIT, ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.storage import ProcessStore
from procession.window import Window
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores.strategies import HOUR, TURN_OF_HOUR

STARTED = TURN_OF_HOUR - 20 * HOUR
"""When processes started, where it does not matter."""

EARLY, LATE = TURN_OF_HOUR - 2 * HOUR, TURN_OF_HOUR + 2 * HOUR
"""The window, where it does not matter."""


@dataclass
class Fleet:
    store: ProcessStore
    org: int
    _requests: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    _held: list[Snapshot] | None = None

    def add(self, *snapshots: Snapshot) -> None:
        if self._held is None:
            self.store.add([(self.org, snapshot) for snapshot in snapshots])
        else:
            self._held += snapshots

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is added within is stored in one group, as what arrives at a server at the same moment."""
        self._held = []
        yield
        held, self._held = self._held, None
        self.add(*held)

    def see(self, *moments: int, host: str = "web-1", pid: int = 7, started_at: int = STARTED, **fields: Any) -> None:
        """Sightings of one process at these moments."""
        for at in moments:
            sighting = a_sighting(pid, started_at, **fields)
            self.add(a_snapshot(sighting, host=host, taken_at=at, request_id=next(self._requests)))

    def find(
        self,
        from_at: int = EARLY,
        to_at: int = LATE,
        *,
        search: str = "",
        tags: str = "",
        after: ProcessKey | None = None,
        limit: int = MAX_LIMIT,
        only: ProcessKey | None = None,
    ) -> tuple[ProcessSummary, ...]:
        window = Window(from_at, to_at)
        query = ProcessQuery(self.org, window, parse_search(search), TagFilter.parse(tags), after, limit, only=only)
        return self.store.find(query).processes

    def pids(self, from_at: int = EARLY, to_at: int = LATE, *, search: str = "", tags: str = "") -> list[int]:
        return sorted(process.identity.pid for process in self.find(from_at, to_at, search=search, tags=tags))

    def scan(self, from_at: int = EARLY, to_at: int = LATE, *, limit: int, search: str = "") -> list[ProcessSummary]:
        """All pages, each full but the last."""
        found: list[ProcessSummary] = []
        after = None
        while True:
            page = self.find(from_at, to_at, search=search, after=after, limit=limit)
            found += page
            if len(page) < limit:
                return found
            after = ProcessKey.of(page[-1].identity)
