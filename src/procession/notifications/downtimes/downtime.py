"""A downtime: monitors in a scope say nothing while it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from procession.monitors.group_state import Group
from procession.monitors.transition import State, Transition
from procession.notifications.downtimes.recurrence import Occurrence, Recurrence, normal_rule
from procession.notifications.downtimes.scope import folded_tags, parse_scope

MAX_LIVE_DOWNTIMES = 100
"""Of an org: those that hold now, or will."""
FOREVER = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())

NOTIFY_STATES = {"alert": State.ALERT, "warn": State.WARN, "no data": State.NO_DATA}
NOTIFY_TYPES = ("canceled", "expired")

_OVER = re.compile(r"\.over\(([^)]*)\)")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")


class OneTime(msgspec.Struct, frozen=True, tag="one time"):
    start: int
    end: int | None = None
    """None: until somebody cancels it."""


class RecurrenceRule(msgspec.Struct, frozen=True):
    rrule: str
    """As it was sent."""
    start: str
    """On the wall clock of the timezone, as 2026-01-31T20:00:00."""
    duration: str
    duration_seconds: int


class Recurring(msgspec.Struct, frozen=True, tag="recurring"):
    timezone: str
    recurrences: tuple[RecurrenceRule, ...]


class Downtime(msgspec.Struct, frozen=True):
    id: str
    scope: str
    schedule: OneTime | Recurring
    monitor_id: int | None
    monitor_tags: tuple[str, ...]
    """Where there is no id: the monitors with all of them; `*` is every monitor."""
    message: str | None
    display_timezone: str | None
    mute_first_recovery_notification: bool
    notify_end_states: tuple[str, ...]
    notify_end_types: tuple[str, ...]
    created_at: int
    modified_at: int
    canceled_at: int | None = None
    created_by: str = ""
    """The id of the key that made it."""
    ends_seen_at: int = 0
    """Up to when it was looked after what its ends let through."""

    def concerns_monitor(self, monitor_id: int, tags: Sequence[str]) -> bool:
        if self.monitor_id is not None:
            return self.monitor_id == monitor_id
        return "*" in self.monitor_tags or set(self.monitor_tags) <= set(tags)

    def concerns(self, transition: Transition) -> bool:
        """Whether the monitor is one of those meant, and the group is in the scope."""
        return self.concerns_monitor(transition.monitor_id, transition.tags) and self.covers(
            transition.group, transition.query
        )

    def covers(self, group: Group, query: str) -> bool:
        """Whether a group of a monitor with this query is in the scope."""
        tags = [f"{key}:{value}" for key, value in group]
        return parse_scope(self.scope)(folded_tags([*tags, *query_tags(query)]))

    def current(self, now: int) -> Occurrence | None:
        """The time in which it holds now, or will next; None where it is over."""
        if self.canceled_at is not None:
            return None
        if isinstance(self.schedule, OneTime):
            end = FOREVER if self.schedule.end is None else self.schedule.end
            return Occurrence(self.schedule.start, end) if end > now else None
        found = [one for one in (rule.next(now) for rule in recurrences_of(self.schedule)) if one is not None]
        return min(found, key=lambda one: one.start, default=None)

    def holds_at(self, now: int) -> Occurrence | None:
        current = self.current(now)
        return current if current is not None and current.start <= now else None

    def status(self, now: int) -> str:
        """Datadog's word."""
        if self.canceled_at is not None:
            return "canceled"
        current = self.current(now)
        if current is None:
            return "ended"
        return "active" if current.start <= now else "scheduled"

    def ended(self, since: int, now: int) -> int | None:
        """The last moment after `since`, up to now, at which it stopped to hold by itself."""
        if self.canceled_at is not None:
            return None
        if isinstance(self.schedule, OneTime):
            end = self.schedule.end
            return end if end is not None and since < end <= now else None
        found = (rule.last_ended(since, now) for rule in recurrences_of(self.schedule))
        ends = [one.end for one in found if one is not None]
        return max(ends, default=None)


def recurrences_of(schedule: Recurring) -> list[Recurrence]:
    return [
        Recurrence(
            normal_rule(rule.rrule), datetime.fromisoformat(rule.start), schedule.timezone, rule.duration_seconds
        )
        for rule in schedule.recurrences
    ]


def query_tags(query: str) -> list[str]:
    """Those of `.over('env:prod')`: tags that all groups of the monitor have."""
    return [one or other for over in _OVER.findall(query) for one, other in _QUOTED.findall(over)]
