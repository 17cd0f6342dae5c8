from __future__ import annotations

import pytest

from procession.agent.budget import Budget, share_of
from tests.support.clock import FastClock


def test_what_is_cheap_may_go_on_at_once() -> None:
    clock = FastClock()
    budget = Budget(0.01, 10.0, clock)

    clock.use(0.05)

    assert budget.seconds_until(0.05) == 0


def test_what_was_used_too_much_has_to_be_waited_for() -> None:
    clock = FastClock()
    budget = Budget(0.01, 10.0, clock)

    clock.use(0.3)  # of 0.1

    assert budget.seconds_until(0.05) == pytest.approx(25)
    clock.sleep(25)
    assert budget.seconds_until(0.05) == 0


def test_what_costs_more_than_an_interval_brings_has_its_turn_although_to_wait_costs_something_too() -> None:
    clock = FastClock()
    budget = Budget(0.02, 2.0, clock)
    clock.use(0.3)
    waits = 0
    while wait := budget.seconds_until(0.3):
        clock.sleep(min(wait, 2.0))
        clock.use(0.0003)
        waits += 1

    assert 15 < clock.monotonic() < 20
    assert waits < 15


def test_over_any_length_of_time_the_share_is_kept_with_one_round_more() -> None:
    clock = FastClock()
    budget = Budget(0.01, 10.0, clock)
    for _ in range(50):
        clock.use(0.4)
        clock.sleep(budget.seconds_until(0.4))

    assert clock.cpu() <= 0.01 * clock.monotonic() + 0.1 + 0.4


def test_nothing_is_saved_up_beyond_an_interval() -> None:
    clock = FastClock()
    budget = Budget(0.01, 10.0, clock)
    clock.sleep(3600)

    clock.use(0.2)

    assert budget.seconds_until(0.1) == pytest.approx(20)


def test_there_has_to_be_enough_for_what_comes_first() -> None:
    clock = FastClock()
    budget = Budget(0.01, 10.0, clock)
    clock.use(0.05)

    assert budget.allows(0.02, before=0.1, seconds=8)
    assert not budget.allows(0.04, before=0.1, seconds=8)


def test_without_a_share_there_is_no_limit() -> None:
    clock = FastClock()
    budget = Budget(None, 10.0, clock)
    clock.use(100)

    assert budget.seconds_until(100) == 0
    assert budget.allows(100, before=100, seconds=0)
    assert not budget.is_limited


@pytest.mark.parametrize(
    ("text", "share"), [("1%", 0.01), ("2.5 %", 0.025), ("3", 0.03), ("200%", 2.0), ("0", None), ("", None)]
)
def test_a_share_is_a_percentage(text: str, share: float | None) -> None:
    assert share_of(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["much", "-1%", "nan", "inf", "1%%"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"percentage|could not convert"):
        share_of(text)
