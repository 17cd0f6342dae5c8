"""What each shard does for a page: it gives the first of its own, in order, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from procession.process import ProcessKey, ProcessSummary
from procession.storage.history.engine.cluster import first_of_shards
from procession.storage.history.engine.server_connection import ServerConnection
from procession.storage.history.engine.statement import First, Statement
from procession.storage.history.statements.descriptions import BriefDescription, descriptions_in_key_range
from procession.storage.history.statements.presence import presence_in_key_range
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.fleet import Fleet
from tests.support.stores.oracle import OracleStore

ORG = 6_100_001
HOSTS = [f"page-{number}" for number in range(6)]
LATE = range(9001, 9004)
WINDOW = Window(NOON - 100, NOON + 50)
BETWEEN = Window(NOON + 50, NOON + 100)
WHOLE = Window(NOON, NOON + 300)
PIDS = 500
SHARDS = 2


@pytest.fixture(scope="module")
def both(cluster_store: ClickHouseStore) -> tuple[Fleet, Fleet]:
    """The same 3000 processes in a store and in the oracle: many began at once, and half of them change after NOON."""
    oracle = OracleStore()
    chunks = []
    for at, command in ((NOON, "before"), (NOON + 200, "after")):
        for host in HOSTS:
            sightings = (
                a_sighting(pid, NOON - 500 - pid % 3, cmdline=f"{command if pid % 2 else 'always'} {pid % 7}")
                for pid in range(1, PIDS + 1)
            )
            chunks.append((ORG, a_snapshot(*sightings, host=host, taken_at=at)))
    # The last in order are the only ones in between.
    late = a_snapshot(
        *(a_sighting(pid, NOON - 10, cmdline="before all") for pid in LATE), host=HOSTS[0], taken_at=NOON + 60
    )
    for store in (cluster_store, oracle):
        store.add([*chunks, (ORG, late)])  # at once, so that rows of `presence` reach from one moment to the other
    return Fleet(cluster_store, ORG), Fleet(oracle, ORG)


def rows_of(store: ClickHouseStore, statement: Statement, text: str) -> list[tuple[Any, ...]]:
    with store._engine.connection() as connection:
        return [tuple(row) for row in connection.query(text, statement.parameters).result_rows]


def of_shards(merged: str) -> str:
    """The part of a statement that each shard runs."""
    return re.fullmatch(r"SELECT \* FROM \((.*)\) ORDER BY [\w, ]+ LIMIT \d+ WITH TIES", merged, re.DOTALL)[1]  # type: ignore[index]


def test_each_shard_gives_the_first_of_its_own_and_all_together_the_first_of_these(
    cluster_store: ClickHouseStore, both: tuple[Fleet, Fleet]
) -> None:
    statement = presence_in_key_range(ORG, WINDOW, None, None)
    merged = first_of_shards(statement, First("start, host, pid", 50))

    everything = rows_of(cluster_store, statement, statement.text)
    apart = rows_of(cluster_store, statement, of_shards(merged))
    found = rows_of(cluster_store, statement, merged)

    assert len(everything) == len(HOSTS) * PIDS
    assert len(apart) == SHARDS * 50
    assert found == sorted(everything)[:50]


def test_all_rows_of_a_process_are_among_the_first_or_none_is(
    cluster_store: ClickHouseStore, both: tuple[Fleet, Fleet]
) -> None:
    statement = descriptions_in_key_range(ORG, WHOLE, None, None, BriefDescription)
    everything = sorted(rows_of(cluster_store, statement, statement.text))

    for count in range(1, 9):
        found = rows_of(cluster_store, statement, first_of_shards(statement, First("start, host, pid", count)))

        last = everything[count - 1][:3]
        assert sorted(found) == [row for row in everything if row[:3] <= last]
    assert len(everything) == len(HOSTS) * PIDS * 3 // 2 + len(LATE)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows each statement gives that goes to the cluster."""
    found: list[int] = []
    with monkeypatch.context() as patch:
        for name in ("query", "query_arrow"):
            genuine = getattr(ServerConnection, name)

            def ask(self: ServerConnection, *arguments: Any, genuine: Any = genuine) -> Any:
                answer = genuine(self, *arguments)
                found.append(len(getattr(answer, "result_rows", answer)))
                return answer

            patch.setattr(ServerConnection, name, ask)
        yield found


@pytest.mark.parametrize("window", [WHOLE, WINDOW, BETWEEN], ids=["whole", "past", "between"])
@pytest.mark.parametrize("search", ["", "before"])
def test_a_page_of_a_key_range_that_was_guessed_far_too_far_is_right_and_reads_little(
    cluster_store: ClickHouseStore,
    both: tuple[Fleet, Fleet],
    monkeypatch: pytest.MonkeyPatch,
    window: Window,
    search: str,
) -> None:
    mine, theirs = both
    samples = cluster_store._sources.key_samples
    bounds = (window.from_at, window.to_at)
    expected = theirs.find(*bounds, search=search)
    mine.find(*bounds, search=search, limit=1)  # what tags and hosts are called is known from here on
    found: list[ProcessSummary] = []

    for limit in (1, 7, 600, 4000):
        for about in (ORG, *samples._shares):
            samples._shares[about] = 1e-6
        with counted(monkeypatch) as rows:
            after = ProcessKey.of(found[-1].identity) if found else None
            page = mine.find(*bounds, search=search, after=after, limit=limit)
        assert len(page) == min(limit, len(expected) - len(found))
        found += page
        # Where little fits, it goes on with more.
        assert max(rows) <= max(2 * limit + 100, 1000) or len(expected) == len(LATE)
    assert tuple(found) == expected
    few = window == BETWEEN or (window == WHOLE and search)
    assert len(expected) == len(LATE) if few else len(expected) >= len(HOSTS) * PIDS // 2


def test_an_empty_list_of_values_finds_nothing(cluster_store: ClickHouseStore, both: tuple[Fleet, Fleet]) -> None:
    with cluster_store._engine.connection() as connection:
        for column, type_ in (("host", "UInt64"), ("hour", "UInt32"), ("version", "UInt64")):
            text = (
                f"SELECT version FROM descriptions WHERE org = {{org:UInt32}} AND {column} IN {{values:Array({type_})}}"
            )

            assert connection.query(text, {"org": ORG, "values": []}).result_rows == []
            assert len(connection.run_arrow(Statement(text, {"org": ORG, "values": []}))) == 0
