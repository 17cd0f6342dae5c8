"""The `options` of a monitor: what was sent, checked and with Datadog's defaults; and what evaluation makes of them."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from procession.errors import InvalidRequest
from procession.monitors.query import MAX_NUMBER, MonitorQuery, number_text

MAX_MESSAGE_LENGTH = 64 * 1024
EXPECTED_SECONDS = 7 * 86400
"""For how long a group that nothing was seen of is still expected, unless `group_retention_duration` says else."""

MAX_EXPECTED_SECONDS = 90 * 86400
"""Nothing is known of what was earlier."""

_DEFAULTS: dict[str, Any] = {
    "notify_audit": False,
    "silenced": {},
    "include_tags": True,
    "new_host_delay": 300,
    "notify_no_data": False,
}
_THRESHOLDS = ("critical", "warning", "critical_recovery", "warning_recovery", "ok", "unknown")
_DURATION = re.compile(r"([1-9]\d{0,4})([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1440}
_NOT_EVALUATED: dict[str, tuple[Any, ...]] = {
    "scheduling_options": (),
    "notify_by": ([],),
    "variables": ([],),
    "min_failure_duration": (0,),
    "min_location_failed": (1,),
    "threshold_windows": (),
}
"""Options of Datadog that would change what is evaluated or sent, and do not here: refused where they are given, but
with these values, which change nothing at Datadog either. Its Java client sends some in every monitor."""


class OnMissingData(enum.StrEnum):
    DEFAULT = "default"
    SHOW = "show_no_data"
    SHOW_AND_NOTIFY = "show_and_notify_no_data"
    RESOLVE = "resolve"


def _whole(least: int, most: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        is_good = type(value) is int and least <= value <= most
        return None if is_good else f"it is not a whole number from {least} to {most}"

    return check


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "it is not true or false"


def _text(value: Any) -> str | None:
    is_good = isinstance(value, str) and len(value) <= MAX_MESSAGE_LENGTH
    return None if is_good else f"it is not a text of at most {MAX_MESSAGE_LENGTH} characters"


def _one_of(*names: str) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        return None if value in names else f"it is none of {', '.join(names)}"

    return check


def _statuses(value: Any) -> str | None:
    known = ("alert", "warn", "no data")
    is_good = isinstance(value, list) and all(one in known for one in value)
    return None if is_good else f"it is no list of {', '.join(known)}"


def _silenced(value: Any) -> str | None:
    is_good = isinstance(value, dict) and all(end is None or type(end) is int for end in value.values())
    return None if is_good else "it does not give each scope a time in Unix seconds, or null"


def _duration(value: Any) -> str | None:
    is_good = isinstance(value, str) and _DURATION.fullmatch(value) is not None
    return None if is_good else "it is no duration such as 2h"


_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "evaluation_delay": _whole(0, 86400),
    "new_group_delay": _whole(0, 86400),
    "new_host_delay": _whole(0, 86400),
    "no_data_timeframe": _whole(0, 10080),
    "renotify_interval": _whole(0, 43200),
    "renotify_occurrences": _whole(0, 10000),
    "timeout_h": _whole(0, 24),
    "renotify_statuses": _statuses,
    "notify_no_data": _flag,
    "notify_audit": _flag,
    "include_tags": _flag,
    "require_full_window": _flag,
    "locked": _flag,
    "escalation_message": _text,
    "on_missing_data": _one_of(*OnMissingData),
    "notification_preset_name": _one_of("show_all", "hide_query", "hide_handles", "hide_all"),
    "silenced": _silenced,
    "group_retention_duration": _duration,
    "expected_groups": _one_of("had_processes", "tagged_hosts"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What evaluation goes by. Moments and lengths are in seconds."""

    critical: float
    warning: float | None = None
    critical_recovery: float | None = None
    warning_recovery: float | None = None
    missing: OnMissingData = OnMissingData.SHOW
    no_data_seconds: int = 0
    new_group_delay: int = 0
    evaluation_delay: int = 0
    renotify_seconds: int = 0
    """0: never again."""
    renotify_occurrences: int | None = None
    renotify_statuses: tuple[str, ...] = ("alert", "no data")
    timeout_seconds: int = 0
    escalation_message: str = ""
    require_full_window: bool = False
    expected_seconds: int = EXPECTED_SECONDS
    expects_tagged_hosts: bool = False
    """Whether all hosts that have the tags of `.over()` are expected, also where nothing ran there."""
    silenced: tuple[tuple[str, int | None], ...] = ()


