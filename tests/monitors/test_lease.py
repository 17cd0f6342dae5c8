from __future__ import annotations

from procession.monitors.lease import EvaluationLease, holder, last_evaluated

FIRST = EvaluationLease("a", since=5, until=100, evaluated_at=60)
SECOND = EvaluationLease("b", since=9, until=190, evaluated_at=120)


def test_of_several_servers_the_first_that_asked_evaluates() -> None:
    assert holder([SECOND, FIRST], now=99) == FIRST
    assert holder([EvaluationLease("0", 5, 100, 0), FIRST], now=99) == EvaluationLease("0", 5, 100, 0)


def test_another_takes_over_when_the_first_is_silent() -> None:
    assert holder([SECOND, FIRST], now=100) == SECOND
    assert holder([SECOND, FIRST], now=190) is None


def test_who_takes_over_knows_how_far_the_other_came() -> None:
    assert last_evaluated([SECOND, FIRST]) == 120
    assert last_evaluated([]) == 0
