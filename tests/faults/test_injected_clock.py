"""The server's clock jumps by an hour, as the clock that its store is given: nothing is lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.analysis import Every
from procession.process import ProcessIdentity, ProcessKey, ProcessNumbers, host_key
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import Clock
from tests.support.torture import record

ORG = 1
HOUR = 3600
BEGIN = NOON // HOUR * HOUR
"""Of an hour."""
YEARS = 30 * 365 * 24
IDENTITY = ProcessIdentity("web-1", 7, NOON - HOUR * 100)
KEY = ProcessKey(IDENTITY.started_at, host_key(IDENTITY.host), IDENTITY.pid)


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGIN)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedStore]:
    found = open_embedded(tmp_path, retention_hours=YEARS, sighting_retention_hours=YEARS, now=clock)
    yield found
    found.close()


def see(store: EmbeddedStore, *moments: int, host: str = IDENTITY.host) -> None:
    for at in moments:
        sighting = a_sighting(IDENTITY.pid, IDENTITY.started_at, ProcessNumbers(cpu_total_percent=1.0, threads=4))
        store.add([(ORG, a_snapshot(sighting, host=host, taken_at=at, request_id=at, chunk_count=1))])


def minutes(store: EmbeddedStore) -> list[int]:
    """Of the first two hours, in which there is a point of the process."""
    window = Window(BEGIN, BEGIN + 2 * HOUR - 1)
    found = store.analysis.history(ORG, KEY, window, Every.MINUTE)
    return [(at - BEGIN) // 60 for at in found.times]


def test_an_hour_is_kept_whole_though_it_was_taken_for_over_while_the_clock_was_ahead(
    store: EmbeddedStore, clock: Clock
) -> None:
    # Agents have the right time, and the server is an hour ahead.
    clock.now = BEGIN + 600 + HOUR
    see(store, BEGIN, BEGIN + 300, BEGIN + 540)
    assert store.rollup.roll_up([ORG]) == 1

    clock.now = BEGIN + 1200
    see(store, BEGIN + 600, BEGIN + 900)
    while_the_hour_runs = minutes(store)
    store.rollup.roll_up([ORG])
    clock.now = BEGIN + HOUR - 10
    see(store, BEGIN + HOUR - 20)
    clock.now = BEGIN + HOUR + 180
    store.rollup.roll_up([ORG])
    once_it_is_over = minutes(store)
    for seconds in range(300, HOUR * 2, 300):
        clock.now = BEGIN + HOUR + seconds
        store.rollup.roll_up([ORG])
    assert isinstance(store.history, ClickHouseStore)
    with store.history._engine.connection() as connection:
        connection.command("TRUNCATE TABLE snapshots")  # as sightings end after seven days
    for_months = minutes(store)

    assert while_the_hour_runs == [0, 5, 9, 10, 15]
    assert once_it_is_over == [0, 5, 9, 10, 15, 59]
    assert for_months == [0, 5, 9, 10, 15, 59]
    record(
        "clock of the server an hour ahead and back: what is rolled up", times=1, lost=0, answered="every minute there"
    )


def test_a_clock_that_is_set_back_leaves_hours_to_be_rolled_up_as_they_come(store: EmbeddedStore, clock: Clock) -> None:
    clock.now = BEGIN + HOUR + 200
    see(store, BEGIN + 60)
    assert store.rollup.roll_up([ORG]) == 1

    clock.now = BEGIN + 300
    see(store, BEGIN + 240)
    assert store.rollup.roll_up([ORG]) == 0
    clock.now = BEGIN + HOUR + 150
    store.rollup.roll_up([ORG])

    assert minutes(store) == [1, 4]


def test_what_comes_late_after_a_clock_was_set_back_is_rolled_up(store: EmbeddedStore, clock: Clock) -> None:
    clock.now = BEGIN + 2 * HOUR + 200
    see(store, BEGIN + 60)
    assert store.rollup.roll_up([ORG]) == 1

    clock.now = BEGIN + HOUR + 300
    see(store, BEGIN + 120, host="web-2")

    assert store.rollup.roll_up([ORG]) == 2
