"""A transition -> title, text and the names that it calls: `@webhook-oncall`, `@ops@example.org`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from procession.errors import InvalidRequest
from procession.monitors.transition import State, Transition, TransitionKind
from procession.notifications.escaping import clipped, plain
from procession.notifications.template import Value, render

MAX_TITLE_CHARACTERS = 512
MAX_TEXT_CHARACTERS = 8_000

_VALUE = "\0"
"""Stands for each value where names are looked for: a name that a value is part of is none."""
_MENTION = re.compile(r"(?<![\w.@-])@([^\s,;()<>\"'|\[\]]+)")
_SECTION = re.compile(r"(?=\{\{\s*[#^/])")

_IS = {State.ALERT: "alert", State.WARN: "warning", State.NO_DATA: "no_data"}
_FIRST_WORD = {State.ALERT: "Triggered", State.WARN: "Warn", State.NO_DATA: "No Data", State.OK: "Recovered"}
_ALERT_TYPE = {State.ALERT: "error", State.WARN: "warning", State.NO_DATA: "warning", State.OK: "success"}


def mentions(transition: Transition) -> tuple[str, ...]:
    """The names in the message for this state, without their @, each once. No value can add or change one.

    A message that is no template calls all names that stand in it: better one too many than nobody.
    """
    try:
        # A name ends where a section begins or ends.
        template = _SECTION.sub(" ", transition.message)
        text = render(template, template_values(transition), lambda _: _VALUE)
    except InvalidRequest:
        text = transition.message
    found = (match.rstrip(".:!?") for match in _MENTION.findall(text) if _VALUE not in match)
    return tuple(dict.fromkeys(filter(None, found)))


def title(transition: Transition) -> str:
    """`[Triggered on {host:web-1}] nginx is gone`, as Datadog's: on one line, with values as they are."""
    group = ", ".join(f"{key}:{value}" for key, value in transition.group)
    where = f" on {{{plain(group)}}}" if group else ""
    test = "[TEST] " if transition.kind is TransitionKind.TEST else ""
    name = plain(_rendered(transition.monitor_name, transition, plain))
    return clipped(f"{test}[{status_word(transition)}{where}] {name}", MAX_TITLE_CHARACTERS)


def text(transition: Transition, escape: Callable[[str], str] = plain) -> str:
    """The message, with its values escaped for where it goes."""
    return clipped(_rendered(transition.message, transition, escape), MAX_TEXT_CHARACTERS)


def status_word(transition: Transition) -> str:
    """Datadog's `$ALERT_TRANSITION`."""
    word = _FIRST_WORD.get(transition.state, str(transition.state))
    return f"Re-{word}" if transition.kind in (TransitionKind.RENOTIFY, TransitionKind.ESCALATED) else word


def alert_type(transition: Transition) -> str:
    """Datadog's `$ALERT_TYPE`."""
    return _ALERT_TYPE.get(transition.state, "info")


def group_text(transition: Transition) -> str:
    """`host:web-1,service:shop`; `*` for a simple alert. On one line."""
    return plain(",".join(f"{key}:{value}" for key, value in transition.group)) or "*"


def host_of(transition: Transition) -> str:
    return dict(transition.group).get("host", "")


def moment_text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def template_values(transition: Transition) -> dict[str, Value]:
    """What a template may name."""
    state, previous = transition.state, transition.previous
    is_recovery = state is State.OK
    values: dict[str, Value] = {
        "value": number_text(transition.value),
        "threshold": number_text(transition.threshold),
        "warn_threshold": number_text(transition.warn_threshold),
        "reason": transition.reason,
        "processes": ", ".join(transition.processes),
        "monitor.name": transition.monitor_name,
        "is_recovery": is_recovery,
        "is_renotify": transition.kind in (TransitionKind.RENOTIFY, TransitionKind.ESCALATED),
    }
    for one, name in _IS.items():
        values[f"is_{name}"] = state is one
        values[f"is_{name}_recovery"] = is_recovery and previous is one
        for other, other_name in _IS.items():
            if one is not other:
                values[f"is_{name}_to_{other_name}"] = previous is one and state is other
    for key, value in transition.group:
        values[f"{key}.name"] = value
        values.setdefault(key, value)
    return values


def number_text(number: float | None) -> str:
    """Whole numbers without a point."""
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else f"{number:.6g}"


def _rendered(template: str, transition: Transition, escape: Callable[[str], str]) -> str:
    """A template that cannot be rendered comes as it stands: an alarm is not lost to a typo."""
    try:
        return render(template, template_values(transition), escape)
    except InvalidRequest:
        return template
