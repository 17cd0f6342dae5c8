"""A monitor as it is kept: what was sent, checked, and who made it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from procession.errors import InvalidRequest
from procession.monitors.options import MAX_MESSAGE_LENGTH, Options, checked_options, critical_of, options_of
from procession.monitors.query import MonitorQuery, parse_monitor_query

TYPE = "process alert"
OTHER_TYPES = (
    "composite",
    "event alert",
    "log alert",
    "metric alert",
    "query alert",
    "rum alert",
    "service check",
    "synthetics alert",
    "trace-analytics alert",
    "slo alert",
    "event-v2 alert",
    "audit alert",
    "ci-pipelines alert",
    "ci-tests alert",
    "error-tracking alert",
    "database-monitoring alert",
    "network-performance alert",
    "cost alert",
    "data-quality alert",
    "network-path alert",
)
"""Datadog's, none of which is evaluated here."""

MAX_NAME_LENGTH = 1000
MAX_TAGS = 100
MAX_TAG_LENGTH = 200
MEANING = 1
"""The number of the grammar and of its meaning: a monitor keeps the one that it was saved with."""


@dataclass(frozen=True, slots=True)
class Creator:
    id: int
    name: str
    handle: str
    email: str


@dataclass(frozen=True, slots=True)
class Monitor:
    org_id: int
    id: int
    name: str
    message: str
    query_text: str
    """As it was sent."""
    tags: tuple[str, ...]
    options: Mapping[str, Any]
    """As they are echoed: see `checked_options`."""
    priority: int | None
    restricted_roles: tuple[str, ...] | None
    is_draft: bool
    created_at: int
    """Microseconds since 1970, as the next."""
    modified_at: int
    creator: Creator
    changed_by: str = ""
    """The id of the key that changed it last."""
    meaning: int = MEANING

    @property
    def query_hash(self) -> str:
        return _hashed(self.query_text)

    @property
    def query(self) -> MonitorQuery:
        return parse_monitor_query(self.query_text)

    @property
    def rules(self) -> Options:
        return options_of(self.options, self.query)


@lru_cache(maxsize=8192)
def _hashed(query_text: str) -> str:
    return hashlib.blake2b(query_text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def new_monitor(
    org_id: int, monitor_id: int, body: Mapping[str, Any], *, creator: Creator, changed_by: str, now_us: int
) -> Monitor:
    """Raises InvalidRequest for what is wrong with the body."""
    for name in ("type", "query"):
        if body.get(name) is None:
            raise InvalidRequest(f"The parameter '{name}' is required")
    _check_type(body["type"])
    text = _text(body, "query", MAX_MESSAGE_LENGTH)
    return Monitor(
        org_id=org_id,
        id=monitor_id,
        name=_text(body, "name", MAX_NAME_LENGTH),
        message=_text(body, "message", MAX_MESSAGE_LENGTH),
        query_text=text,
        tags=_tags(body),
        options=checked_options(body.get("options"), parse_monitor_query(text)),
        priority=_priority(body),
        restricted_roles=_roles(body),
        is_draft=_is_draft(body),
        created_at=now_us,
        modified_at=now_us,
        creator=creator,
        changed_by=changed_by,
    )


def changed_monitor(monitor: Monitor, body: Mapping[str, Any], *, changed_by: str, now_us: int) -> Monitor:
    """What the body does not name stays; `options` are replaced whole. Raises InvalidRequest."""
    if body.get("type") not in (None, TYPE):
        _check_type(body["type"])
    text = _text(body, "query", MAX_MESSAGE_LENGTH) if body.get("query") is not None else monitor.query_text
    query = parse_monitor_query(text)
    sent = body.get("options", monitor.options)
    if "options" not in body and (thresholds := sent.get("thresholds") or {}).get("critical") is not None:
        # It follows the number of a query that is changed alone.
        sent = {**sent, "thresholds": {**thresholds, "critical": critical_of(query)}}
    return dataclasses.replace(
        monitor,
        name=_text(body, "name", MAX_NAME_LENGTH) if "name" in body else monitor.name,
        message=_text(body, "message", MAX_MESSAGE_LENGTH) if "message" in body else monitor.message,
        query_text=text,
        tags=_tags(body) if "tags" in body else monitor.tags,
        options=checked_options(sent, query),
        priority=_priority(body) if "priority" in body else monitor.priority,
        restricted_roles=_roles(body) if "restricted_roles" in body else monitor.restricted_roles,
        is_draft=_is_draft(body) if "draft_status" in body else monitor.is_draft,
        modified_at=now_us,
        changed_by=changed_by,
    )


def _check_type(found: Any) -> None:
    if found == TYPE:
        return
    if found in OTHER_TYPES:
        raise _invalid("type", f"Procession does not evaluate monitors of the type '{found}', only '{TYPE}'")
    raise _invalid("type", f"it is not '{TYPE}'")


def _text(body: Mapping[str, Any], name: str, most: int) -> str:
    found = body.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > most:
        raise _invalid(name, f"it is not a text of at most {most} characters")
    return found


def _tags(body: Mapping[str, Any]) -> tuple[str, ...]:
    found = body.get("tags") or []
    is_good = isinstance(found, list) and len(found) <= MAX_TAGS
    if not is_good or not all(isinstance(tag, str) and 0 < len(tag) <= MAX_TAG_LENGTH for tag in found):
        raise _invalid("tags", f"it is no list of at most {MAX_TAGS} texts, each of 1 to {MAX_TAG_LENGTH} characters")
    return tuple(found)


def _priority(body: Mapping[str, Any]) -> int | None:
    found: int | None = body.get("priority")
    if found is not None and (type(found) is not int or not 0 <= found <= 5):
        raise _invalid("priority", "it is not a whole number from 1 to 5")
    # Terraform's provider long sent 0 for none, and Datadog answers that with null.
    return found or None


def _roles(body: Mapping[str, Any]) -> tuple[str, ...] | None:
    found = body.get("restricted_roles")
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _invalid("restricted_roles", "it is no list of texts")
    return tuple(found)


def _is_draft(body: Mapping[str, Any]) -> bool:
    found = body.get("draft_status") or "published"
    if found not in ("draft", "published"):
        raise _invalid("draft_status", "it is neither draft nor published")
    return bool(found == "draft")


def _invalid(name: str, rule: str) -> InvalidRequest:
    return InvalidRequest(f"The value provided for parameter '{name}' is invalid: {rule}")
