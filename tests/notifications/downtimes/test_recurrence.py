"""When a downtime holds: by the clock on the wall, in its scope, and worked out at once whatever the rule."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from procession.errors import InvalidRequest
from procession.notifications.downtimes.downtime import Downtime, OneTime, RecurrenceRule, Recurring
from procession.notifications.downtimes.recurrence import (
    Recurrence,
    check_start,
    parse_duration,
    parse_rule,
    parse_timezone,
)
from procession.notifications.downtimes.scope import folded_tags, parse_scope
from tests.support.notifying import HOSTILE, a_transition


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def a_recurrence(
    rule: str, start: str = "2026-01-05T03:00:00", zone: str = "Europe/Berlin", hours: int = 1
) -> Recurrence:
    begin = datetime.fromisoformat(start)
    return Recurrence(parse_rule(rule, begin), begin, zone, hours * 3600)


@pytest.mark.parametrize(
    ("rule", "now", "start"),
    [
        ("FREQ=DAILY", "2026-11-30T00:00", "2026-11-30T02:00"),
        ("FREQ=DAILY", "2026-07-01T00:00", "2026-07-01T01:00"),
        ("FREQ=DAILY", "2026-11-30T02:59:59", "2026-11-30T02:00"),
        ("FREQ=DAILY", "2026-11-30T03:00", "2026-12-01T02:00"),
        ("FREQ=WEEKLY;BYDAY=SA,SU", "2026-11-30T00:00", "2026-12-05T02:00"),
        ("FREQ=WEEKLY;INTERVAL=2", "2026-11-30T00:00", "2026-12-07T02:00"),
        ("FREQ=MONTHLY;BYDAY=1MO", "2026-11-30T00:00", "2026-12-07T02:00"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-11-30T00:00", "2028-02-29T02:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2031-01-30T00:00", "2031-01-31T02:00"),
        ("RRULE:FREQ=DAILY;COUNT=400", "2027-02-07T00:00", "2027-02-07T02:00"),
    ],
)
def test_a_rule_holds_by_the_clock_on_the_wall(rule: str, now: str, start: str) -> None:
    found = a_recurrence(rule).next(at(now))

    assert found is not None
    assert (found.start, found.end) == (at(start), at(start) + 3600)


@pytest.mark.parametrize(
    ("rule", "now"),
    [
        ("FREQ=DAILY;COUNT=3", "2026-11-30T00:00"),
        ("FREQ=DAILY;UNTIL=20261129T235959Z", "2026-11-30T12:00"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "2026-11-30T00:00"),
    ],
)
def test_a_rule_may_be_over_or_never_hold(rule: str, now: str) -> None:
    assert a_recurrence(rule).next(at(now)) is None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYSETPOS=300;BYHOUR=1",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYSETPOS=5",
        "FREQ=HOURLY;BYMINUTE=0,15,30,45",
        "FREQ=MONTHLY;INTERVAL=1000;BYMONTHDAY=31",
        "FREQ=DAILY;COUNT=1000;BYYEARDAY=366",
    ],
)
def test_no_rule_spins(rule: str) -> None:
    recurrence = a_recurrence(rule, hours=24)

    began = time.thread_time()
    recurrence.next(at("2036-11-30T00:00"))
    recurrence.last_ended(at("2036-11-29T00:00"), at("2036-11-30T00:00"))
    # Worked out to the end of the calendar, as the library would, it takes half a minute.
    assert time.thread_time() - began < 3


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=DAILY;BYSECOND=1",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;BYDAY=QQ",
        "FREQ=DAILY\nRRULE:FREQ=DAILY",
        "DTSTART:20260101T000000",
        "FREQ=DAILY;BYHOUR=99",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=HOURLY;BYMINUTE=0,10,20,30,40",
        "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=0,1,2,3,4",
        "FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 400),
        *HOSTILE,
    ],
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_rule(rule, datetime(2026, 1, 1))  # noqa: DTZ001 (on a wall clock)


def test_a_rule_that_its_start_never_comes_to_is_refused() -> None:
    rule = "FREQ=HOURLY;INTERVAL=2;BYHOUR=2"

    assert a_recurrence(rule, "2026-01-05T00:00:00").next(at("2026-11-30T00:00")) is not None
    with pytest.raises(InvalidRequest):
        a_recurrence(rule, "2026-01-05T01:00:00")


def test_times_and_starts_have_bounds() -> None:
    assert [parse_duration(text) for text in ("30m", "2h", "1d", "1w")] == [1800, 7200, 86400, 604800]
    for text in ("", "0m", "-1h", "1y", "32d", "1h30m", "1" * 50 + "m"):
        with pytest.raises(InvalidRequest):
            parse_duration(text)
    for year in (1, 1999, 9999):
        with pytest.raises(InvalidRequest):
            check_start(datetime(year, 1, 1), at("2026-11-30"))  # noqa: DTZ001 (on a wall clock)
    for name in ("Mars/Base", "../../etc/passwd", ""):
        with pytest.raises(InvalidRequest):
            parse_timezone(name)


def test_the_last_end_is_found() -> None:
    daily = a_recurrence("FREQ=DAILY")

    ended = daily.last_ended(at("2026-11-28T00:00"), at("2026-11-30T00:00"))
    assert ended is not None
    assert ended.end == at("2026-11-29T03:00")
    assert daily.last_ended(at("2026-11-29T03:00"), at("2026-11-30T00:00")) is None


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        ("*", True),
        ("env:prod", True),
        ("ENV:Prod host:web-1", True),
        ("env:prod, host:web-2", False),
        ("env:(staging OR prod) AND NOT host:web-2", True),
        ("env:prod AND host:web-*", True),
        ("NOT (env:prod OR env:dev)", False),
        ("!host:web-1", False),
        ('"host:web-1"', True),
        ("host:web-?", True),
        ("service:x OR (env:prod AND host:web-1)", True),
    ],
)
def test_a_scope_is_an_expression_over_tags(scope: str, holds: bool) -> None:
    assert parse_scope(scope)(folded_tags(["env:prod", "host:web-1"])) is holds


@pytest.mark.parametrize(
    ("scope", "tag", "holds"),
    [
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("*ab*ab", "ab", False),
        ("*ab*ab", "xabab", True),
        ("a**?", "a", False),
        ("a?*[x]*", "ab[x]", True),
        ("a*[xy]", "ax", False),
        (r"a*\d", "a1", False),
        ("a*.b", "axb", False),
        ("*", "\n", True),
        ("a*b", "a\nb", True),
        ("a*b", "a b ", False),
    ],
)
def test_stars_and_question_marks_stand_for_any_text(scope: str, tag: str, holds: bool) -> None:
    assert parse_scope(scope)(folded_tags([tag])) is holds


def test_no_scope_takes_long() -> None:
    test, tags = parse_scope("*a*a*a*a*ab"), folded_tags(["a" * 500])

    began = time.thread_time()
    assert not test(tags)
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    "scope",
    ["", " ", "(", ")", "a)", "AND", "a AND", "NOT", "(" * 50, "NOT " * 50 + "a", "a " * 101, "a" * 2001, "*a" * 6],
)
def test_what_is_no_scope_is_refused(scope: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_scope(scope)


def a_downtime(**values: object) -> Downtime:
    return replace_(
        Downtime(
            id="d",
            scope="*",
            schedule=OneTime(100, 200),
            monitor_id=None,
            monitor_tags=("*",),
            message=None,
            display_timezone=None,
            mute_first_recovery_notification=False,
            notify_end_states=("alert",),
            notify_end_types=("expired",),
            created_at=50,
            modified_at=50,
        ),
        **values,
    )


def replace_(downtime: Downtime, **values: object) -> Downtime:
    import msgspec

    return msgspec.structs.replace(downtime, **values)


def test_a_downtime_is_scheduled_active_ended_or_canceled() -> None:
    once = a_downtime()
    forever = a_downtime(schedule=OneTime(100))

    assert [once.status(now) for now in (99, 100, 199, 200)] == ["scheduled", "active", "active", "ended"]
    assert forever.status(10**9) == "active"
    assert a_downtime(canceled_at=150).status(160) == "canceled"
    assert [once.ended(150, 200), once.ended(200, 300), forever.ended(0, 10**9)] == [200, None, None]


def test_a_recurring_downtime_holds_again() -> None:
    rule = RecurrenceRule("FREQ=DAILY", "2026-01-05T03:00:00", "1h", 3600)
    downtime = a_downtime(schedule=Recurring("UTC", (rule,)))

    days = ("2026-11-30T02:59", "2026-11-30T03:30", "2026-12-01T03:30", "2026-12-01T04:00")
    assert [downtime.holds_at(at(day)) is not None for day in days] == [False, True, True, False]
    assert downtime.ended(at("2026-11-29T12:00"), at("2026-11-30T12:00")) == at("2026-11-30T04:00")


def test_a_downtime_concerns_monitors_by_id_or_tags_and_groups_by_scope() -> None:
    transition = a_transition(tags=("team:web", "a:b"))

    assert a_downtime(monitor_id=7).concerns(transition)
    assert not a_downtime(monitor_id=8).concerns(transition)
    assert a_downtime(monitor_tags=("a:b", "team:web")).concerns(transition)
    assert not a_downtime(monitor_tags=("a:b", "team:db")).concerns(transition)
    assert a_downtime(scope="env:prod").concerns(transition)  # of the query's .over()
    assert a_downtime(scope="host:web-1").concerns(transition)
    assert not a_downtime(scope="host:web-2").concerns(transition)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_into_the_scope_of_another(name: str) -> None:
    transition = a_transition(group=(("host", name),), query="processes('x').rollup('count').last('5m') < 1")

    assert not a_downtime(scope="host:web-2 OR env:prod OR service:other").concerns(transition)
