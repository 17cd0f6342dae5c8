"""A start that shifts is the same start although another server stores a snapshot of its host at the same moment."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import closing
from typing import Any

from procession.process import Snapshot
from procession.query import ProcessQuery
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.interleaving import InterleavedEngine

STARTED = NOON - 5000
PIDS = (1, 2, 3)

_orgs = itertools.count(8_000_001)
_requests = itertools.count(1)


class OtherServer(InterleavedEngine):
    """Something is stored by it right before one of the statements of this one."""

    def store_before(self, number: int, write: Callable[[], None]) -> None:
        self._left, self._store = number, write

    def _in_turn(self, statement: str, run: Callable[[], Any]) -> Any:
        assert statement
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._store()
            return run()

    @property
    def has_stored(self) -> bool:
        return self._left <= 0


def snapshot(at: int, shift: int = 0) -> Snapshot:
    sightings = [a_sighting(pid, STARTED + shift) for pid in PIDS]
    return a_snapshot(*sightings, host="web-1", taken_at=at, request_id=next(_requests), chunk_count=1)


def test_no_start_is_doubled_by_a_snapshot_that_is_stored_in_between(clickhouse: ClickHouseStore) -> None:
    engine = OtherServer(clickhouse._engine)
    doubled = []

    for number in itertools.count(1):
        org = next(_orgs)
        clickhouse.add([(org, snapshot(NOON - 20))])
        later = snapshot(NOON - 10)
        engine.store_before(number, lambda org=org, later=later: clickhouse.add([(org, later)]))  # type: ignore[misc]
        with closing(ClickHouseStore(engine, now=lambda: NOON)) as store:
            store.add([(org, snapshot(NOON, shift=1))])
        if not engine.has_stored:
            break
        found = clickhouse.find(ProcessQuery(org, Window(NOON - 60, NOON), limit=10)).processes
        if [one.identity.started_at for one in found] != [STARTED] * len(PIDS):
            doubled.append((number, found))

    assert number > 3
    assert not doubled
