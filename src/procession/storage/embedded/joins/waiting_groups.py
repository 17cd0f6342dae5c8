"""Groups of what waits for its flush, by the minute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from procession.analysis import Selection
from procession.analysis.over_time.host_groups import HostGroups
from procession.analysis.over_time.trends import MINUTE_SECONDS
from procession.packed import DEAD, NUMBERS, STATE_NUMBERS, STATES, Listing, PackedProcess, PackedSnapshot
from procession.process import ProcessIdentity, ProcessSummary, host_key
from procession.search.evaluation import accepts
from procession.search.named_hosts import named_hosts
from procession.search.pattern import fold

MAX_PROCESSES = 50_000
"""To be looked at one by one; of more it is only asked what there was at single instants."""

ROW = np.dtype([*((name, f"<{kind}") for name, kind in NUMBERS), ("state", "u1")])

_VALUES_OF_STATES: tuple[tuple[str, ...], ...] = tuple((state,) if state else () for state in STATES)


def minute_of(snapshot: PackedSnapshot) -> int:
    return snapshot.taken_at // MINUTE_SECONDS * MINUTE_SECONDS


class WaitingGroups:
    """Of one question. Each process is looked at once, in however many snapshots it is."""

    def __init__(self, selection: Selection, by: str | None, measures: Sequence[str]) -> None:
        self._selection = selection
        self._named = named_hosts(selection.search, selection.tags)
        self._by = by
        self._measures = measures
        self._places: dict[tuple[str, ...], int] = {}
        self._listings: dict[int, Any] = {}
        self._processes: dict[int, int] = {}

    def of(self, snapshots: Sequence[PackedSnapshot], since: int) -> HostGroups | None:
        """None: there are too many processes."""
        if sum(len(one) for one in {id(one.listing): one.listing for one in snapshots}.values()) > MAX_PROCESSES:
            return None
        found = HostGroups(since, self._measures)
        for snapshot in snapshots:
            self._add(snapshot, found)
        return found

    def _add(self, snapshot: PackedSnapshot, found: HostGroups) -> None:
        places = self._listed(snapshot.host, snapshot.listing)
        rows = np.frombuffer(snapshot.numbers, ROW)
        is_living = rows["state"] != STATE_NUMBERS[DEAD]
        share, host, minute = 1 / snapshot.chunk_count, host_key(snapshot.host), minute_of(snapshot)
        known = [share * (not is_living.any() or bool((rows[name][is_living] >= 0).any())) for name in self._measures]
        found.add_snapshots(host, minute, share, known)
        chosen = np.flatnonzero((places >= 0) & is_living)
        if len(chosen) or self._is_named(snapshot.host):
            found.tell(minute)
        is_by_state = self._by == "state"
        of = rows["state"][chosen] if is_by_state else places[chosen]
        values = [*(_VALUES_OF_STATES if is_by_state else self._places)]
        for place in np.unique(of).tolist():
            self._put(found, host, minute, values[place], rows[chosen[of == place]])

    def _put(self, found: HostGroups, host: int, minute: int, values: tuple[str, ...], rows: Any) -> None:
        numbers = []
        for name in self._measures:
            known = rows[name][rows[name] >= 0]
            numbers.append((float(known.sum(dtype=np.float64)), float(len(known))))
        found.add_sightings(host, minute, values, float(len(rows)), numbers)

    def _listed(self, host: str, listing: Listing) -> Any:
        """By process, the place of its values among all; -1: it is not asked for."""
        if id(listing) not in self._listings:
            self._listings[id(listing)] = np.array([self._place(host, one) for one in listing.processes], np.int64)
        return self._listings[id(listing)]

    def _place(self, host: str, process: PackedProcess) -> int:
        place = self._processes.get(id(process))
        if place is None:
            place = self._processes[id(process)] = self._found(host, process)
        return place

    def _found(self, host: str, process: PackedProcess) -> int:
        identity = ProcessIdentity(host, process.pid, process.started_at)
        summary = ProcessSummary(identity, 0, process.description)
        if not self._selection.tags.accepts(summary.tags) or not accepts(self._selection.search, summary):
            return -1
        return self._places.setdefault(tuple(_values(summary, self._by)), len(self._places))

    def _is_named(self, host: str) -> bool:
        tag = fold(f"host:{host}")
        return all(any(pattern.matches(tag) for pattern in patterns) for patterns in self._named)


def _values(process: ProcessSummary, by: str | None) -> Iterable[str]:
    """Of a tag key, or of an attribute."""
    if by is None or by == "state":
        return ()
    if by == "host":
        return (process.identity.host,)
    if by == "container_id":
        return filter(None, (process.description.container_id,))
    parts = (tag.partition(":") for tag in process.tags)
    return sorted({value for key, colon, value in parts if colon and fold(key) == by})
