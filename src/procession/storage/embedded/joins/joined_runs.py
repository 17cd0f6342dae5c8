"""Other runs of a command, of windows that begin before the live table reaches: the history has those that were seen
last before, and how they ended; the live table has the rest."""

from __future__ import annotations

from procession.analysis import Run
from procession.process import ProcessKey, ProcessSummary
from procession.storage import AnalysisStore
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.live.instants.runs import NEXT_SNAPSHOT_SECONDS, count_runs, find_runs
from procession.storage.live.pages import places_seen
from procession.storage.live.table import LiveTable
from procession.window import Window

_TRIES = 4
"""So often the history is asked, for four times as many each time: what it has may have been seen again since, as
another command."""


class JoinedRuns:
    """For any number of threads."""

    def __init__(self, live: LiveTable, history: AnalysisStore, queue: FlushQueue) -> None:
        self._live = live
        self._history = history
        self._queue = queue

    def runs(
        self, org_id: int, process: ProcessSummary, window: Window, limit: int, *, without_arguments: bool = False
    ) -> tuple[Run, ...] | None:
        """As `AnalysisStore.runs`. None where the history has to answer alone, with all that waits."""
        put_count, waits_since = self._queue.put_count, self._queue.since(org_id)
        cut = self._live.since_of(org_id)
        # How a run ended is looked for after it.
        known_until = cut + NEXT_SNAPSHOT_SECONDS
        if waits_since is None or waits_since < known_until or not window.from_at < cut <= window.to_at:
            return None
        before, recent_window = Window(window.from_at, cut - 1), Window(cut, window.to_at)
        with self._live.reading(org_id) as table:
            wanted = limit + count_runs(table, process, recent_window, without_arguments=without_arguments)
        for _ in range(_TRIES):
            past = self._history.runs(org_id, process, before, wanted, without_arguments=without_arguments)
            with self._live.reading(org_id) as table:
                recent = (
                    None
                    if table.since > cut
                    else find_runs(table, process, recent_window, limit, without_arguments=without_arguments)
                )
                seen = places_seen(table, recent_window, [_key(run) for run in past])
            if recent is None or seen is None or self._queue.has_come_late(org_id, known_until, put_count):
                return None
            older = [run for place, run in enumerate(past) if place not in seen]
            if len(past) < wanted or len(older) >= limit:
                found = sorted((*recent, *older), key=_key, reverse=True)
                return tuple(found[:limit])
            wanted *= 4
        return None


def _key(run: Run) -> ProcessKey:
    return ProcessKey.of(run.process.identity)
