"""The body of a downtime in Datadog's API <-> a Downtime."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from procession.errors import InvalidRequest
from procession.notifications.downtimes.downtime import (
    FOREVER,
    NOTIFY_STATES,
    NOTIFY_TYPES,
    Downtime,
    OneTime,
    RecurrenceRule,
    Recurring,
)
from procession.notifications.downtimes.recurrence import (
    Occurrence,
    check_start,
    parse_duration,
    parse_rule,
    parse_timezone,
)
from procession.notifications.downtimes.scope import parse_scope

MAX_MESSAGE_CHARACTERS = 20_000
MAX_RECURRENCES = 5
MAX_TAGS = 100


def attributes_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises InvalidRequest."""
    data = body.get("data")
    if not isinstance(data, dict) or data.get("type") != "downtime" or not isinstance(data.get("attributes"), dict):
        raise InvalidRequest("data: it has not the type downtime and attributes")
    attributes: Mapping[str, Any] = data["attributes"]
    return attributes


def new_downtime(attributes: Mapping[str, Any], downtime_id: str, key_id: str, now: int) -> Downtime:
    """Raises InvalidRequest."""
    for name in ("scope", "monitor_identifier"):
        if attributes.get(name) is None:
            raise InvalidRequest(f"{name}: it is missing")
    empty = Downtime(
        id=downtime_id,
        scope="*",
        schedule=OneTime(now),
        monitor_id=None,
        monitor_tags=(),
        message=None,
        display_timezone="UTC",
        mute_first_recovery_notification=False,
        notify_end_states=tuple(sorted(NOTIFY_STATES)),
        notify_end_types=("expired",),
        created_at=now,
        modified_at=now,
        created_by=key_id,
        ends_seen_at=now,
    )
    return changed_downtime(empty, attributes, now)


def changed_downtime(before: Downtime, attributes: Mapping[str, Any], now: int) -> Downtime:
    """What is not said stays as it was. Raises InvalidRequest."""
    changes: dict[str, Any] = {"modified_at": now}
    if "scope" in attributes:
        scope = attributes["scope"]
        if not isinstance(scope, str):
            raise InvalidRequest("scope: it is no text")
        parse_scope(scope)
        changes["scope"] = scope
    if "monitor_identifier" in attributes:
        changes |= _monitor_identifier(attributes["monitor_identifier"])
    if "message" in attributes:
        changes["message"] = _message(attributes["message"])
    if "display_timezone" in attributes:
        zone = attributes["display_timezone"]
        changes["display_timezone"] = None if zone is None else parse_timezone(str(zone))
    if "mute_first_recovery_notification" in attributes:
        flag = attributes["mute_first_recovery_notification"]
        if not isinstance(flag, bool):
            raise InvalidRequest("mute_first_recovery_notification: it is neither true nor false")
        changes["mute_first_recovery_notification"] = flag
    for name, choices in (("notify_end_states", NOTIFY_STATES), ("notify_end_types", NOTIFY_TYPES)):
        if name in attributes:
            values = attributes[name]
            if not isinstance(values, list) or any(value not in tuple(choices) for value in values):
                raise InvalidRequest(f"{name}: it is no list of {', '.join(choices)}")
            changes[name] = tuple(dict.fromkeys(values))
    if attributes.get("schedule") is not None:
        changes["schedule"] = _schedule(attributes["schedule"], before, now)
    return msgspec.structs.replace(before, **changes)


def downtime_item(downtime: Downtime, now: int) -> dict[str, Any]:
    """As Datadog answers."""
    monitor = None if downtime.monitor_id is None else {"id": str(downtime.monitor_id), "type": "monitors"}
    identifier: dict[str, Any] = {"monitor_tags": downtime.monitor_tags}
    if downtime.monitor_id is not None:
        identifier = {"monitor_id": downtime.monitor_id}
    return {
        "type": "downtime",
        "id": downtime.id,
        "attributes": {
            "canceled": None if downtime.canceled_at is None else moment_text(downtime.canceled_at),
            "created": moment_text(downtime.created_at),
            "display_timezone": downtime.display_timezone,
            "message": downtime.message,
            "modified": moment_text(downtime.modified_at),
            "monitor_identifier": identifier,
            "mute_first_recovery_notification": downtime.mute_first_recovery_notification,
            "notify_end_states": downtime.notify_end_states,
            "notify_end_types": downtime.notify_end_types,
            "schedule": _schedule_item(downtime, now),
            "scope": downtime.scope,
            "status": downtime.status(now),
        },
        "relationships": {"created_by": {"data": None}, "monitor": {"data": monitor}},
    }


