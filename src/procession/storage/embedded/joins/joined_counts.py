"""How many processes of a window have which tags, where the window ends in what waits for its flush.

The history counts those that were seen before anything waited, the live table those that were seen since. Who was seen
both before and since is counted twice: the live table also knows as what the history has counted it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from procession.analysis import Facet, Facets, Selection, TagCompletion, ValueCount
from procession.search.pattern import fold
from procession.storage import AnalysisStore
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.live.instants.aggregates import completion, facet_of
from procession.storage.live.instants.analysis import whole_slots
from procession.storage.live.instants.at_instant import is_known
from procession.storage.live.instants.recount import Recount, recount
from procession.storage.live.table import LiveTable
from procession.window import Window

_ALL = 2**31
"""More values than there are."""

_SLOT_SECONDS = 10
"""The history counts in these."""

_TRIES = 3
"""What comes late while it is counted may be in one of the counts only."""

T = TypeVar("T")


class JoinedCounts:
    """For any number of threads."""

    def __init__(
        self,
        live: LiveTable,
        history: AnalysisStore,
        queue: FlushQueue,
        presence_waits_since: Callable[[], int | None],
    ) -> None:
        """`presence_waits_since`: the earliest moment up to which the history counts without writing presence first."""
        self._live = live
        self._history = history
        self._queue = queue
        self._presence_waits_since = presence_waits_since

    def facets(
        self, selection: Selection, window: Window, keys: Sequence[str], limit: int, prefix: str
    ) -> Facets | None:
        """As `AnalysisStore.facets`. None where the history has to answer alone, with all that waits."""
        slots = whole_slots(window)

        def count(cut: int) -> Facets | None:
            before = Window(slots.from_at, cut - 1)
            with self._recount(selection, cut, slots.to_at) as recent:
                if recent is None:
                    return None
                folded = [fold(key) for key in keys]
                since, twice = ([facet_of(some, key, _ALL, prefix) for key in folded] for some in recent)
                total = len(recent.since) - len(recent.twice)
                is_any_known = is_known(recent.since.table, selection, Window(cut, slots.to_at))
            past = self._history.facets(selection, before, keys, _ALL, prefix)
            parts = zip(past.facets, since, twice, strict=True)
            facets = tuple(_joined(*facet, limit) for facet in parts)
            return Facets(past.total + total, slots, facets, past.is_known or is_any_known)

        return self._counted(selection.org_id, slots, count)

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion | None:
        """As `AnalysisStore.complete_tag`. None where the history has to answer alone, with all that waits."""
        slots = whole_slots(window)

        def count(cut: int) -> TagCompletion | None:
            with self._recount(Selection(org_id), cut, slots.to_at) as recent:
                if recent is None:
                    return None
                since, twice = (completion(some, prefix, _ALL) for some in recent)
            past = self._history.complete_tag(org_id, Window(slots.from_at, cut - 1), prefix, _ALL)
            return TagCompletion(
                _summed(past.keys, since.keys, twice.keys)[:limit],
                _summed(past.values, since.values, twice.values)[:limit],
            )

        return self._counted(org_id, slots, count)

    def _counted(self, org_id: int, slots: Window, count: Callable[[int], T | None]) -> T | None:
        """`count` is given the moment from which on the live table counts."""
        for _ in range(_TRIES):
            put_count = self._queue.put_count
            counted = ((cut, count(cut)) for cut in self._cuts(org_id, slots))
            cut, found = next((one for one in counted if one[1] is not None), (0, None))
            if found is None or not self._queue.has_come_late(org_id, cut - 1, put_count):
                return found
        return None

    def _cuts(self, org_id: int, slots: Window) -> list[int]:
        """The best one first. The history has all that was taken before each of them."""
        waits_since, presence_since = self._queue.since(org_id), self._presence_waits_since()
        last = slots.to_at + 1 if waits_since is None else waits_since
        first = last if presence_since is None else min(presence_since, last)
        cuts = dict.fromkeys(cut // _SLOT_SECONDS * _SLOT_SECONDS for cut in (first, last))
        return [cut for cut in cuts if slots.from_at < cut <= slots.to_at]

    @contextmanager
    def _recount(self, selection: Selection, cut: int, until: int) -> Iterator[Recount | None]:
        with self._live.reading(selection.org_id) as table:
            yield recount(table, selection, cut, until)


def _joined(past: Facet, since: Facet, twice: Facet, limit: int) -> Facet:
    values = _summed(past.values, since.values, twice.values)
    return Facet(past.key, past.processes + since.processes - twice.processes, len(values), values[:limit])


def _summed(
    past: Sequence[ValueCount], since: Sequence[ValueCount], twice: Sequence[ValueCount]
) -> tuple[ValueCount, ...]:
    """The most frequent first, ties by value."""
    counts: Counter[str] = Counter()
    for some in (past, since):
        counts.update({one.value: one.count for one in some})
    counts.subtract({one.value: one.count for one in twice})
    found = [ValueCount(value, count) for value, count in counts.items() if count]
    return tuple(sorted(found, key=lambda one: (-one.count, one.value)))