def checked_options(sent: Any, query: MonitorQuery) -> dict[str, Any]:
    """As they are kept and echoed: all that was sent, and Datadog's defaults. Raises InvalidRequest for what is wrong
    or would not be done."""
    if sent is None:
        sent = {}
    if not isinstance(sent, dict):
        raise _invalid("options", "it is not an object")
    for name, value in sent.items():
        if value is None:
            continue
        if name in _NOT_EVALUATED and value not in _NOT_EVALUATED[name]:
            raise _invalid(f"options.{name}", "Procession does not do this for process monitors")
        if name in _CHECKS and (fault := _CHECKS[name](value)) is not None:
            raise _invalid(f"options.{name}", fault)
    if sent.get("notify_no_data") and sent.get("on_missing_data") is not None:
        raise _invalid("options.on_missing_data", "it cannot be used together with notify_no_data")
    if sent.get("expected_groups") == "tagged_hosts" and (query.by != ("host",) or not query.tags.conditions):
        raise _invalid("options.expected_groups", "tagged_hosts needs a query with .over('TAG') and .by('host')")
    if sent.get("thresholds") is not None:
        _check_thresholds(sent["thresholds"], query)
    options = {**_DEFAULTS, **sent}
    if options["silenced"] is None:
        options["silenced"] = {}
    if options.get("thresholds") == {}:
        # As Datadog: Terraform shows a difference for ever where there are thresholds that nobody sent.
        del options["thresholds"]
    return options


def critical_of(query: MonitorQuery) -> int | float:
    """The number of the query, as it stands in `thresholds`."""
    return int(query.threshold) if query.threshold == int(query.threshold) else query.threshold


def _check_thresholds(sent: Any, query: MonitorQuery) -> None:
    name = "options.thresholds"
    if not isinstance(sent, dict) or any(key not in _THRESHOLDS for key in sent):
        raise _invalid(name, f"it is no object with {', '.join(_THRESHOLDS)}")
    for key, value in sent.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise _invalid(f"{name}.{key}", "it is not a number")
        if value is not None and abs(value) >= MAX_NUMBER:
            raise _invalid(f"{name}.{key}", "it has more than 300 digits")
    if sent.get("critical") not in (None, query.threshold):
        raise _invalid(name, f"critical does not match the {number_text(query.threshold)} that the query has")
    _check_order(sent, query)


def _check_order(thresholds: Mapping[str, Any], query: MonitorQuery) -> None:
    """A warning comes before the alert, and recovery after neither holds any more."""
    name = "options.thresholds"
    critical, warning = query.threshold, thresholds.get("warning")
    if query.comparison in ("==", "!="):
        if any(thresholds.get(key) is not None for key in ("warning", "critical_recovery", "warning_recovery")):
            raise _invalid(name, f"with {query.comparison} there is only critical")
        return
    upward = query.comparison in (">", ">=")
    if warning is not None and (warning >= critical if upward else warning <= critical):
        raise _invalid(name, f"warning is not {'below' if upward else 'above'} critical")
    for level, threshold in (("critical", critical), ("warning", warning)):
        recovery = thresholds.get(f"{level}_recovery")
        if recovery is None:
            continue
        if threshold is None:
            raise _invalid(name, f"{level}_recovery needs {level}")
        if recovery > threshold if upward else recovery < threshold:
            raise _invalid(name, f"{level}_recovery is not {'below' if upward else 'above'} {level}")


def options_of(kept: Mapping[str, Any], query: MonitorQuery) -> Options:
    """What `checked_options` gave, for evaluation."""
    thresholds = kept.get("thresholds") or {}
    by_host = "host" in query.by
    delay = kept.get("new_group_delay")
    return Options(
        critical=query.threshold,
        warning=thresholds.get("warning"),
        critical_recovery=thresholds.get("critical_recovery"),
        warning_recovery=thresholds.get("warning_recovery"),
        missing=_missing(kept),
        no_data_seconds=60 * (kept.get("no_data_timeframe") or 0),
        new_group_delay=(kept["new_host_delay"] or 0 if by_host else 0) if delay is None else delay,
        evaluation_delay=kept.get("evaluation_delay") or 0,
        renotify_seconds=60 * (kept.get("renotify_interval") or 0),
        renotify_occurrences=kept.get("renotify_occurrences"),
        renotify_statuses=tuple(kept.get("renotify_statuses") or ("alert", "no data")),
        timeout_seconds=3600 * (kept.get("timeout_h") or 0),
        escalation_message=kept.get("escalation_message") or "",
        require_full_window=bool(kept.get("require_full_window")),
        expected_seconds=_expected_seconds(kept.get("group_retention_duration")),
        expects_tagged_hosts=kept.get("expected_groups") == "tagged_hosts",
        silenced=tuple((kept.get("silenced") or {}).items()),
    )


def _expected_seconds(duration: str | None) -> int:
    match = _DURATION.fullmatch(duration or "")
    return min(60 * int(match[1]) * _MINUTES[match[2]], MAX_EXPECTED_SECONDS) if match else EXPECTED_SECONDS


def _missing(kept: Mapping[str, Any]) -> OnMissingData:
    said = OnMissingData(kept.get("on_missing_data") or OnMissingData.DEFAULT)
    if said is not OnMissingData.DEFAULT:
        return said
    return OnMissingData.SHOW_AND_NOTIFY if kept.get("notify_no_data") else OnMissingData.SHOW


def _invalid(name: str, rule: str) -> InvalidRequest:
    return InvalidRequest(f"The value provided for parameter '{name}' is invalid: {rule}")
