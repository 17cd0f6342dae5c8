"""Datadog's `$EVENT_TITLE`, `$HOSTNAME`, ... in the address, headers and payload of a webhook.

All are filled in at once: what a value holds, be it `$SECRET`, is not looked at again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from procession.monitors.transition import Transition
from procession.notifications import message
from procession.notifications.escaping import plain

_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*)(?:\[([^\[\]\s\"$]{1,200})\])?")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\$[A-Z][A-Z0-9_]*(?:\[[^\[\]\s"$]{1,200}\])?', re.DOTALL)
"""In JSON: a string, or a variable outside of one."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?")


def event_variables(transition: Transition, *, notification_id: str, link: str) -> dict[str, str]:
    """What Datadog fills in, as far as it means anything here."""
    status = message.status_word(transition)
    text = message.text(transition)
    return {
        "AGGREG_KEY": transition.cycle_key,
        "ALERT_CYCLE_KEY": transition.cycle_key,
        "ALERT_ID": str(transition.monitor_id),
        "ALERT_METRIC": "processes",
        "ALERT_PRIORITY": f"P{transition.priority}" if transition.priority else "",
        "ALERT_QUERY": plain(transition.query),
        "ALERT_SCOPE": message.group_text(transition),
        "ALERT_STATUS": _status(transition),
        "ALERT_TITLE": message.title(transition),
        "ALERT_TRANSITION": status,
        "ALERT_TYPE": message.alert_type(transition),
        "DATE": str(transition.at * 1000),
        "DATE_POSIX": str(transition.at),
        "EMAIL": "",
        "EVENT_MSG": text,
        "EVENT_TITLE": message.title(transition),
        "EVENT_TYPE": "process_alert",
        "HOSTNAME": plain(message.host_of(transition)),
        "ID": notification_id,
        "LAST_UPDATED": str(transition.at * 1000),
        "LAST_UPDATED_POSIX": str(transition.at),
        "LINK": link,
        "ORG_ID": str(transition.org_id),
        "PRIORITY": "normal",
        "PROCESSES": plain(", ".join(transition.processes)),
        "REASON": plain(transition.reason),
        "TAGS": plain(", ".join((*(f"{key}:{value}" for key, value in transition.group), *transition.tags))),
        "TEXT_ONLY_MSG": text,
        "USER": "",
        "USERNAME": "",
    }


def tag_variables(transition: Transition) -> dict[str, str]:
    """For `$TAGS[host]`."""
    tags = dict(tag.split(":", 1) for tag in transition.tags if ":" in tag)
    return {key: plain(value) for key, value in {**tags, **dict(transition.group)}.items()}


class Variables:
    """Those of one notification, and those of its org. Names that are neither stay as they stand."""

    def __init__(self, event: Mapping[str, str], tags: Mapping[str, str], custom: Mapping[str, str]) -> None:
        self._event = event
        self._tags = tags
        self._custom = custom

    def in_url(self, url: str) -> str:
        """What an admin wrote may be any part of a URL; what a process says is one word in it."""
        return self._filled(url, event=lambda value: quote(value, safe=""), custom=str)

    def in_header(self, value: str) -> str:
        return self._filled(value, event=plain, custom=plain)

    def in_json(self, payload: str) -> str:
        """Inside a string of the payload a value is part of it; elsewhere it is a number, or a string of its own."""

        def filled(match: re.Match[str]) -> str:
            piece = match[0]
            if piece.startswith('"'):
                return self._filled(piece, event=_inside, custom=_inside)
            return self._filled(piece, event=_alone, custom=_alone)

        return _PIECE.sub(filled, payload)

    def _filled(self, text: str, *, event: Callable[[str], str], custom: Callable[[str], str]) -> str:
        def value(match: re.Match[str]) -> str:
            name, key = match.groups()
            if name == "TAGS" and key is not None:
                return event(self._tags.get(key, ""))
            index = f"[{key}]" if key is not None else ""
            if name in self._event:
                return event(self._event[name]) + index
            if name in self._custom:
                return custom(self._custom[name]) + index
            return match[0]

        return _VARIABLE.sub(value, text)


def _inside(value: str) -> str:
    return json.dumps(value)[1:-1]


def _alone(value: str) -> str:
    return value if _NUMBER.fullmatch(value) else json.dumps(value)


def _status(transition: Transition) -> str:
    value, threshold = message.number_text(transition.value), message.number_text(transition.threshold)
    about = f"{plain(transition.query)}: {value or 'no value'}, threshold {threshold or 'none'}"
    return f"{about}; {plain(transition.reason)}" if transition.reason else about
