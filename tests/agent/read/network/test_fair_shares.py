"""Which namespaces have a turn, where there is not enough for all."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from procession.agent.read.network.fair_shares import fair_shares

MOST = 1000


def turns(sizes: dict[str, int], looks: int) -> list[list[str]]:
    looked_at: dict[str, int] = {}
    found: list[list[str]] = []
    for number in range(1, looks + 1):
        found.append(fair_shares(sizes, MOST, looked_at))
        looked_at |= dict.fromkeys(found[-1], number)
    return found


def test_one_that_is_too_large_takes_nothing_from_the_others() -> None:
    assert turns({"whale": 100_000, "a": 10, "b": 0, "c": 900}, 2) == [["b", "a", "c"]] * 2


def test_those_that_do_not_fit_together_take_turns() -> None:
    found = turns({"a": 400, "b": 400, "c": 400, "small": 20}, 6)

    assert all("small" in one for one in found)
    for before, after in pairwise(found):
        assert {"a", "b", "c"} <= {*before, *after}


def test_who_waits_longest_comes_first() -> None:
    assert fair_shares({"a": 1, "b": 2, "c": 3}, MOST, {"a": 2, "b": 1, "c": 2}) == ["b", "a", "c"]


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 2 * MOST), max_size=20))
def test_no_more_than_there_is_and_all_if_they_fit_and_nobody_waits_for_ever(sizes: dict[str, int]) -> None:
    found = turns(sizes, max(1, len(sizes)))

    for names in found:
        assert sum(sizes[name] for name in names) <= MOST
    if sum(sizes.values()) <= MOST:
        assert set(found[0]) == sizes.keys()
    small = [name for name, size in sizes.items() if size * len(sizes) <= MOST]
    assert all(set(small) <= set(names) for names in found)
