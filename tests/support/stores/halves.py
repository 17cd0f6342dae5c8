"""A live table and a history that has only some of what was taken, without log or engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from procession.lifecycle.events import ProcessExits
from procession.packed import pack
from procession.paging import Page
from procession.process import LiveSnapshot, Snapshot
from procession.query import ProcessQuery
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.embedded.joins.joined_comparison import JoinedComparison
from procession.storage.embedded.joins.joined_counts import JoinedCounts
from procession.storage.embedded.joins.joined_curves import JoinedCurves
from procession.storage.embedded.joins.joined_endings import JoinedEndings
from procession.storage.embedded.joins.joined_intake import JoinedIntake
from procession.storage.embedded.joins.joined_pages import JoinedPages
from procession.storage.embedded.joins.joined_runs import JoinedRuns
from procession.storage.embedded.joins.joined_timeseries import JoinedTimeSeries
from procession.storage.live.instants.analysis import LiveAnalysis
from procession.storage.live.table import LiveTable
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.compared_past import OraclePast
from tests.support.stores.oracle import OracleStore

ORG = 1


def _nothing() -> None:
    pass


class Halves:
    """`whole` has all; `history`, an oracle as well, what was flushed."""

    def __init__(self, fleet: Sequence[Snapshot], since: int, flushed: int) -> None:
        """The history has the first so many chunks, and all that was taken before the live table reaches, `since`."""
        self.whole, self.history = OracleStore(), OracleStore()
        self.live = LiveTable(0)
        self.queue = FlushQueue(max_weight=10**6, max_characters=10**9)
        self.on_question: Callable[[], None] = _nothing
        """Called once, when the history is asked."""
        self.presence_since: int | None = None
        """From when on the history would have to write presence first."""
        self.pages = JoinedPages(self.live, self._find, self.queue.since)
        self.curves = JoinedCurves(self.live, OracleAnalysis(self.history), self.queue)
        self.endings = JoinedEndings(self.live, self.history, self.queue.since)
        self.counts = JoinedCounts(self.live, OracleAnalysis(self.history), self.queue, lambda: self.presence_since)
        self.runs = JoinedRuns(self.live, OracleAnalysis(self.history), self.queue)
        self.instants = LiveAnalysis(self.live)
        self.series = JoinedTimeSeries(self.instants, OracleAnalysis(self.history), self.queue)
        past = OraclePast(OracleAnalysis(self.history), self.history)
        self.comparison = JoinedComparison(self.instants, past, self.queue)
        self.intake = JoinedIntake(self.live, self.history, self.queue)
        self._sequence = 0
        old = [one for index, one in enumerate(fleet) if index < flushed or one.taken_at < since]
        self.add(*old)
        self.flush(len(old))
        self.live.expire(since)
        self.add(*(one for index, one in enumerate(fleet) if index >= flushed and one.taken_at >= since))

    def add(self, *snapshots: Snapshot) -> None:
        for one in snapshots:
            self._sequence += 1
            self.whole.add([(ORG, one)])
            self.queue.put(self._sequence, ORG, pack(one))
            self.live.apply([(ORG, pack(one))], needed_since=self.queue.since(ORG))

    def add_exits(self, exits: ProcessExits) -> None:
        self._sequence += 1
        self.whole.add_exits([(ORG, exits)])
        self.live.add_exits([(ORG, exits)])
        self.queue.put(self._sequence, ORG, exits)

    def add_live(self, live: LiveSnapshot) -> None:
        self.whole.add_live([(ORG, live)])
        self.live.add_live([(ORG, live)])
        self.queue.put_live(ORG, live)

    def flush(self, count: int) -> None:
        """So many of what waits, the first ones first."""
        for _ in range(count):
            piece = self.queue.first(1, 0, until=self._sequence)
            self.history.add_exits(piece.exits)
            self.history.add_live(piece.live)
            self.history.add(piece.snapshots)
            self.queue.drop(piece.items)

    def _find(self, query: ProcessQuery) -> Page:
        called, self.on_question = self.on_question, _nothing
        called()
        return self.history.find(query)
