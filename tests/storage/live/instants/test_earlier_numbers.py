"""Numbers of sightings before the newest are kept as long as an instant of now may need them, and no more of them."""

from __future__ import annotations

import numpy as np

from procession.storage.live.columns import PACKED, Array
from procession.storage.live.instants.earlier_numbers import EarlierNumbers

AT = 1_700_000_000


def rows(*numbers: int) -> Array:
    return np.array(numbers, "i4")


def packed(count: int) -> Array:
    return np.zeros(count, PACKED)


def moments(kept: EarlierNumbers) -> list[int]:
    return [at for at, _, _ in kept.between(0, 2**32)]


def test_what_is_before_a_moment_is_forgotten() -> None:
    kept = EarlierNumbers()
    for at in (AT, AT + 10, AT + 20):
        kept.keep(at, rows(1, 2), packed(2))

    kept.forget_before(AT + 10, 2)

    assert moments(kept) == [AT + 10, AT + 20]
    assert kept.of(1, AT) is None
    assert kept.of(2, AT + 10) is not None


def test_a_host_that_is_far_ahead_takes_no_more_memory_than_eight_times_its_processes() -> None:
    kept = EarlierNumbers()
    for second in range(60):
        kept.keep(AT + second, rows(*range(200)), packed(200))
        kept.forget_before(AT, 200)

    assert moments(kept) == [AT + second for second in range(52, 60)]
    assert kept.held_bytes() < 9 * 200 * 100


def test_of_a_host_of_which_something_waits_a_minute_is_kept_at_a_pace_of_two_seconds() -> None:
    kept = EarlierNumbers()
    for second in range(0, 120, 2):
        kept.keep(AT + second, rows(*range(200)), packed(200))
        kept.forget_before(AT, 200, are_waiting=True)

    assert moments(kept) == [AT + second for second in range(56, 120, 2)]


def test_rows_that_get_another_number_are_found_under_it() -> None:
    kept = EarlierNumbers()
    kept.keep(AT, rows(1, 2), packed(2))

    kept.renumber(rows(-1, -1, 0))

    assert kept.of(0, AT) is not None
    assert kept.of(2, AT) is None
