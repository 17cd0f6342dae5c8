"""Monitors as Datadog's API shows them: every key, in its order."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from procession.errors import InvalidRequest
from procession.monitors.group_state import GroupState, group_name
from procession.monitors.listing import MonitorWithStates
from procession.monitors.monitor import TYPE, Creator, Monitor
from procession.monitors.transition import State
from procession.notifications.downtimes.downtime import FOREVER, Downtime
from procession.text.characters import encodable

MAX_NESTING = 64
"""Levels of lists and objects in a body."""


def cleaned(value: Any) -> Any:
    """What was decoded of JSON, without characters that cannot be stored. Raises InvalidRequest for what is nested too
    deeply."""
    return _cleaned(value, MAX_NESTING)


def _cleaned(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if not isinstance(value, list | dict):
        return value
    if not levels:
        raise InvalidRequest(f"Invalid body: it is nested deeper than {MAX_NESTING} levels")
    if isinstance(value, list):
        return [_cleaned(one, levels - 1) for one in value]
    return {encodable(name): _cleaned(one, levels - 1) for name, one in value.items()}


def moment_text(microseconds: int) -> str:
    """RFC 3339 with microseconds, as `2026-11-30T12:00:00.000000+00:00`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06}+00:00"


def monitor_item(
    found: MonitorWithStates,
    *,
    is_new: bool = False,
    shown_states: Collection[State] = (),
    downtimes: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    monitor = found.monitor
    since = found.state_since
    item: dict[str, Any] = {
        "id": monitor.id,
        "org_id": monitor.org_id,
        "type": TYPE,
        "name": monitor.name,
        "message": monitor.message,
        "tags": list(monitor.tags),
        "query": monitor.query_text,
        "options": dict(monitor.options),
        "multi": bool(monitor.query.by),
        "created_at": monitor.created_at // 1000,
        "created": moment_text(monitor.created_at),
        "modified": moment_text(monitor.modified_at),
        "deleted": None,
        "priority": monitor.priority,
        "restricted_roles": None if monitor.restricted_roles is None else list(monitor.restricted_roles),
        **({"restriction_policy": None} if is_new else {}),
        "draft_status": "draft" if monitor.is_draft else "published",
        "assets": [],
        "overall_state_modified": None if since is None else moment_text(since * 1_000_000),
        "overall_state": found.state,
        "creator": creator_item(monitor.creator),
    }
    if downtimes is not None:
        item["matching_downtimes"] = downtimes
    if shown_states:
        groups = [one for one in found.groups if one.state in shown_states]
        item["state"] = {"groups": {group_name(one.group): group_item(one) for one in groups}}
    return item


def matching_downtimes(found: MonitorWithStates, downtimes: Sequence[Downtime], now: int) -> list[dict[str, Any]]:
    """Those that hold for it now or later, as Datadog's older API shows them: with a number for an id."""
    monitor = found.monitor
    return [
        {
            "id": _number_of(one),
            "start": current.start,
            "end": None if current.end == FOREVER else current.end,
            "scope": [one.scope],
            "groups": [
                group_name(state.group) for state in found.groups if one.covers(state.group, monitor.query_text)
            ],
        }
        for one in downtimes
        if one.concerns_monitor(monitor.id, monitor.tags) and (current := one.current(now)) is not None
    ]


def _number_of(downtime: Downtime) -> int:
    """Of 53 bits: clients in JavaScript can read no more."""
    return int.from_bytes(hashlib.blake2b(downtime.id.encode(), digest_size=8).digest(), "big") >> 11


def monitor_definition(monitor: Monitor) -> dict[str, Any]:
    """What whoever made it decided."""
    return {
        "name": monitor.name,
        "type": TYPE,
        "query": monitor.query_text,
        "message": monitor.message,
        "tags": list(monitor.tags),
        "options": dict(monitor.options),
        "priority": monitor.priority,
        "draft_status": "draft" if monitor.is_draft else "published",
        "restricted_roles": None if monitor.restricted_roles is None else list(monitor.restricted_roles),
    }


def creator_item(creator: Creator) -> dict[str, Any]:
    return {"name": creator.name, "handle": creator.handle, "email": creator.email, "id": creator.id}


def group_item(state: GroupState) -> dict[str, Any]:
    """The reason is a field of ours."""
    return {
        "last_nodata_ts": state.last_no_data_at or 0,
        "last_notified_ts": state.notified_at,
        "last_resolved_ts": state.last_resolved_at or 0,
        "last_triggered_ts": state.last_triggered_at or 0,
        "name": group_name(state.group),
        "status": state.state,
    }


def search_item(found: MonitorWithStates) -> dict[str, Any]:
    monitor = found.monitor
    return {
        "classification": "live_process",
        "creator": creator_item(monitor.creator),
        "id": monitor.id,
        "last_triggered_ts": found.last_triggered_at,
        "metrics": [],
        "name": monitor.name,
        "notifications": [{"handle": name, "name": name} for name in names_in(monitor)],
        "org_id": monitor.org_id,
        "query": monitor.query_text,
        "scopes": list(monitor.query.over),
        "status": found.state,
        "tags": list(monitor.tags),
        "type": TYPE,
    }


def names_in(monitor: Monitor) -> list[str]:
    """The channels that the message names, without their `@`."""
    words = (word.strip(".,;:!?()") for word in monitor.message.split() if word.startswith("@"))
    return list(dict.fromkeys(word[1:] for word in words if len(word) > 1))


def search_answer(found: Sequence[MonitorWithStates], page: int, per_page: int) -> dict[str, Any]:
    return {
        "counts": {
            "muted": _counts(one.is_muted for one in found),
            "status": _counts(str(one.state) for one in found),
            "tag": _counts(tag for one in found for tag in one.monitor.tags),
            "type": _counts(TYPE for _ in found),
        },
        "metadata": _metadata(len(found), page, per_page),
        "monitors": [search_item(one) for one in found[page * per_page : (page + 1) * per_page]],
    }


def groups_answer(found: Sequence[tuple[Monitor, GroupState]], page: int, per_page: int) -> dict[str, Any]:
    return {
        "counts": {"status": _counts(str(state.state) for _, state in found), "type": _counts(TYPE for _ in found)},
        "groups": [
            {
                "group": group_name(state.group),
                "group_tags": [f"{key}:{value}" for key, value in state.group],
                "last_nodata_ts": state.last_no_data_at or 0,
                "last_triggered_ts": state.last_triggered_at,
                "monitor_id": monitor.id,
                "monitor_name": monitor.name,
                "status": state.state,
            }
            for monitor, state in found[page * per_page : (page + 1) * per_page]
        ],
        "metadata": _metadata(len(found), page, per_page),
    }


def _metadata(total: int, page: int, per_page: int) -> dict[str, int]:
    return {"page": page, "page_count": -(-total // per_page), "per_page": per_page, "total_count": total}


def _counts(values: Iterable[str | bool]) -> list[dict[str, Any]]:
    return [{"count": count, "name": value} for value, count in Counter(values).most_common()]
