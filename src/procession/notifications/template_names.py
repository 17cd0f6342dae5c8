"""What a template may name, so that a message with a typo is refused when it is saved, and not found out by night."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from procession.errors import InvalidRequest
from procession.notifications.template import check_template

_STATES = ("alert", "warning", "no_data")

NAMES = frozenset(
    (
        "value",
        "threshold",
        "warn_threshold",
        "reason",
        "processes",
        "monitor.name",
        "is_recovery",
        "is_renotify",
        *(f"is_{state}" for state in _STATES),
        *(f"is_{state}_recovery" for state in _STATES),
        *(f"is_{one}_to_{other}" for one in _STATES for other in _STATES if one != other),
    )
)
"""What `message.template_values` gives, but for the keys of the group."""

_TAG = re.compile(r"\{\{(\{?)\s*([#^/&!]?)\s*(.*?)\s*(?:\}\}\}|\}\})", re.DOTALL)


def check_message(text: str, group_keys: Collection[str]) -> None:
    """Raises InvalidRequest for a template that cannot be rendered, and for one with a name that never has a value.

    `group_keys`: the keys that the monitor groups by.
    """
    check_template(text)
    for name in _names_in(text):
        key = name.removesuffix(".name")
        if name in NAMES or key in group_keys:
            continue
        if name.endswith(".name"):
            raise InvalidRequest(f"The message names {{{{{_short(name)}}}}}, and the query has no .by('{_short(key)}')")
        raise InvalidRequest(f"The message names {{{{{_short(name)}}}}}, which is no variable here")


def _names_in(text: str) -> Iterator[str]:
    for _, kind, name in _TAG.findall(text):
        if kind != "!":
            yield name


def _short(name: str) -> str:
    return name if len(name) <= 100 else f"{name[:100]}…"
