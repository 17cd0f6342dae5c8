"""What of a monitor whoever made it decided: what a file has of it, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from procession.errors import InvalidRequest, UsageError
from procession.monitors.options import checked_options
from procession.monitors.query import parse_monitor_query

TYPE = "process alert"
DEFAULTS: Mapping[str, Any] = {
    "name": "",
    "type": TYPE,
    "query": "",
    "message": "",
    "tags": [],
    "priority": None,
    "draft_status": "published",
    "restricted_roles": None,
    "options": {},
}

Definition = Mapping[str, Any]
"""With all fields of DEFAULTS."""


def definition_of(monitor: Mapping[str, Any]) -> Definition:
    """Of a monitor as the API answers. Who is muted until when is no part of it."""
    options = {name: value for name, value in monitor["options"].items() if name != "silenced"}
    return {name: options if name == "options" else monitor.get(name, other) for name, other in DEFAULTS.items()}


def short(definition: Definition) -> dict[str, Any]:
    """Without what is so by default."""
    defaults: dict[str, Any] = dict(DEFAULTS)
    try:
        defaults["options"] = _options_of({**definition, "options": {}})
    except UsageError:  # a query of a newer server
        defaults["options"] = {}
    kept = {name: value for name, value in definition.items() if name == "type" or value != defaults[name]}
    if "options" in kept:
        options = definition["options"].items()
        kept["options"] = {name: value for name, value in options if defaults["options"].get(name, name) != value}
    return kept


def read_definition(body: Any) -> Definition:
    """Of a file: with all that is so by default. Raises UsageError."""
    if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"].strip():
        raise UsageError("each monitor is an object with a name")
    unknown = sorted(body.keys() - DEFAULTS.keys())
    if unknown:
        raise UsageError(f"{body['name']!r} has {unknown[0]!r}, which is none of {', '.join(DEFAULTS)}")
    definition = {**DEFAULTS, **body}
    return {**definition, "options": _options_of(definition)}


def _options_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """As the server keeps them."""
    try:
        query = parse_monitor_query(str(definition["query"]))
        options = checked_options(definition["options"], query)
    except InvalidRequest as error:
        raise UsageError(f"{definition['name']!r}: {error}") from None
    if not isinstance(definition["options"], dict) or "silenced" not in definition["options"]:
        del options["silenced"]
    return options


def differences(before: Definition, after: Definition) -> Iterator[tuple[str, Any, Any]]:
    """Fields, those of options and thresholds by themselves, with what they were and are; None: there is none."""
    was, becomes = dict(_flat(before)), dict(_flat(after))
    for name in sorted(was.keys() | becomes.keys()):
        if was.get(name) != becomes.get(name):
            yield name, was.get(name), becomes.get(name)


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if name in ("options", "thresholds", "silenced") and isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
