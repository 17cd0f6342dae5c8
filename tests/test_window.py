from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.errors import InvalidParameter, InvalidRequest
from procession.window import Window
from tests.support.builders import NOON

RETENTION_HOURS = 36
OLDEST = NOON - RETENTION_HOURS * 3600


def asked(from_at: int | None = None, to_at: int | None = None) -> Window:
    return Window.from_bounds(from_at, to_at, now=NOON, retention_hours=RETENTION_HOURS)


def test_a_window_defaults_to_the_last_15_minutes() -> None:
    assert asked() == Window(NOON - 900, NOON)


def test_a_bound_that_is_missing_lies_15_minutes_from_the_other() -> None:
    assert asked(from_at=NOON - 5000) == Window(NOON - 5000, NOON - 4100)
    assert asked(to_at=NOON - 5000) == Window(NOON - 5900, NOON - 5000)


def test_a_window_may_be_one_second() -> None:
    assert asked(NOON - 7, NOON - 7) == Window(NOON - 7, NOON - 7)


def test_an_end_in_the_future_is_cut_to_now() -> None:
    assert asked(NOON - 60, NOON + 60) == Window(NOON - 60, NOON)
    assert asked(from_at=NOON - 60) == Window(NOON - 60, NOON)
    # The missing beginning is counted from the end that was asked for, not from where it was cut.
    assert asked(to_at=NOON + 60) == Window(NOON - 840, NOON)


def test_a_window_in_the_future_holds_no_moment() -> None:
    for window in (asked(NOON + 10, NOON + 20), asked(from_at=NOON + 10), asked(to_at=NOON + 2000)):
        assert window.from_at > window.to_at


def test_a_beginning_before_the_retention_is_cut_to_it() -> None:
    assert asked(0, NOON) == Window(OLDEST, NOON)
    assert asked(to_at=OLDEST) == Window(OLDEST, OLDEST)


def test_a_window_all_of_which_is_older_than_the_retention_is_refused() -> None:
    for bounds in ((1000, 1000), (None, OLDEST - 1), (OLDEST - 901, None), (0, OLDEST - 1)):
        with pytest.raises(InvalidRequest) as caught:
            asked(*bounds)

        assert caught.value.messages == ("Only data from the past 36 hours are available",)


def test_a_beginning_after_the_end_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="Invalid query parameter from: it is after to"):
        asked(NOON - 10, NOON - 11)


MOMENTS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(OLDEST - 2000, NOON + 2000)


@given(MOMENTS, MOMENTS)
def test_any_bounds_give_a_window_within_retention_and_now_or_are_refused(
    from_at: int | None, to_at: int | None
) -> None:
    try:
        window = asked(from_at, to_at)
    except InvalidRequest:
        return

    assert window.from_at >= OLDEST
    assert OLDEST <= window.to_at <= NOON
