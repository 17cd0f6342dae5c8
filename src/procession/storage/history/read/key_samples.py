"""How far along the order of processes a page may reach, so that a query reads a key range and no more."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from procession.process import ProcessKey
from procession.storage.history.engine.statement import Rows
from procession.storage.history.statements.presence import KeySample, key_samples
from procession.storage.history.tables.constants import GRANULE

_FRESH_SECONDS = 5.0
_MOST_KEPT = 64
_MOST_HOURS = 6
"""Of a longer window, so many hours stand for all."""

_FIRST_GUESS = 0.15
_FURTHER = 8
"""Where nothing was found, go so much further."""

_MOST_SHARES = 10_000
_SLACK = 1.2
"""A little too far costs less than to go again."""


class _Samples(NamedTuple):
    """Keys with about as many rows between each two of them."""

    read_at: float
    keys: Sequence[ProcessKey]
    rows_between: int

    def position_of(self, key: ProcessKey | None) -> float:
        """0 for the first sample, 1 for the second, and between them in proportion."""
        index = -1 if key is None else bisect_right(self.keys, key) - 1
        if key is None or index < 0:
            return 0.0
        if index >= len(self.keys) - 1:
            return float(index)
        begin, end = self.keys[index].started_at, self.keys[index + 1].started_at
        return index + (key.started_at - begin) / max(1, end - begin)

    def key_at(self, position: float, after: ProcessKey | None) -> ProcessKey | None:
        """Beyond `after`; None past the last sample."""
        index = int(position)
        if index >= len(self.keys) - 1:
            return None
        begin, end = self.keys[index].started_at, self.keys[index + 1].started_at
        started_at = begin + int((position - index) * (end - begin))
        if begin < started_at < end and (after is None or started_at > after.started_at):
            return ProcessKey.last_of_second(started_at)
        return self.keys[index + 1]


def _run_count(samples: Iterable[KeySample]) -> int:
    """Samples lie in runs, one for each hour in each part of the table: much the same processes are in all.

    Parts of two shards may have the same name. Then they have samples of the same number.
    """
    runs: dict[tuple[int, str], int] = {}
    for (hour, part, _), count in Counter((one.hour, one.part, one.number) for one in samples).items():
        runs[hour, part] = max(count, runs.get((hour, part), 0))
    return sum(runs.values())


class KeySamples:
    """The keys at which the granules of `presence` begin, which the engine has in memory: one for about 1000 rows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, tuple[int, ...]], _Samples] = {}
        self._shares: dict[int, float] = {}
        """Number of an org, its filters and the length of a window -> processes for each row."""

    def end_of_range(
        self,
        rows: Rows,
        org_id: int,
        hours: Sequence[int],
        after: ProcessKey | None,
        wanted: int,
        filter_key: int,
    ) -> tuple[ProcessKey | None, float]:
        """Up to where about so many processes come after this one (None: all that are left), and for how many rows that
        stands. `filter_key`: a number for what they have to fit."""
        samples, rows_between = self._samples_of(rows, org_id, hours)
        upto = samples.key_at(
            samples.position_of(after) + wanted * _SLACK / self.share(filter_key) / rows_between, after
        )
        return upto, 0 if upto is None else (samples.position_of(upto) - samples.position_of(after)) * rows_between

    def row_count(
        self, rows: Rows, org_id: int, hours: Sequence[int], after: ProcessKey | None, upto: ProcessKey | None
    ) -> float:
        """For how many rows it stands to go no further than there (None: to the end)."""
        samples, rows_between = self._samples_of(rows, org_id, hours)
        end = len(samples.keys) if upto is None else samples.position_of(upto)
        return (end - samples.position_of(after)) * rows_between

    def has_learned(self, filter_key: int) -> bool:
        """Whether something was learned of it."""
        return filter_key in self._shares

    def share(self, filter_key: int) -> float:
        """Processes that fit, for each row."""
        return self._shares.get(filter_key, _FIRST_GUESS)

    def learn(self, filter_key: int, row_count: float, found: int) -> None:
        """What a key range turned out to hold."""
        if row_count:
            now = found / row_count if found else self.share(filter_key) / _FURTHER
            before = self._shares.get(filter_key, now)
            self._shares[filter_key] = min(1.0, max(1e-6, (before + now) / 2 if found else now))

    def _samples_of(self, rows: Rows, org_id: int, hours: Sequence[int]) -> tuple[_Samples, float]:
        """The samples of some of the hours, and how many rows of all of them lie between two."""
        # Of the newest in any case: most that is asked for is there.
        some = tuple(hours[:: -max(1, -(-len(hours) // _MOST_HOURS))])
        samples = self._read(rows, org_id, some)
        return samples, samples.rows_between * len(hours) / len(some)

    def _read(self, rows: Rows, org_id: int, hours: tuple[int, ...]) -> _Samples:
        with self._lock:
            samples = self._kept.get((org_id, hours))
        if samples is None or self._clock() >= samples.read_at + _FRESH_SECONDS:
            found = rows(key_samples(org_id, hours))
            runs = max(1, _run_count(found))
            keys = sorted(one.key for one in found)
            samples = _Samples(self._clock(), sorted(set(keys[::runs])), runs * GRANULE)
            with self._lock:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                if len(self._shares) >= _MOST_SHARES:
                    self._shares.clear()
                self._kept[org_id, hours] = samples
        return samples
