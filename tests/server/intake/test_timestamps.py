from __future__ import annotations

import pytest

from procession.clock_skew import MAX_SKEW_SECONDS
from procession.log_throttle import MAX_SUBJECTS
from procession.server.intake.timestamps import (
    LOG_PERIOD_SECONDS,
    MAX_REMEMBERED,
    REMEMBERED_SECONDS,
    Timestamps,
)
from tests.support.builders import NOON
from tests.support.served import Clock


@pytest.mark.parametrize(
    ("said_at", "at"),
    [(NOON - 5000, NOON - 5000), (NOON + MAX_SKEW_SECONDS, NOON + MAX_SKEW_SECONDS), (None, NOON), (0, NOON)],
)
def test_the_clock_of_an_agent_counts_unless_it_is_far_ahead(said_at: int | None, at: int) -> None:
    assert Timestamps(Clock()).of(1, "web-1", said_at) == at


def test_chunks_of_a_snapshot_from_a_clock_ahead_share_their_second() -> None:
    clock = Clock()
    moments = Timestamps(clock)

    first = moments.of(1, "web-1", NOON + 5000)
    clock.now += 3

    assert first == moments.of(1, "web-1", NOON + 5000) == NOON
    assert moments.of(1, "web-1", NOON + 5010) == NOON + 3
    assert moments.of(1, "web-2", NOON + 5000) == NOON + 3
    assert moments.of(2, "web-1", NOON + 5000) == NOON + 3


def test_only_so_many_are_remembered_and_none_for_long() -> None:
    clock = Clock()
    moments = Timestamps(clock)
    for number in range(2 * MAX_REMEMBERED):
        moments.of(1, f"host-{number}", NOON + 5000)
    assert len(moments._now_instead) == MAX_REMEMBERED

    clock.now += REMEMBERED_SECONDS
    assert moments.of(1, "web-1", NOON + 50_000) == clock.now
    assert len(moments._now_instead) == 1


def test_a_clock_that_is_ahead_is_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    steady = 0.0
    moments = Timestamps(Clock(), lambda: steady)
    for said_at in range(NOON + 3000, NOON + 3600, 10):
        moments.of(1, "web-1", said_at)
    moments.of(1, "web-2", NOON + MAX_SKEW_SECONDS)
    moments.of(1, "web-2", NOON - 3600)
    first = list(caplog.messages)
    steady = LOG_PERIOD_SECONDS
    moments.of(1, "web-1", NOON + 5000)

    assert first == [
        (
            "the clock of 'web-1' is 3000 s ahead of this server's: what it sends is kept as of its arrival; "
            "no more of this host for 10 minutes"
        )
    ]
    assert len(caplog.messages) == 2


def test_however_many_names_are_made_up_few_are_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    moments = Timestamps(Clock(), lambda: 0.0)
    for number in range(2 * MAX_SUBJECTS):
        moments.of(1, f"host-{number}", NOON + 5000)

    assert len(caplog.messages) == MAX_SUBJECTS
