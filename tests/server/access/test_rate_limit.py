from __future__ import annotations

import pytest

from procession.server.access.rate_limit import RateLimiter, RateLimitStatus
from tests.support.served import Clock

MINUTE = 1_700_000_040
"""The first second of one."""


def counted(limiter: RateLimiter, org_id: int = 1) -> RateLimitStatus:
    allowance = limiter.count(org_id)
    assert allowance is not None
    return allowance


def test_an_org_may_ask_as_often_as_the_limit_says() -> None:
    limiter = RateLimiter(3, Clock(MINUTE))

    allowances = [counted(limiter) for _ in range(5)]

    assert [(a.remaining, a.is_exceeded) for a in allowances] == [
        (2, False),
        (1, False),
        (0, False),
        (0, True),
        (0, True),
    ]


def test_the_count_begins_anew_with_each_minute_of_the_clock() -> None:
    clock = Clock(MINUTE + 59)
    limiter = RateLimiter(1, clock)
    counted(limiter)
    assert counted(limiter).is_exceeded

    clock.now += 1

    assert not counted(limiter).is_exceeded


@pytest.mark.parametrize(("second", "reset"), [(0, 60), (1, 59), (59, 1)])
def test_the_reset_lies_at_the_next_full_minute(second: int, reset: int) -> None:
    assert counted(RateLimiter(1, Clock(MINUTE + second))).reset_seconds == reset


def test_each_org_has_its_own_count() -> None:
    limiter = RateLimiter(1, Clock(MINUTE))
    counted(limiter, 1)

    assert not counted(limiter, 2).is_exceeded


def test_a_limit_of_zero_is_none() -> None:
    assert RateLimiter(0, Clock(MINUTE)).count(1) is None


def test_the_headers_are_the_recorded_five() -> None:
    assert counted(RateLimiter(100, Clock(MINUTE + 59))).headers("processes_get_all") == {
        "x-ratelimit-limit": "100",
        "x-ratelimit-period": "60",
        "x-ratelimit-remaining": "99",
        "x-ratelimit-reset": "1",
        "x-ratelimit-name": "processes_get_all",
    }
