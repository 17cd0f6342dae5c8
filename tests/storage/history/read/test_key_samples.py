"""How far a page reaches: always on, and about as far as it should."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from procession.process import ProcessKey
from procession.storage.history.engine.statement import Rows, RowT, Select
from procession.storage.history.read.key_samples import KeySamples
from procession.storage.history.tables.constants import GRANULE

HOURS = range(7, 8)


def samples_at(*starts: int, runs: int = 1) -> Rows:
    """An engine with so many runs of rows, each with samples at these starts."""

    def rows(statement: Select[RowT]) -> Sequence[RowT]:
        found = [(start, 1, 1, 7, f"part {run}", number) for run in range(runs) for number, start in enumerate(starts)]
        return [statement.row(row) for row in found]

    return rows


def test_without_samples_everything_is_read() -> None:
    assert KeySamples().end_of_range(samples_at(), 1, HOURS, None, 1000, 1) == (None, 0)


@pytest.mark.parametrize("runs", [1, 6])
def test_a_reach_is_as_long_as_what_it_wants(runs: int) -> None:
    samples = KeySamples()
    rows = samples_at(*range(0, 100_000, 100), runs=runs)
    for _ in range(20):
        samples.learn(1, 1000, 500)  # every second row is another process

    upto, row_count = samples.end_of_range(rows, 1, HOURS, ProcessKey(5000, 1, 1), 10_000, 1)

    assert upto is not None
    assert 20_000 <= row_count <= 30_000
    assert upto.started_at - 5000 == pytest.approx(row_count / GRANULE / runs * 100, rel=0.1)


def test_parts_of_two_shards_may_have_the_same_name() -> None:
    starts = range(0, 100_000, 100)
    of_one, of_four = samples_at(*starts, runs=4), samples_at(*starts)
    wanted = None, 3000, 1

    def four_times(statement: Select[RowT]) -> Sequence[RowT]:
        return [*of_four(statement)] * 4

    assert KeySamples().end_of_range(four_times, 1, HOURS, *wanted) == KeySamples().end_of_range(
        of_one, 1, HOURS, *wanted
    )


def test_what_a_nearer_end_stands_for_is_counted_as_a_reach_is() -> None:
    samples = KeySamples()
    rows = samples_at(*range(0, 100_000, 100))
    after = ProcessKey(5000, 1, 1)
    upto, row_count = samples.end_of_range(rows, 1, HOURS, after, 10_000, 1)
    assert upto is not None

    assert samples.row_count(rows, 1, HOURS, after, upto) == row_count
    nearer = ProcessKey((upto.started_at + 5000) // 2, 1, 1)
    assert samples.row_count(rows, 1, HOURS, after, nearer) == pytest.approx(row_count / 2, rel=0.05)


@pytest.mark.parametrize("starts", [(5,) * 50, (5, 5, 5, 6), tuple(range(50)), (1, 1_000_000)])
@pytest.mark.parametrize("wanted", [1, 100, 10_000])
def test_going_on_always_comes_to_an_end(starts: tuple[int, ...], wanted: int) -> None:
    samples = KeySamples()
    after: ProcessKey | None = None
    for _ in range(1000):
        upto, row_count = samples.end_of_range(samples_at(*starts), 1, HOURS, after, wanted, 1)
        if upto is None:
            return
        assert row_count >= 0
        assert after is None or upto > after
        after = upto
    pytest.fail("no end")


def test_where_nothing_fits_the_reach_grows() -> None:
    samples = KeySamples()
    rows = samples_at(*range(0, 10_000_000, 1000))
    reaches = []
    for _ in range(4):
        _, row_count = samples.end_of_range(rows, 1, HOURS, None, 100, 77)
        reaches.append(row_count)
        samples.learn(77, row_count, 0)

    assert samples.has_learned(77)
    assert all(later > 5 * earlier for earlier, later in itertools.pairwise(reaches))


def test_many_hours_are_judged_by_a_few() -> None:
    asked: list[Select[Any]] = []

    def rows(statement: Select[RowT]) -> Sequence[RowT]:
        asked.append(statement)
        return [statement.row((start, 1, 1, 7, "part", start // 10)) for start in range(0, 1000, 10)]

    _, row_count = KeySamples().end_of_range(rows, 1, range(168), None, 1000, 1)

    (hours,) = (value for value in asked[0].parameters.values() if isinstance(value, list))
    assert len(hours) <= 6
    assert row_count > 0
