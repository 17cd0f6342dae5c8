"""A fleet at its pace: questions about now, the last minute and windows up to now make the store flush nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from procession.analysis import TREND_MEASURES, Every, Match, Order, Selection, Side
from procession.process import ProcessKey, ProcessNumbers, Snapshot
from procession.query import ProcessQuery
from procession.storage import AnalysisStore
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore
from tests.support.stores.reopened_store import Reopened

ORG = 9_800_000
HOUR = 3600
MOMENTS = (NOON - 2 * HOUR, NOON - HOUR, NOON - 900, *range(NOON - 120, NOON + 60, 10))
"""From NOON on it waits for its flush."""


def chunks(at: int) -> list[tuple[int, Snapshot]]:
    """Two hosts, whose processes come and go, and change."""
    step = at // 10 % 7
    found = []
    for host in ("web-1", "web-2"):
        sightings = [
            a_sighting(
                pid,
                NOON - 9000 if pid < 8 else at - at % 50 - 30,
                ProcessNumbers(rss_bytes=pid * 1000 + step, cpu_total_percent=float(step), state="S"),
                user="root" if pid == 2 and step > 3 else "www",
                tags=(f"env:{('prod', 'test')[pid % 2]}",),
            )
            for pid in (1, 2, 3, 4, 8, 9)
        ]
        found.append((ORG, a_snapshot(*sightings, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)))
    return found


@pytest.fixture(scope="module")
def both(
    clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EmbeddedStore, OracleStore]]:
    store, oracle = Reopened(clickhouse, tmp_path_factory.mktemp("server")).store, OracleStore()
    before, waiting = ([at for at in MOMENTS if (at >= NOON) == is_late] for is_late in (False, True))
    for moments in (before, waiting):
        if moments is waiting:
            store.flush()
            store.live_table.expire(NOON - 1800)
        for at in moments:
            for one in (store, oracle):
                one.add(chunks(at))
    yield store, oracle
    store.close()


NOW = NOON + 55
WHOLE = Selection(ORG)
LONG = Window(NOW - 2 * HOUR, NOW)
KEYS = ("host", "user", "env")
QUESTIONS = [
    ("facets", (WHOLE, LONG, KEYS, 10)),
    ("facets", (WHOLE, NOON + 15, KEYS, 10)),
    ("complete_tag", (ORG, LONG, "e", 10)),
    ("complete_tag", (ORG, LONG, "user:", 10)),
    ("is_known", (WHOLE, LONG)),
    ("timeseries", (WHOLE, LONG, "user", ("rss_bytes",), "rss_bytes", 3, 200)),
    ("timeseries", (WHOLE, Window(NOW - 90, NOW), None, ("rss_bytes",), "count", 3, 30)),
    ("trends", (WHOLE, LONG, None, TREND_MEASURES, "count", 3, 100)),
    ("trends", (WHOLE, LONG, "user", ("rss_bytes",), "rss_bytes", 3, 200)),
    *(("instant_page", (WHOLE, at, Order("rss_bytes", True), 0, 100)) for at in (NOON - 1, NOON, NOON + 22, NOW)),
    ("points", (WHOLE, NOON + 22, "rss_bytes", "cpu_total_percent", "env", 10)),
    ("groups", (WHOLE, NOON + 22, "env", ("rss_bytes",), Order("count", True), 10)),
    ("hosts", (WHOLE, NOON + 22, ("rss_bytes",), Order("host"), 0, 10)),
    ("host_tree", (ORG, "web-1", NOON + 22)),
    *(("compare", (Side(WHOLE, NOW - ago), Side(WHOLE, NOW), match, 10)) for ago in (900, 2 * HOUR) for match in Match),
]


@pytest.mark.parametrize(("question", "arguments"), QUESTIONS, ids=range(len(QUESTIONS)))
def test_a_question_up_to_now_is_answered_without_a_flush(
    both: tuple[EmbeddedStore, OracleStore], question: str, arguments: Sequence[object]
) -> None:
    store, oracle = both

    mine: AnalysisStore = store.analysis
    found = getattr(mine, question)(*arguments)

    assert close(found) == close(getattr(OracleAnalysis(oracle), question)(*arguments))
    assert store.flushes.forced_count == 0


def test_a_process_is_found_with_its_past_and_other_runs_without_a_flush(
    both: tuple[EmbeddedStore, OracleStore],
) -> None:
    store, oracle = both

    found = store.find(ProcessQuery(ORG, LONG)).processes
    assert found == oracle.find(ProcessQuery(ORG, LONG)).processes
    assert store.details(ORG, LONG, found) == oracle.details(ORG, LONG, found)
    for process in found[:3]:
        key = ProcessKey.of(process.identity)
        for every in Every:
            expected = OracleAnalysis(oracle).history(ORG, key, LONG, every)
            assert close(store.analysis.history(ORG, key, LONG, every)) == close(expected)
        assert store.analysis.runs(ORG, process, LONG, 5) == OracleAnalysis(oracle).runs(ORG, process, LONG, 5)

    assert store.flushes.forced_count == 0
