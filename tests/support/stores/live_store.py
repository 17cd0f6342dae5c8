"""The live table as a store: what it does not answer yet, or never will, the oracle answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from procession.lifecycle.events import ProcessExits
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.process import Ending, LiveSnapshot, ProcessDetail, ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.storage.live.table import LiveTable
from procession.window import Window
from tests.support.stores.oracle import OracleStore


class LiveStore(OracleStore):
    """A live table that was told of everything, so that no question is beyond it."""

    def __init__(self, table: LiveTable | None = None) -> None:
        super().__init__()
        self.table = table or LiveTable(0)
        self.now: int | None = None
        """What the clock says when something comes."""

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        super().add(snapshots)
        self.table.apply(snapshots, self.now)

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        super().add_exits(exits)
        self.table.add_exits(exits)

    def find(self, query: ProcessQuery) -> Page:
        page = self.table.find(replace(query, window=_after_the_beginning(query.window)))
        assert page is not None, "the window is not covered"
        return page

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        super().add_live(live)
        self.table.add_live(live)

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        of_oracle = super().sightings_of(live)
        found = self.table.sightings_of(live)
        return tuple(other if one is None else one for one, other in zip(found, of_oracle, strict=True))

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
        of_oracle = super().unknown_exits(exits)
        found = self.table.unknown_exits(exits)
        return tuple(other if one is None else one for one, other in zip(found, of_oracle, strict=True))

    def details(self, org_id: int, window: Window, processes: Sequence[ProcessSummary]) -> tuple[ProcessDetail, ...]:
        found = self.table.details(org_id, window, processes)
        return super().details(org_id, window, processes) if found is None else found

    def endings(self, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...]:
        found = self.table.endings(org_id, until, seen)
        return super().endings(org_id, until, seen) if found is None else found


def _after_the_beginning(window: Window) -> Window:
    """Nothing was before moment 0."""
    return Window(max(window.from_at, 0), window.to_at)
