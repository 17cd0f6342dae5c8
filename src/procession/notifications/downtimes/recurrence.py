"""Recurring times by the rules of iCalendar, such as `FREQ=WEEKLY;BYDAY=SA,SU`: within bounds, whatever the rule."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import cache
from itertools import takewhile
from math import prod
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrule, rrulestr

from procession.errors import InvalidRequest

MAX_RULE_CHARACTERS = 500
MAX_COUNT = 1_000
MAX_INTERVAL = 1_000
MAX_MOMENTS_A_DAY = 96
MAX_DURATION_SECONDS = 31 * 86400
HORIZON_DAYS = 4 * 366 + 1
"""So far ahead the next occurrence is looked for: a rule for the 29th of February finds it."""
MAX_AGE_DAYS = 366
"""How long before it was made a rule may have begun."""

_PARTS = frozenset(
    (
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYDAY",
        "BYMONTHDAY",
        "BYMONTH",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYSETPOS",
        "BYHOUR",
        "BYMINUTE",
    )
)
_FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_STEP = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"(\d{1,6})([smhdw])")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Unix seconds; `end` is the first after it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recurrence:
    rule: str
    start: datetime
    """On the wall clock of the timezone."""
    timezone: str
    duration_seconds: int

    def next(self, now: int) -> Occurrence | None:
        """The one that holds at this moment, or the next after it; None where there is none within four years."""
        return next((one for one in self._from(now - self.duration_seconds) if one.end > now), None)

    def last_ended(self, since: int, now: int) -> Occurrence | None:
        """The last of those that ended after `since`, up to now."""
        begun = takewhile(lambda one: one.start <= now, self._from(since - self.duration_seconds))
        return max((one for one in begun if since < one.end <= now), key=lambda one: one.end, default=None)

    def _from(self, since: int) -> Iterator[Occurrence]:
        """Those that begin then or later, in their order."""
        zone = ZoneInfo(self.timezone)
        first = datetime.fromtimestamp(max(since, 0), zone).replace(tzinfo=None) - timedelta(days=1)
        last = max(first, self.start) + timedelta(days=HORIZON_DAYS)
        for moment in _occurrences(self, first, last):
            start = int(moment.replace(tzinfo=zone).timestamp())
            if start >= since:
                yield Occurrence(start, start + self.duration_seconds)


def normal_rule(text: str) -> str:
    return text.strip().upper().removeprefix("RRULE:")


def parse_rule(text: str, start: datetime) -> str:
    """The rule, checked with its start. Raises InvalidRequest for what is no rule, or one that could take long to work
    out."""
    rule = normal_rule(text)
    if len(text) > MAX_RULE_CHARACTERS or not re.fullmatch(r"[A-Z0-9=;,+-]+", rule):
        raise InvalidRequest(f"rrule: it is no rule of at most {MAX_RULE_CHARACTERS} characters")
    pairs = [part.partition("=")[::2] for part in rule.split(";") if part]
    parts = dict(pairs)
    if len(parts) != len(pairs) or not set(parts) <= _PARTS:
        unknown = ", ".join(sorted(set(parts) - _PARTS)) or "a part twice"
        raise InvalidRequest(f"rrule: it has {unknown[:100]}; it may have each of {', '.join(sorted(_PARTS))} once")
    if parts.get("FREQ") not in _FREQUENCIES:
        raise InvalidRequest(f"rrule: FREQ is none of {', '.join(_FREQUENCIES)}")
    for name, most in (("COUNT", MAX_COUNT), ("INTERVAL", MAX_INTERVAL)):
        if name in parts and not (re.fullmatch(r"\d{1,6}", parts[name]) and 1 <= int(parts[name]) <= most):
            raise InvalidRequest(f"rrule: {name} is no number from 1 to {most}")
    moments = prod(len(set(parts[name].split(","))) for name in ("BYHOUR", "BYMINUTE") if name in parts)
    if parts["FREQ"] == "HOURLY" and "BYHOUR" not in parts:
        moments *= 24
    if moments > MAX_MOMENTS_A_DAY:
        raise InvalidRequest(f"rrule: it has more than {MAX_MOMENTS_A_DAY} moments a day")
    try:
        _rule(rule, start)  # which may be one that the rule can never come to
    except (ValueError, TypeError, OverflowError, KeyError, AttributeError, IndexError) as error:
        raise InvalidRequest(f"rrule: {error}") from None
    return rule


def parse_duration(text: str) -> int:
    """Seconds of `30m`, `2h`, `1d`. Raises InvalidRequest."""
    match = _DURATION.fullmatch(text.strip())
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 1 <= seconds <= MAX_DURATION_SECONDS:
        raise InvalidRequest("duration: it is no time of at most 31 days, such as 30m, 2h, 1d or 1w")
    return seconds


def parse_timezone(text: str) -> str:
    """Raises InvalidRequest."""
    if text not in _timezones():
        raise InvalidRequest(f"timezone: there is none of the name {text[:100]!r}")
    return text


def check_start(start: datetime, now: int) -> None:
    """Raises InvalidRequest for a start that is too long ago, or too far ahead."""
    today = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    if not today - timedelta(days=MAX_AGE_DAYS) <= start <= today + timedelta(days=HORIZON_DAYS):
        raise InvalidRequest(f"start: it is more than {MAX_AGE_DAYS} days ago, or more than four years ahead")


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _rule(text: str, start: datetime) -> rrule:
    if "UNTIL=" in text:  # which dateutil wants as the start is: without a timezone
        text = re.sub(r"(UNTIL=\d{8}(?:T\d{6})?)Z", r"\1", text)
    found = rrulestr(text, dtstart=start)
    if not isinstance(found, rrule):
        raise TypeError("it is more than one rule")
    return found


def _occurrences(recurrence: Recurrence, first: datetime, last: datetime) -> Iterator[datetime]:
    """Between the two, found without going through all since the start."""
    text, start = recurrence.rule, recurrence.start
    parts = dict(part.split("=", 1) for part in text.split(";") if part)
    step = _STEP.get(parts["FREQ"])
    if step is not None and "COUNT" not in parts and start < first:
        # By whole intervals, so that every second Monday stays the same Mondays.
        interval = step * int(parts.get("INTERVAL", "1"))
        start += interval * max(0, (first - start) // interval - 1)
    begin = min(start, first)
    offset = _years_ahead(begin.year, last.year - begin.year)
    rule = _rule(text, start)
    until = last if rule._until is None else min(last, rule._until)
    for shifted in rule.replace(dtstart=_shifted(start, offset), until=None):
        moment = _shifted(shifted, -offset)
        if moment > until:
            return
        if moment >= first:
            yield moment


@cache
def _years_ahead(year: int, span: int) -> int:
    """To years at the end of the calendar that have the same days: a rule that never holds, such as for the 30th of
    February, is worked out until the year 9999, which takes the library half a minute from here."""
    for ahead in range(MAXYEAR - span - 4, MAXYEAR - span - 32, -1):
        if _shape(ahead) == _shape(year):
            return ahead - year
    raise AssertionError("of 28 years in a century, one has the days of any other")


def _shape(year: int) -> tuple[int, list[bool]]:
    return date(year, 1, 1).weekday(), [isleap(year + more) for more in range(4)]


def _shifted(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years)