def moment_text(at: int) -> str:
    """With microseconds and an offset, as Datadog's."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def times_of(occurrence: Occurrence) -> dict[str, Any]:
    end = None if occurrence.end == FOREVER else moment_text(occurrence.end)
    return {"start": moment_text(occurrence.start), "end": end}


def _schedule_item(downtime: Downtime, now: int) -> dict[str, Any]:
    schedule = downtime.schedule
    if isinstance(schedule, OneTime):
        return times_of(Occurrence(schedule.start, FOREVER if schedule.end is None else schedule.end))
    item: dict[str, Any] = {
        "timezone": schedule.timezone,
        "recurrences": [
            {"rrule": one.rrule, "start": one.start, "duration": one.duration} for one in schedule.recurrences
        ],
    }
    current = downtime.current(now)
    return item if current is None else item | {"current_downtime": times_of(current)}


def _message(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and len(value) <= MAX_MESSAGE_CHARACTERS):
        raise InvalidRequest(f"message: it is no text of at most {MAX_MESSAGE_CHARACTERS} characters")
    return value


def _monitor_identifier(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        monitor_id, tags = value.get("monitor_id"), value.get("monitor_tags")
        if isinstance(monitor_id, int) and not isinstance(monitor_id, bool) and 0 < monitor_id < 2**63 and tags is None:
            return {"monitor_id": monitor_id, "monitor_tags": ()}
        is_list = isinstance(tags, list) and 1 <= len(tags) <= MAX_TAGS
        if is_list and monitor_id is None and all(isinstance(tag, str) and 0 < len(tag) <= 200 for tag in tags or ()):
            return {"monitor_id": None, "monitor_tags": tuple(tags or ())}
    raise InvalidRequest(f"monitor_identifier: it has neither monitor_id nor 1 to {MAX_TAGS} monitor_tags")


def _schedule(value: Any, before: Downtime, now: int) -> OneTime | Recurring:
    if not isinstance(value, dict):
        raise InvalidRequest("schedule: it is no object")
    if "recurrences" in value or "timezone" in value:
        return _recurring(value, before, now)
    start, end = value.get("start"), value.get("end")
    begin = now if start is None else _moment("start", start)
    if "start" not in value and isinstance(before.schedule, OneTime):
        begin = before.schedule.start
    finish = None if end is None else _moment("end", end)
    if "end" not in value and isinstance(before.schedule, OneTime):
        finish = before.schedule.end
    if finish is not None and finish <= max(begin, now):
        raise InvalidRequest("end: it is not after the start, or over already")
    return OneTime(begin, finish)


def _recurring(value: Mapping[str, Any], before: Downtime, now: int) -> Recurring:
    known = before.schedule if isinstance(before.schedule, Recurring) else Recurring("UTC", ())
    zone = parse_timezone(str(value.get("timezone", known.timezone)))
    if "recurrences" not in value:
        return Recurring(zone, known.recurrences)
    given = value["recurrences"]
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_RECURRENCES:
        raise InvalidRequest(f"recurrences: there are not 1 to {MAX_RECURRENCES}")
    return Recurring(zone, tuple(_recurrence(one, zone, now, known.recurrences) for one in given))


def _recurrence(value: Any, zone: str, now: int, known: Sequence[RecurrenceRule]) -> RecurrenceRule:
    if not isinstance(value, dict) or not isinstance(value.get("rrule"), str):
        raise InvalidRequest("recurrences: one has no rrule")
    if not isinstance(value.get("duration"), str):
        raise InvalidRequest("recurrences: one has no duration")
    start = value.get("start")
    if start is None:
        start = datetime.fromtimestamp(now, ZoneInfo(zone)).replace(tzinfo=None).isoformat(timespec="seconds")
    try:
        moment = datetime.fromisoformat(str(start))
    except ValueError:
        raise InvalidRequest("start: it is no moment such as 2026-01-31T20:00:00") from None
    if moment.tzinfo is not None:
        raise InvalidRequest("start: of a recurrence it has no offset; the timezone has a field of its own")
    if all(one.start != start for one in known):
        # One that grew old by itself may stay: what changes another field sends it again.
        check_start(moment, now)
    parse_rule(value["rrule"], moment)
    return RecurrenceRule(value["rrule"], str(start), value["duration"], parse_duration(value["duration"]))


def _moment(name: str, value: Any) -> int:
    text = str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d[T ][0-9:.]+(Z|[+-]\d\d:?\d\d)?", text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is not None:
            at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            if 0 <= at < FOREVER:
                return int(at)
    raise InvalidRequest(f"{name}: it is no moment such as 2026-01-31T20:00:00Z")
