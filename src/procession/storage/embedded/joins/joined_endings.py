"""How processes did and ended that were seen last before anything waited for its flush: the history knows what they
were, the live table what was told of their hosts since."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from procession.process import Ending, ProcessDetail, ProcessKey, ProcessSummary
from procession.storage import DetailStore
from procession.storage.live.endings import ending_of_known, ending_since, has_news, known_details
from procession.storage.live.org_table import OrgTable
from procession.storage.live.table import LiveTable
from procession.window import Window


class JoinedEndings:
    """For any number of threads."""

    def __init__(self, live: LiveTable, history: DetailStore, waits_since: Callable[[int], int | None]) -> None:
        """`waits_since`: of an org, the earliest moment that anything tells of which the history does not have yet."""
        self._live = live
        self._history = history
        self._waits_since = waits_since

    def details(
        self, org_id: int, window: Window, processes: Sequence[ProcessSummary]
    ) -> tuple[ProcessDetail, ...] | None:
        """As `DetailStore.details`. None where the history has to answer alone, with all that waits."""
        cut = self._waits_since(org_id)
        if cut is None:
            return None
        with self._live.reading(org_id) as table:
            found = list(known_details(table, window, processes))
        left = [process for process, known in zip(processes, found, strict=True) if known is None]
        if any(process.seen_at >= cut for process in left):
            return None
        old = iter(self._history.details(org_id, window, left))
        with self._live.reading(org_id) as table:
            if table.since > cut:
                return None
            for place, process in enumerate(processes):
                if found[place] is None:
                    key, detail = ProcessKey.of(process.identity), next(old)
                    if has_news(table, key, process.seen_at, cut, window.to_at):
                        return None
                    found[place] = detail.with_ending(_told(table, key, detail.ending, cut, window.to_at))
        return tuple(one for one in found if one is not None)

    def endings(self, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...] | None:
        """As `DetailStore.endings`. None where the history has to answer alone, with all that waits."""
        cut = self._waits_since(org_id)
        if cut is None:
            return None
        with self._live.reading(org_id) as table:
            found = [ending_of_known(table, key, at, until) for key, at in seen]
        left = [one for one, known in zip(seen, found, strict=True) if known is None]
        if any(at >= cut for _, at in left):
            return None
        old = iter(self._history.endings(org_id, until, left))
        with self._live.reading(org_id) as table:
            if table.since > cut:
                return None
            for place, (key, at) in enumerate(seen):
                if found[place] is None:
                    if has_news(table, key, at, cut, until):
                        return None
                    found[place] = _told(table, key, next(old), cut, until)
        return tuple(one for one in found if one is not None)


def _told(table: OrgTable, key: ProcessKey, in_history: Ending, cut: int, until: int) -> Ending:
    """The first end that was told of. What was told of before the cut is all in the history."""
    if in_history.at is not None and in_history.at < cut:
        return in_history
    return ending_since(table, key, cut, until)
