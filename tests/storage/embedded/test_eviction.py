"""Memory has a bound, whatever comes; what the live table forgets for it the history answers."""

from __future__ import annotations

import gc
import hashlib
import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.process import ProcessNumbers, Snapshot
from procession.query import ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.storage.history.engine.embedded import EmbeddedEngine
from procession.storage.history.write.dedup_cache import BYTES_OF_A_PROCESS
from procession.storage.history.write.presence_writer import PresenceWriter
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.conftest import THIRTY_YEARS
from tests.storage.contract.test_oracle_comparison import scan
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.oracle import OracleStore
from tests.support.stores.reopened_store import Reopened

PROCESSES, COMMAND_LINES, HOSTS = "processes", "command lines", "hosts"
LIVE_BYTES = 1_000_000
EVERY = 30
COUNT = 90
"""Snapshots: less than an hour of them, which nothing but the bound evicts."""
LAST = NOON + EVERY * (COUNT - 1)

_org_ids = itertools.count(9_500_000)


def a_fleet(what_is_new: str) -> Iterator[Snapshot]:
    """Each snapshot has command lines that nobody had before, of what is new."""
    for number in range(COUNT):
        first = 0 if what_is_new == COMMAND_LINES else 100 * number
        running = [
            a_sighting(
                1 + first + pid,
                NOON - 50 + (0 if what_is_new == COMMAND_LINES else EVERY * number),
                ProcessNumbers(rss_bytes=4096 * pid),
                cmdline=f"job {number} {hashlib.sha256(b'%d %d' % (number, pid)).hexdigest() * 5}",
                tags=("env:prod",) if pid % 2 else ("env:test",),
            )
            for pid in range(50)
        ]
        at = NOON + EVERY * number
        host = f"web-{number if what_is_new == HOSTS else 1}"
        yield a_snapshot(*running, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)


def a_history(clickhouse: ClickHouseStore, folder: Path) -> ClickHouseStore:
    """As a server with so little memory has it, over the same tables."""
    engine = clickhouse._engine
    assert isinstance(engine, EmbeddedEngine)
    return ClickHouseStore(
        engine,
        now=lambda: LAST,
        is_only_writer=True,
        sighting_retention_hours=THIRTY_YEARS,
        presence=PresenceWriter(engine, folder / "presence.unwritten", writing=engine.gate.writing, now=lambda: LAST),
        max_known=LIVE_BYTES // 2 // BYTES_OF_A_PROCESS,
    )


@pytest.mark.parametrize("what_is_new", [PROCESSES, COMMAND_LINES, HOSTS])
def test_what_the_bound_evicts_is_answered_from_the_history(
    clickhouse: ClickHouseStore, tmp_path: Path, what_is_new: str
) -> None:
    org, oracle = next(_org_ids), OracleStore()
    store = Reopened(a_history(clickhouse, tmp_path), tmp_path, live_bytes=LIVE_BYTES, now=LAST).store
    taken: list[int] = []
    tracemalloc.start()
    for number, snapshot in enumerate(a_fleet(what_is_new)):
        store.add([(org, snapshot)])
        assert store.live_table.held_bytes() < LIVE_BYTES * 1.2
        if number % 10 == 9:
            store.flush()
            gc.collect()
            taken.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    oracle.add([(org, snapshot) for snapshot in a_fleet(what_is_new)])

    # All that the process holds. What came is a multiple of what is kept: without a bound it would grow on and on.
    third = len(taken) // 3
    assert max(taken[-third:]) < max(taken[third : 2 * third]) * 1.25
    since = store.live_table.since_of(org)
    assert NOON < since <= LAST
    asked_before = store.answers.from_history + store.answers.from_both
    questions = (
        (Window(NOON - 1, LAST), "", ""),
        (Window(NOON - 1, LAST), "job 7", ""),
        (Window(NOON - 1, NOON + (LAST - NOON) // 2), "", "env:prod"),
        (Window(since - 100, since + 100), "", ""),
        (Window(since, LAST), "", "env:test"),
    )
    for window, search, tags in questions:
        query = ProcessQuery(org, window, parse_search(search), TagFilter.parse(tags), limit=10**6)
        expected = oracle.find(query).processes
        assert tuple(scan(store, query, itertools.cycle([3000]))) == expected
        assert expected or search
    assert store.answers.from_history + store.answers.from_both > asked_before
    store.close()
