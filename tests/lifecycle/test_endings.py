from __future__ import annotations

import pytest

from procession.lifecycle.endings import (
    DEAD_SECONDS,
    START_TOLERANCE,
    ReportedExit,
    ending_of,
    exit_of,
    first_after,
    has_ended_between,
    is_last_look,
    is_near,
    starts_near,
    told_by,
)
from procession.process import Ending, ProcessKey
from tests.support.builders import NOON

STARTED = NOON - 600
KEY = ProcessKey(STARTED, 1, 7)


def an_exit(at: int, *, code: int = 1, executed_at: int = 0) -> ReportedExit:
    return ReportedExit(at, code, executed_at)


def test_a_process_of_which_nothing_tells_lives() -> None:
    assert ending_of(KEY, NOON, "S", None, []) == Ending()


def test_a_process_ends_by_the_first_exit_after_it_was_seen_alive() -> None:
    exits = [an_exit(NOON - 1, code=2), an_exit(NOON, code=3), an_exit(NOON + 9, code=4)]

    assert ending_of(KEY, NOON, "S", None, exits) == Ending(NOON, 3)


def test_a_process_that_a_complete_snapshot_lacks_has_ended_by_then() -> None:
    assert ending_of(KEY, NOON, "S", NOON + 10, []) == Ending(NOON + 10)
    assert ending_of(KEY, NOON, "S", NOON + 10, [an_exit(NOON + 10)]) == Ending(NOON + 10, 1)


def test_an_exit_after_the_snapshot_that_lacks_the_process_is_that_of_another() -> None:
    assert ending_of(KEY, NOON, "S", NOON + 10, [an_exit(NOON + 11)]) == Ending(NOON + 10)


@pytest.mark.parametrize("state", ["X", ""])
def test_a_process_that_was_not_seen_alive_may_have_ended_before(state: str) -> None:
    missing_at = NOON if state == "X" else None

    assert ending_of(KEY, NOON, state, missing_at, [an_exit(STARTED, code=9)]) == Ending(STARTED, 9)
    assert ending_of(KEY, NOON, state, missing_at, [an_exit(STARTED - 1)]).exit_code is None


def test_a_dead_process_is_seen_no_later_than_an_hour_after_its_end() -> None:
    old = ProcessKey(NOON - 5 * DEAD_SECONDS, 1, 7)

    assert ending_of(old, NOON, "X", NOON, [an_exit(NOON - DEAD_SECONDS - 1)]) == Ending(NOON)
    assert ending_of(old, NOON, "X", NOON, [an_exit(NOON - DEAD_SECONDS)]) == Ending(NOON - DEAD_SECONDS, 1)


def test_what_became_a_program_before_the_process_started_is_another() -> None:
    before, just_before = STARTED - START_TOLERANCE - 1, STARTED - START_TOLERANCE

    assert exit_of(STARTED, [an_exit(NOON, executed_at=before)], STARTED, None) is None
    assert exit_of(STARTED, [an_exit(NOON, executed_at=just_before)], STARTED, None) == an_exit(
        NOON, executed_at=just_before
    )


def test_a_start_may_be_off_by_two_seconds() -> None:
    assert [is_near(STARTED + shift, STARTED) for shift in (-3, -2, 0, 2, 3)] == [False, True, True, True, False]
    assert starts_near(100) == [100, 99, 101, 98, 102]


def test_the_first_snapshot_that_lacks_a_process_comes_after_its_sighting() -> None:
    assert first_after(NOON, [NOON - 10, NOON, NOON + 10, NOON + 20]) == NOON + 10
    assert first_after(NOON, [NOON]) is None
    assert first_after(NOON, []) is None


def test_an_exit_at_the_moment_of_a_sighting_ends_it_and_a_snapshot_then_does_not() -> None:
    assert has_ended_between(NOON, NOON + 10, [], [NOON])
    assert not has_ended_between(NOON, NOON + 10, [NOON], [])
    assert has_ended_between(NOON, NOON + 10, [NOON + 1], [])
    assert not has_ended_between(NOON, NOON + 10, [NOON + 10], [NOON + 10])


def test_a_last_look_at_the_dead_is_no_older_than_the_newest_sighting_and_has_the_start_of_the_process() -> None:
    assert is_last_look(KEY, NOON, NOON, STARTED + 2)
    assert not is_last_look(KEY, NOON, NOON - 1, STARTED)
    assert not is_last_look(KEY, NOON, NOON, STARTED + 3)


def test_of_several_sightings_in_one_second_that_of_the_dead_tells_the_most() -> None:
    assert sorted(("S", "X", ""), key=told_by) == ["", "S", "X"]
