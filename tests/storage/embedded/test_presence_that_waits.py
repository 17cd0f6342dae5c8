"""Presence is written when its hour is over: questions up to now are answered without writing it earlier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from procession.analysis import Selection
from procession.process import ProcessKey
from procession.query import ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.history.instants.test_analysis import close
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore
from tests.support.stores.reopened_store import Reopened

ORG = 9_810_000
HOUR = 3600
BEFORE = (NOON - 2 * HOUR, NOON - HOUR, *range(NOON - 300, NOON, 60))
WAITS = range(NOON, NOON + 30, 10)
"""In the history, but for its presence."""
UNFLUSHED = range(NOON + 30, NOON + 60, 10)
NOW = NOON + 55


def add(stores: Sequence[EmbeddedStore | OracleStore], *moments: int) -> None:
    """Two hosts, whose processes come and go, and change."""
    for at in moments:
        for host in ("web-1", "web-2"):
            sightings = [
                a_sighting(
                    pid,
                    NOON - 9000 if pid < 8 else at - at % 50 - 30,
                    user="root" if pid == 2 and at % 70 > 30 else "www",
                    tags=(f"env:{('prod', 'test')[pid % 2]}",),
                )
                for pid in (1, 2, 3, 4, 8, 9)
            ]
            for store in stores:
                store.add([(ORG, a_snapshot(*sightings, host=host, taken_at=at, request_id=at))])


@pytest.fixture(scope="module")
def both(
    waiting: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EmbeddedStore, OracleStore]]:
    store, oracle = Reopened(waiting, tmp_path_factory.mktemp("server")).store, OracleStore()
    add((store, oracle), *BEFORE)
    store.flush()
    store.live_table.expire(NOON - 1000)
    waiting.write_presence()
    add((store, oracle), *WAITS)
    store.flush()
    add((store, oracle), *UNFLUSHED)
    yield store, oracle
    store.close()


LONG = Window(NOON - 2 * HOUR, NOW)
WHOLE = Selection(ORG)
SOME = Selection(ORG, parse_search("root"))
KEYS = ("host", "user", "env")
QUESTIONS = [
    ("facets", (WHOLE, LONG, KEYS, 10)),
    ("facets", (SOME, LONG, KEYS, 10)),
    ("facets", (WHOLE, Window(NOON - 2 * HOUR, NOON + 14), KEYS, 10)),
    ("complete_tag", (ORG, LONG, "e", 10)),
    ("complete_tag", (ORG, LONG, "user:", 10)),
    ("is_known", (WHOLE, LONG)),
    ("is_known", (Selection(ORG, tags=TagFilter.parse("host:web-3")), LONG)),
]


@pytest.mark.parametrize(("question", "arguments"), QUESTIONS, ids=range(len(QUESTIONS)))
def test_what_is_counted_up_to_now_has_no_presence_written(
    both: tuple[EmbeddedStore, OracleStore], waiting: ClickHouseStore, question: str, arguments: Sequence[object]
) -> None:
    store, oracle = both
    waits_since = waiting.presence_waits_since

    found = getattr(store.analysis, question)(*arguments)

    assert close(found) == close(getattr(OracleAnalysis(oracle), question)(*arguments))
    assert waits_since == waiting.presence_waits_since == NOON


def test_a_page_up_to_now_has_no_presence_written(
    both: tuple[EmbeddedStore, OracleStore], waiting: ClickHouseStore
) -> None:
    store, oracle = both

    for window in (LONG, Window(NOON - 2 * HOUR, NOON + 14), Window(NOON - 20, NOW)):
        found = store.find(ProcessQuery(ORG, window)).processes
        assert found == oracle.find(ProcessQuery(ORG, window)).processes
        assert store.details(ORG, window, found) == oracle.details(ORG, window, found)
        seen = [(ProcessKey.of(one.identity), one.seen_at) for one in found]
        assert store.endings(ORG, NOW, seen) == oracle.endings(ORG, NOW, seen)

    assert waiting.presence_waits_since == NOON


def test_a_start_that_shifted_has_no_presence_written(
    both: tuple[EmbeddedStore, OracleStore], waiting: ClickHouseStore
) -> None:
    for number, host in enumerate(("db-1", "db-2")):
        org, shift = ORG + 1 + number, 2 * number
        sighting, again = a_sighting(7, NOON - 9000), a_sighting(7, NOON - 9000 + shift)
        oracle = OracleStore()
        for store in (waiting, oracle):
            store.add([(org, a_snapshot(sighting, host=host, taken_at=NOON + 1))])
            store.add([(org, a_snapshot(again, host=host, taken_at=NOON + 11))])
        stranger = ClickHouseStore(  # whose memory has nothing
            waiting._engine, now=lambda: NOON + 60, is_only_writer=True, presence=waiting._presence
        )
        for one in (stranger, oracle):
            one.add([(org, a_snapshot(again, host=host, taken_at=NOON + 21))])
        assert waiting.presence_waits_since == NOON

        query = ProcessQuery(org, Window(NOON, NOON + 30))
        rows = waiting._rows("SELECT DISTINCT arrayJoin(start) FROM snapshots WHERE org = {org:UInt32}", {"org": org})
        assert [row[0] for row in rows] == [one.identity.started_at for one in oracle.find(query).processes]
