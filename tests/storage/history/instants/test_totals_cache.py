"""What is kept of minutes that are over is what the tables would say now."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procession.analysis.over_time.trends import TREND_MEASURES, MinuteTotals
from procession.process import ProcessNumbers
from procession.storage.history.engine.connection import rows_of
from procession.storage.history.engine.statement import Rows, RowT, Select
from procession.storage.history.instants.totals_cache import BLOCK_SECONDS, SETTLED_SECONDS, TotalsCache
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON, a_sighting, a_snapshot

BEGIN = NOON // BLOCK_SECONDS * BLOCK_SECONDS
BLOCKS = 20
END = BEGIN + BLOCKS * BLOCK_SECONDS

_requests = itertools.count(1)
_orgs = itertools.count(8_300_001)


class Asking:
    """The statements of the totals, as they are asked."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.spans: list[tuple[int, int]] = []

    def __call__(self, statement: Select[RowT]) -> Sequence[RowT]:
        if "processes" in statement.text:
            moments = sorted(value for name, value in statement.parameters.items() if name != "org")
            self.spans.append((moments[0], moments[-1] + 1))
        return self._rows(statement)


@contextmanager
def asking(store: ClickHouseStore) -> Iterator[Asking]:
    with store._engine.connection() as connection:
        yield Asking(rows_of(connection))


def tell(store: ClickHouseStore, org: int, at: int, host: str = "web-1", processes: int = 2) -> None:
    used = ProcessNumbers(cpu_total_percent=float(at % 90), rss_bytes=at % 50, state="S")
    seen = [a_sighting(pid, NOON - 90_000, used) for pid in range(1, processes + 1)]
    number = next(_requests)
    store.add([(org, a_snapshot(*seen, host=host, taken_at=at, request_id=number, split_id=at, chunk_count=1))])


def later() -> int:
    """When all that came so far has settled."""
    return int(time.time()) + SETTLED_SECONDS + 1


def minutes(cache: TotalsCache, rows: Rows, org: int, since: int = BEGIN, until: int = END) -> dict[int, MinuteTotals]:
    return cache.minutes(rows, org, since, until, TREND_MEASURES, later())


def test_only_what_has_changed_is_asked_for_again(clickhouse: ClickHouseStore, org: int) -> None:
    for at in range(BEGIN, END, 300):
        tell(clickhouse, org, at)
    cache = TotalsCache()
    with asking(clickhouse) as asked:
        before = minutes(cache, asked, org)
        assert asked.spans == [(BEGIN, END)]
        assert minutes(cache, asked, org) == before
        assert asked.spans == [(BEGIN, END)]

    late = BEGIN + 5 * BLOCK_SECONDS + 300
    tell(clickhouse, org, late, host="web-2", processes=3)
    with asking(clickhouse) as asked:
        after = minutes(cache, asked, org)

    assert asked.spans == [(late - 300, late - 300 + BLOCK_SECONDS)]
    changed = late // 60 * 60
    assert after[changed].count == before[changed].count + 3
    assert {at for at, one in after.items() if one != before[at]} == {changed}


def test_what_came_a_moment_ago_is_not_kept(clickhouse: ClickHouseStore, org: int) -> None:
    tell(clickhouse, org, BEGIN)
    cache = TotalsCache()
    with asking(clickhouse) as asked:
        for _ in range(2):
            cache.minutes(asked, org, BEGIN, END, TREND_MEASURES, int(time.time()))

    assert len(asked.spans) == 2


def test_short_windows_are_asked_for_at_once(clickhouse: ClickHouseStore, org: int) -> None:
    tell(clickhouse, org, BEGIN)
    cache = TotalsCache()
    with asking(clickhouse) as asked:
        for _ in range(2):
            minutes(cache, asked, org, BEGIN, BEGIN + 2 * BLOCK_SECONDS)

    assert asked.spans == [(BEGIN, BEGIN + 2 * BLOCK_SECONDS)] * 2


@pytest.mark.parametrize("max_blocks", [4096, 3])
def test_orgs_measures_and_edges_are_kept_apart(clickhouse: ClickHouseStore, org: int, max_blocks: int) -> None:
    for at in range(BEGIN, END, 120):
        tell(clickhouse, org, at)
    cache = TotalsCache(max_blocks)
    with asking(clickhouse) as asked:
        for since, until in ((BEGIN, END), (BEGIN + 60, END - 60), (BEGIN, END - 120), (BEGIN - 7200, END + 7200)):
            for names in (TREND_MEASURES, ("rss_bytes",), ()):
                found = cache.minutes(asked, org, since, until, names, later())
                right = TotalsCache().minutes(asked, org, since, until, names, later())
                assert found == right
        assert not minutes(cache, asked, next(_orgs))


PLACES = st.tuples(st.integers(0, BLOCKS * BLOCK_SECONDS - 1), st.sampled_from(["web-1", "web-2"]), st.integers(0, 3))
WINDOWS = st.tuples(st.integers(0, BLOCKS * 10), st.integers(0, BLOCKS * 10)).map(sorted)


@given(st.lists(st.tuples(st.lists(PLACES, max_size=4), WINDOWS), min_size=2, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_are_those_of_the_tables_whatever_comes_late(
    clickhouse: ClickHouseStore, rounds: list[tuple[list[tuple[int, str, int]], list[int]]]
) -> None:
    org, cache = next(_orgs), TotalsCache(30)
    for told, (first, last) in rounds:
        for offset, host, processes in told:
            tell(clickhouse, org, BEGIN + offset, host, processes)
        since, until = BEGIN + first * 60, BEGIN + last * 60 + 60
        with asking(clickhouse) as asked:
            right = TotalsCache().minutes(asked, org, since, until, TREND_MEASURES, later())
            assert minutes(cache, asked, org, since, until) == right
            assert minutes(cache, asked, org) == TotalsCache().minutes(asked, org, BEGIN, END, TREND_MEASURES, later())
