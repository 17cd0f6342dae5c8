"""How many statements an instant costs: each takes the engine some milliseconds, whatever it finds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing

import pytest

from procession.analysis import Order, Selection
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import LiveNumbers, LiveSnapshot, ProcessNumbers
from procession.storage.store import ClickHouseStore
from tests.storage.conftest import THIRTY_YEARS
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.stores.interleaving import InterleavedEngine
from tests.support.stores.strategies import TURN_OF_HOUR

T = TURN_OF_HOUR + 610
STARTED = T - 5000
_org_ids = itertools.count(9_500_001)


class Counted:
    """A store that is asked how many processes there are, and how many statements that takes."""

    def __init__(self, store: ClickHouseStore, *, is_only_writer: bool) -> None:
        self.org = next(_org_ids)
        self._engine = InterleavedEngine(store._engine)
        self.store = ClickHouseStore(
            self._engine, now=lambda: T + 5, is_only_writer=is_only_writer, sighting_retention_hours=THIRTY_YEARS
        )
        self.store.add([(self.org, a_snapshot(*(a_sighting(pid, STARTED) for pid in (1, 2, 3)), taken_at=T))])

    def ask(self, at: int, org: int | None = None) -> tuple[int, int]:
        """How many processes, and from how many statements."""
        selection = Selection(org or self.org)
        found, count = self._engine.count(
            lambda: self.store.analysis.groups(selection, at, "command", ("rss_bytes",), Order("count"), 10)
        )
        return found.total, count

    def exit(self, at: int, pid: int) -> None:
        ended = ProcessExit(pid=pid, at=at, exit_code=3, description=a_description())
        self.store.add_exits([(self.org, ProcessExits("web-1", (ended,)))])

    def live(self, at: int, pid: int, state: str) -> None:
        numbers = LiveNumbers(pid, STARTED, ProcessNumbers(state=state))
        self.store.add_live([(self.org, LiveSnapshot(host="web-1", taken_at=at, processes=(numbers,)))])


@pytest.fixture
def counted(clickhouse: ClickHouseStore) -> Iterator[Counted]:
    counted = Counted(clickhouse, is_only_writer=True)
    with closing(counted.store):
        yield counted


def test_an_instant_that_was_looked_at_before_costs_one_statement(counted: Counted) -> None:
    counted.exit(T + 2, 3)
    counted.ask(T + 4)

    assert counted.ask(T + 4) == (2, 1)


def test_another_instant_of_the_same_snapshots_costs_one_statement(counted: Counted) -> None:
    counted.exit(T + 2, 3)
    counted.ask(T + 4)

    assert [counted.ask(at) for at in (T + 1, T + 2, T + 9)] == [(3, 1), (2, 1), (2, 1)]


def test_exits_are_read_again_after_one_was_reported_for_that_time(counted: Counted) -> None:
    counted.exit(T + 2, 3)
    counted.ask(T + 4)

    counted.exit(T + 3, 2)

    assert [counted.ask(T + 4) for _ in range(2)] == [(1, 2), (1, 1)]


def test_exits_of_another_time_change_nothing(counted: Counted) -> None:
    counted.ask(T + 4)

    counted.exit(T - 3600, 2)
    counted.exit(T + 3600, 2)

    assert counted.ask(T + 4) == (3, 1)


def test_live_numbers_are_read_again_only_after_some_told_of_the_dead(counted: Counted) -> None:
    counted.exit(T + 1, 3)
    counted.ask(T + 4)

    counted.live(T + 2, 2, "S")
    assert counted.ask(T + 4) == (2, 1)
    counted.live(T + 3, 2, "X")

    assert [counted.ask(T + 4) for _ in range(2)] == [(1, 2), (1, 1)]


def test_where_others_write_too_an_instant_costs_three_statements(clickhouse: ClickHouseStore) -> None:
    counted = Counted(clickhouse, is_only_writer=False)
    with closing(counted.store):
        counted.exit(T + 2, 3)
        counted.ask(T + 4)

        assert counted.ask(T + 4) == (2, 3)
