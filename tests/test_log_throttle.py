from __future__ import annotations

from procession.log_throttle import MAX_SUBJECTS, PERIOD_SECONDS, LogThrottle


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_line_about_a_subject_comes_in_a_minute() -> None:
    clock = Hand()
    throttle = LogThrottle(clock)

    assert throttle.admits("web-1")
    assert not throttle.admits("web-1")
    assert throttle.admits("web-2")
    clock.now += PERIOD_SECONDS - 1
    assert not throttle.admits("web-1")
    clock.now += 1
    assert throttle.admits("web-1")


def test_the_first_line_of_a_period_says_how_many_were_left_out_in_the_last_one() -> None:
    clock = Hand()
    throttle = LogThrottle(clock, max_lines=2, period_seconds=10)

    first = [throttle.admit("seen") for _ in range(5)]
    clock.now += 10
    second = [throttle.admit("seen"), throttle.admit("seen"), throttle.admit("seen")]
    clock.now += 25

    assert first == [0, 0, None, None, None]
    assert second == [3, 0, None]
    assert throttle.admit("seen") == 1


def test_a_period_begins_with_a_line_that_is_written_and_not_with_one_that_is_left_out() -> None:
    clock = Hand()
    throttle = LogThrottle(clock, period_seconds=10)

    admitted = []
    for _ in range(10):
        admitted.append(throttle.admits("web-1"))
        clock.now += 4

    assert admitted == [True, False, False] * 3 + [True]


def test_however_many_subjects_are_made_up_few_are_written_about_in_a_period() -> None:
    clock = Hand()
    throttle = LogThrottle(clock)

    assert sum(throttle.admits(f"host-{number}") for number in range(2 * MAX_SUBJECTS)) == MAX_SUBJECTS
    clock.now += PERIOD_SECONDS / 2
    assert not throttle.admits("web-1")
    clock.now += PERIOD_SECONDS / 2
    assert sum(throttle.admits(f"other-{number}") for number in range(2 * MAX_SUBJECTS)) == MAX_SUBJECTS


def test_a_subject_that_is_known_begins_another_period_however_many_others_are() -> None:
    clock = Hand()
    throttle = LogThrottle(clock, max_subjects=2)
    throttle.admit("first")
    clock.now += 50
    throttle.admit("second")
    clock.now += 20

    assert throttle.admits("first")
    assert not throttle.admits("third"), "both are of this period"
    clock.now += 40
    assert throttle.admits("third"), "the period of the second has ended"
