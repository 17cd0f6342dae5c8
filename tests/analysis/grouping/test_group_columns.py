"""Percentiles of groups, whatever numbers they are of: the other suites compare whole answers with the oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.analysis.grouping.group_columns import percentile_columns

COUNTS = st.integers(0, 2**20) | st.integers(0, 2**63 - 1)
RATES = st.floats(0, width=32, allow_nan=False) | st.sampled_from((-0.0, -1.0, math.inf, math.nan))


def nearest_rank(values: list[float], percent: int) -> float:
    """The least value that at least so many percent do not exceed."""
    return min(value for value in values if 100 * sum(other <= value for other in values) >= percent * len(values))


@pytest.mark.parametrize("kind", ["i8", "f4"])
@given(st.data())
def test_percentiles_are_by_the_nearest_rank(kind: str, data: st.DataObject) -> None:
    amounts = RATES if kind == "f4" else COUNTS | st.just(-1)
    members = data.draw(st.lists(st.tuples(st.integers(0, 3), amounts), max_size=60))
    groups, values = np.array([one for one, _ in members], "i8"), np.array([one for _, one in members], kind)

    found = percentile_columns(groups, 5, values)

    for group in range(5):
        known = [one for one in values[groups == group].tolist() if one >= 0]
        for name, percent in (("p50", 50), ("p95", 95)):
            assert found[name][group] == (nearest_rank(known, percent) if known else 0)


def test_the_median_of_two_is_the_lower_and_the_95th_of_100_the_95th() -> None:
    groups = np.array([0, 0, *[1] * 100])
    values = np.array([7, 3, *range(100, 0, -1)])

    found = percentile_columns(groups, 2, values)

    assert (found["p50"].tolist(), found["p95"].tolist()) == ([3, 50], [7, 95])
