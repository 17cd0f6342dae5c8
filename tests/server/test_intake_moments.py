from __future__ import annotations

import pytest

from procession.server.intake_moments import MAX_REMEMBERED, MAX_SKEW_SECONDS, REMEMBERED_SECONDS, Moments
from tests.support.builders import NOON
from tests.support.served import Clock


@pytest.mark.parametrize(
    ("said_at", "at"),
    [(NOON - 5000, NOON - 5000), (NOON + MAX_SKEW_SECONDS, NOON + MAX_SKEW_SECONDS), (None, NOON), (0, NOON)],
)
def test_the_clock_of_an_agent_counts_unless_it_is_far_ahead(said_at: int | None, at: int) -> None:
    assert Moments(Clock()).of(1, "web-1", said_at) == at


def test_chunks_of_a_snapshot_from_a_clock_ahead_share_their_second() -> None:
    clock = Clock()
    moments = Moments(clock)

    first = moments.of(1, "web-1", NOON + 5000)
    clock.now += 3

    assert first == moments.of(1, "web-1", NOON + 5000) == NOON
    assert moments.of(1, "web-1", NOON + 5010) == NOON + 3
    assert moments.of(1, "web-2", NOON + 5000) == NOON + 3
    assert moments.of(2, "web-1", NOON + 5000) == NOON + 3


def test_only_so_many_are_remembered_and_none_for_long() -> None:
    clock = Clock()
    moments = Moments(clock)
    for number in range(2 * MAX_REMEMBERED):
        moments.of(1, f"host-{number}", NOON + 5000)
    assert len(moments._cut) == MAX_REMEMBERED

    clock.now += REMEMBERED_SECONDS
    assert moments.of(1, "web-1", NOON + 50_000) == clock.now
    assert len(moments._cut) == 1
