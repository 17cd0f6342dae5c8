"""One process over time, up to what waits for its flush: the history has the sightings before, the queue the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from procession.analysis import MEASURES, MINUTE_COLUMNS, Every, History, of_minute
from procession.lifecycle.endings import is_near
from procession.packed import ROW, PackedSnapshot, numbers_from
from procession.process import ProcessKey, ProcessNumbers
from procession.storage import AnalysisStore
from procession.storage.embedded.flush_queue import FlushQueue
from procession.storage.live.table import LiveTable
from procession.window import Window

_MINUTE = 60


class JoinedCurves:
    """For any number of threads."""

    def __init__(self, live: LiveTable, history: AnalysisStore, queue: FlushQueue) -> None:
        self._live = live
        self._history = history
        self._queue = queue

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History | None:
        """As `AnalysisStore.history`. None where the history has to answer alone, with all that waits."""
        waiting = self._waiting(org_id, key)
        if waiting is None:
            return None
        if every is Every.SIGHTING:
            return self._by_sighting(org_id, key, window, waiting)
        return self._by_minute(org_id, key, window, waiting)

    def _waiting(self, org_id: int, key: ProcessKey) -> dict[int, ProcessNumbers] | None:
        """Sightings of a process that wait, by moment; None where it is not sure which are."""
        with self._live.reading(org_id) as table:
            host = table.host_with_key(key.host_key)
            if host is None or table.row_of(key) is None or len(host.rows_near(key.pid, key.started_at)) > 1:
                return None
            since = table.since
        found: dict[int, ProcessNumbers] = {}
        for snapshot in self._queue.snapshots_of(org_id, host.name):
            for start, numbers in _sightings(snapshot, key):
                # What comes so late may be of a time of which only minutes are kept.
                if start != key.started_at or snapshot.taken_at < since:
                    return None
                # Of two that differ in one second, the history says which counts.
                if found.setdefault(snapshot.taken_at, numbers) != numbers:
                    return None
        return found

    def _by_sighting(
        self, org_id: int, key: ProcessKey, window: Window, waiting: Mapping[int, ProcessNumbers]
    ) -> History | None:
        known = self._history.history(org_id, key, window, Every.SIGHTING)
        states = dict(zip(known.times, known.states or (), strict=True))
        points = {at: tuple(known.numbers[name][place] for name in MEASURES) for place, at in enumerate(known.times)}
        for at, one in waiting.items():
            if window.from_at <= at <= window.to_at:
                values = tuple(getattr(one, name) for name in MEASURES)
                # What is flushed meanwhile is in both; else several chunks tell of one second.
                if points.setdefault(at, values) != values or states.setdefault(at, one.state) != one.state:
                    return None
        times = tuple(sorted(points))
        columns = {name: tuple(points[at][place] for at in times) for place, name in enumerate(MEASURES)}
        return History(times, columns, tuple(states[at] for at in times), times[-1] if times else None)

    def _by_minute(
        self, org_id: int, key: ProcessKey, window: Window, waiting: Mapping[int, ProcessNumbers]
    ) -> History | None:
        """The minutes of which something waits are made of their sightings."""
        last = window.to_at // _MINUTE * _MINUTE + _MINUTE - 1
        # A minute counts that ends in the window, and all of it.
        touched = [at // _MINUTE * _MINUTE for at in waiting]
        first = min((at for at in touched if window.from_at - 59 <= at <= window.to_at), default=None)
        if first is None:
            return self._history.history(org_id, key, window, Every.MINUTE)
        recent = self._by_sighting(org_id, key, Window(first, last), waiting)
        if recent is None:
            return None
        before: History | None = None
        if window.from_at < first:
            before = self._history.history(org_id, key, Window(window.from_at, first - 1), Every.MINUTE)
        minutes: dict[int, list[int]] = {}
        for place, at in enumerate(recent.times):
            minutes.setdefault(at // _MINUTE * _MINUTE, []).append(place)
        columns = {}
        for name in MINUTE_COLUMNS:
            of_sightings = recent.numbers[name.removesuffix("_max")]
            made = tuple(of_minute(name, [of_sightings[place] for place in places]) for places in minutes.values())
            columns[name] = (() if before is None else before.numbers[name]) + made
        times = (() if before is None else before.times) + tuple(minutes)
        last_at = max((at for at in recent.times if times[-1] <= at <= window.to_at), default=None)
        return History(times, columns, last_at=last_at)


def _sightings(snapshot: PackedSnapshot, key: ProcessKey) -> Sequence[tuple[int, ProcessNumbers]]:
    """Starts and numbers of those of a pid that may be this process."""
    found = []
    listing = snapshot.listing
    for place, (pid, started_at) in enumerate(zip(listing.pids, listing.starts, strict=True)):
        if pid == key.pid and is_near(started_at, key.started_at):
            *values, state = ROW.unpack_from(snapshot.numbers, place * ROW.size)
            found.append((started_at, numbers_from(values, state)))
    return found
