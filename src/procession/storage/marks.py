"""How far along the order of processes a page may reach, so that a query reads a stretch of it and no more."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence

from procession.process import ProcessKey
from procession.storage import sql
from procession.storage.details import Rows
from procession.storage.schema import GRANULE

_FRESH_SECONDS = 5.0
_MOST_KEPT = 64
_MOST_BUCKETS = 6
"""Of a longer window, so many buckets stand for all."""

_FIRST_GUESS = 0.3
_SLACK = 1.2
"""A little too far costs less than to go again."""


class Marks:
    """The keys at which the granules of `seen` begin: one for about a thousand rows. The engine has them in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, tuple[int, ...]], tuple[float, list[ProcessKey]]] = {}
        self._shares: dict[int, float] = {}
        """Org -> processes for each row that a mark stands for."""

    def reach(
        self, rows: Rows, org_id: int, buckets: Sequence[int], after: ProcessKey | None, wanted: int
    ) -> tuple[ProcessKey | None, int]:
        """Up to where about so many processes come after this one (None: all that are left), and for how many rows that
        stands."""
        some = tuple(buckets[:: max(1, -(-len(buckets) // _MOST_BUCKETS))])
        marks = self._of(rows, org_id, some)
        # Parts of the table begin with the same key where the same processes were seen again.
        begin = 0 if after is None else bisect_right(marks, after)
        rows_each = GRANULE * len(buckets) / len(some)
        count = max(1, round(wanted * _SLACK / self._shares.get(org_id, _FIRST_GUESS) / rows_each))
        end = begin + count - 1
        if end >= len(marks) - 1:
            return None, 0
        return marks[end], round(count * rows_each)

    def learn(self, org_id: int, row_count: int, found: int) -> None:
        """What a reach turned out to hold."""
        if row_count:
            before = self._shares.get(org_id, _FIRST_GUESS)
            self._shares[org_id] = min(1.0, max(0.001, (before + found / row_count) / 2))

    def _of(self, rows: Rows, org_id: int, buckets: tuple[int, ...]) -> list[ProcessKey]:
        with self._lock:
            at, marks = self._kept.get((org_id, buckets), (0.0, None))
        if marks is not None and self._clock() < at + _FRESH_SECONDS:
            return marks
        marks = sorted(ProcessKey(*row) for row in rows(sql.marks(org_id, buckets)))
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
                self._shares.clear()
            self._kept[org_id, buckets] = self._clock(), marks
        return marks
