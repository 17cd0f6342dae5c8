"""The live table as a store, for the questions of the contract that it answers."""

from __future__ import annotations

from collections.abc import Sequence

from procession.lifecycle.events import ProcessExits
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.query import ProcessQuery
from procession.storage.live.table import LiveTable


class LiveStore:
    """Of everything that was ever added, so that no question is beyond it."""

    def __init__(self, table: LiveTable | None = None) -> None:
        self.table = table or LiveTable(0)

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        self.table.apply(snapshots)

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        self.table.add_exits(exits)

    def find(self, query: ProcessQuery) -> Page:
        page = self.table.find(query)
        assert page is not None, "the window is not covered"
        return page
