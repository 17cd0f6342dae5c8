"""Keeps what all processes summed up to in minutes that are over: a graph of a day asks for the newest of them only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from procession.analysis.over_time.trends import MINUTE_SECONDS, MinuteTotals
from procession.storage.history.engine.statement import Rows
from procession.storage.history.statements.over_time.totals import StoredBlock, stored_blocks, totals_by_minute

BLOCK_SECONDS = 600

SETTLED_SECONDS = 900
"""So long after the last chunk of it came, a block is kept: by then every replica that is asked has it."""

_LEAST_BLOCKS = 6
"""Of fewer it costs as much to ask whether they have changed."""

_MOST_SPANS = 8
"""Of more, everything between the first and the last is asked for at once."""

_Key = tuple[int, int, tuple[str, ...]]
"""An org, when the block begins, and the measures."""


class _Kept(NamedTuple):
    stored: StoredBlock
    minutes: Mapping[int, MinuteTotals]


class TotalsCache:
    """For any number of threads. What it keeps is used only while the table has the same chunks of that time."""

    def __init__(self, max_blocks: int = 4096) -> None:
        self._max_blocks = max_blocks
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        """The one that was used last is the last."""
        self._lock = threading.Lock()

    def minutes(
        self, rows: Rows, org_id: int, since: int, until: int, measures: Sequence[str], now: int
    ) -> dict[int, MinuteTotals]:
        """Of minutes from `since` to before `until`, those of which anything is known, by when they begin."""
        blocks = range(
            -(-since // BLOCK_SECONDS) * BLOCK_SECONDS, until // BLOCK_SECONDS * BLOCK_SECONDS, BLOCK_SECONDS
        )
        if len(blocks) < _LEAST_BLOCKS:
            return _asked(rows, org_id, since, until, measures)
        # Before the totals: what comes in between makes them newer than what they are kept for, and they go unused.
        stored = {one.since: one for one in rows(stored_blocks(org_id, blocks.start, blocks.stop, BLOCK_SECONDS))}
        found: dict[int, MinuteTotals] = {}
        missing: list[int] = []
        for block in blocks:
            if block in stored:
                kept = self._find((org_id, block, tuple(measures)), stored[block])
                if kept is None:
                    missing.append(block)
                else:
                    found.update(kept)
        asked: dict[int, MinuteTotals] = {}
        ends = [(since, blocks.start), (blocks.stop, until)]
        for first, last in _spans([*ends, *((block, block + BLOCK_SECONDS) for block in missing)]):
            asked.update(_asked(rows, org_id, first, last, measures))
        for block in missing:
            if stored[block].newest <= now - SETTLED_SECONDS:
                minutes = {at: asked[at] for at in range(block, block + BLOCK_SECONDS, MINUTE_SECONDS) if at in asked}
                self._keep((org_id, block, tuple(measures)), _Kept(stored[block], minutes))
        return found | asked

    def _find(self, key: _Key, stored: StoredBlock) -> Mapping[int, MinuteTotals] | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.stored != stored:
                return None
            self._kept.move_to_end(key)
            return kept.minutes

    def _keep(self, key: _Key, kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > self._max_blocks:
                self._kept.popitem(last=False)


def _asked(rows: Rows, org_id: int, since: int, until: int, measures: Sequence[str]) -> dict[int, MinuteTotals]:
    found: dict[int, MinuteTotals] = {}
    for row in rows(totals_by_minute(org_id, since, until, measures)):
        found.setdefault(row.minute, MinuteTotals()).add(row.processes, row.numbers)
    return found


def _spans(missing: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that follow on each other as one."""
    spans: list[tuple[int, int]] = []
    for first, last in sorted(one for one in missing if one[0] < one[1]):
        if spans and spans[-1][1] == first:
            spans[-1] = spans[-1][0], last
        else:
            spans.append((first, last))
    return spans if len(spans) <= _MOST_SPANS else [(spans[0][0], spans[-1][1])]
