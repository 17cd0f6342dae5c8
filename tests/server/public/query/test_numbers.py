from __future__ import annotations

from collections.abc import Sequence

from procession.accounts.visibility import Visibility
from procession.analysis import Selection, TimeSeries
from procession.analysis.all_cpus import CpusOfHosts
from procession.process import ProcessNumbers
from procession.server.public.query.body import Kind, parse_request
from procession.server.public.query.numbers import MAX_COMMANDS, numbers_over_time
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

ORG = 1
METRICS = ("cpu.total_pct", "memory.rss", "count")


class Asked(OracleAnalysis):
    """Notes which measures it was asked for."""

    def __init__(self, store: OracleStore) -> None:
        super().__init__(store)
        self.measures: list[tuple[str, ...]] = []

    def timeseries(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
        cpus: CpusOfHosts | None = None,
    ) -> TimeSeries:
        self.measures.append(tuple(measures))
        return super().timeseries(selection, window, by, measures, rank, limit, points, cpus)


def a_store(commands: int) -> Asked:
    store = OracleStore()
    sightings = [
        a_sighting(pid, command=f"c{pid}", numbers=ProcessNumbers(cpu_total_percent=pid, rss_bytes=commands - pid))
        for pid in range(1, commands + 1)
    ]
    store.add([(ORG, a_snapshot(*sightings, taken_at=NOON, chunk_count=1))])
    return Asked(store)


def first_of_each(store: Asked, *filters: str) -> list[str]:
    queries = [
        {"data_source": "process", "name": f"q{n}", "metric": f"process.stat.{metric}", "text_filter": text, "limit": 1}
        for n, (metric, text) in enumerate(zip(METRICS, filters, strict=True))
    ]
    attributes = {"from": NOON * 1000, "to": NOON * 1000 + 1, "queries": queries}
    body = {"data": {"type": "timeseries_request", "attributes": attributes}}
    found = numbers_over_time(
        store, parse_request(Kind.TIMESERIES, body, Visibility(ORG), now=NOON, retention_hours=24)
    )
    return [command for of_query in found.of_queries.values() for command in of_query]


def test_queries_over_the_same_processes_are_asked_at_once() -> None:
    store = a_store(3)

    assert first_of_each(store, "nginx", "nginx", "nginx") == ["c3", "c1", "c1"]
    assert store.measures == [("cpu_total_percent", "rss_bytes")]


def test_queries_over_other_processes_are_asked_by_themselves() -> None:
    store = a_store(3)

    assert first_of_each(store, "nginx", "", "nginx") == ["c3", "c1", "c1"]
    assert store.measures == [("cpu_total_percent",), ("rss_bytes",)]


def test_of_too_many_commands_each_query_asks_for_its_own() -> None:
    store = a_store(MAX_COMMANDS + 1)

    assert first_of_each(store, "nginx", "nginx", "nginx") == [f"c{MAX_COMMANDS + 1}", "c1", "c1"]
    assert store.measures == [("cpu_total_percent", "rss_bytes"), ("rss_bytes",), ()]
