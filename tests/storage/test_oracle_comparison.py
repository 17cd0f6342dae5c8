"""The store against plain Python, over made-up fleets and questions: whatever one answers, the other must."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from procession.process import ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.storage import ProcessStore
from procession.storage.clickhouse import ClickHouseStore
from tests.support.oracle import OracleStore
from tests.support.strategies import fleets, queries_over

_org_ids = itertools.count(5_000_000)

bounded = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,  # the same in every run: a failure in CI is one at home
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def both(clickhouse: ClickHouseStore, fleet: tuple[Snapshot, ...]) -> tuple[OracleStore, int]:
    """An oracle and an org of the store that were told the same."""
    org = next(_org_ids)
    oracle = OracleStore()
    for store in (oracle, clickhouse):
        tell(store, org, fleet)
    return oracle, org


def tell(store: ProcessStore, org: int, chunks: tuple[Snapshot, ...]) -> None:
    for chunk in chunks:
        store.add([(org, chunk)])


def scan(store: ProcessStore, query: ProcessQuery, limit: int) -> list[ProcessSummary]:
    found: list[ProcessSummary] = []
    query = replace(query, limit=limit)
    while True:
        page = store.find(query).processes
        assert len(page) <= limit
        found += page
        if len(page) < limit:
            return found
        query = replace(query, after=ProcessKey.of(page[-1].identity))


@bounded
@given(data=st.data())
def test_store_and_oracle_answer_alike(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    fleet = data.draw(fleets())
    oracle, org = both(clickhouse, fleet)

    for query in data.draw(st.lists(queries_over(fleet, org), min_size=1, max_size=6)):
        assert clickhouse.find(query) == oracle.find(query)


@bounded
@given(data=st.data())
def test_pages_of_any_size_hold_what_the_oracle_finds_in_one(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    fleet = data.draw(fleets())
    oracle, org = both(clickhouse, fleet)
    query = data.draw(queries_over(fleet, org))

    found = scan(clickhouse, query, data.draw(st.integers(1, 4)))

    assert tuple(found) == oracle.find(query).processes


@bounded
@given(data=st.data())
def test_a_scan_while_agents_post_doubles_nothing_and_misses_nothing(
    clickhouse: ClickHouseStore, data: st.DataObject
) -> None:
    fleet = data.draw(fleets(max_snapshots=8))
    half = data.draw(st.integers(0, len(fleet)))
    _, org = both(clickhouse, fleet[:half])
    query = replace(data.draw(queries_over(fleet, org)), limit=data.draw(st.integers(1, 3)))
    before = {process.identity for process in clickhouse.find(replace(query, limit=10_000)).processes}
    coming = list(fleet[half:])

    found: list[ProcessSummary] = []
    while page := clickhouse.find(query).processes:
        found += page
        query = replace(query, after=ProcessKey.of(page[-1].identity))
        if coming:
            clickhouse.add([(org, coming.pop(0))])

    identities = [process.identity for process in found]
    assert len(set(identities)) == len(identities)
    if query.search is None and not query.tags.conditions:  # a filter may let go of what changed meanwhile
        assert before <= set(identities)


@settings(bounded, max_examples=20)
@given(data=st.data())
def test_merging_changes_no_answer(clickhouse: ClickHouseStore, data: st.DataObject) -> None:
    fleet = data.draw(fleets())
    oracle, org = both(clickhouse, fleet)
    queries = data.draw(st.lists(queries_over(fleet, org), min_size=1, max_size=4))

    with clickhouse._engine.connection() as connection:
        for table in ("snap", "seen", "what", "tagsets", "hosts"):
            connection.command(f"OPTIMIZE TABLE {table} FINAL")

    for query in queries:
        assert clickhouse.find(query) == oracle.find(query)
