"""Muting a monitor, or some of its groups: its `options.silenced`, and which groups their scopes fit."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from procession.errors import InvalidRequest
from procession.monitors.group_state import Group
from procession.monitors.monitor import Monitor

ALL = "*"
MAX_SCOPES = 1_000
MAX_SCOPE_CHARACTERS = 1_000

_TAG = re.compile(r"(?:[^,\\]|\\.?)+", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\,\s])")
_SPECIAL = re.compile(r"[\\,]")
_BLANK = re.compile(r"\s")


def muted(monitor: Monitor, scope: str, until: int | None, *, changed_by: str, now_us: int) -> Monitor:
    """The groups of this scope are muted until then, or for good. Raises InvalidRequest."""
    scope = _stripped(scope) or ALL
    if len(scope) > MAX_SCOPE_CHARACTERS:
        raise InvalidRequest(
            f"The value provided for parameter 'scope' is invalid: it has more than {MAX_SCOPE_CHARACTERS} characters"
        )
    if until is not None and until <= now_us // 1_000_000:
        raise InvalidRequest("The value provided for parameter 'end' is invalid: it is not in the future")
    silenced = {**monitor.options["silenced"], scope: until}
    if len(silenced) > MAX_SCOPES:
        raise InvalidRequest(f"This monitor has {MAX_SCOPES} muted scopes already")
    return _with_silenced(monitor, silenced, changed_by, now_us)


def unmuted(monitor: Monitor, scope: str | None, *, changed_by: str, now_us: int) -> Monitor:
    """The groups of this scope are muted no longer; None: none is. What was not muted stays so."""
    known = monitor.options["silenced"]
    kept = {} if scope is None else {name: end for name, end in known.items() if name != (_stripped(scope) or ALL)}
    return _with_silenced(monitor, kept, changed_by, now_us)


def _with_silenced(monitor: Monitor, silenced: dict[str, int | None], changed_by: str, now_us: int) -> Monitor:
    if silenced == monitor.options["silenced"]:
        return monitor
    options = {**monitor.options, "silenced": silenced}
    return dataclasses.replace(monitor, options=options, modified_at=now_us, changed_by=changed_by)


def scope_of(group: Group) -> str:
    """The scope that this group has, and no other group of its monitor: `host:web-1,command:nginx`. Commas,
    backslashes and blanks at the end of a value are escaped, so that a value cannot pass for two tags."""
    return ",".join(_escaped(f"{key}:{value}") for key, value in group) or ALL


def _escaped(tag: str) -> str:
    bare = tag.rstrip()
    blanks = tag[len(bare) :]
    return _SPECIAL.sub(r"\\\g<0>", bare) + _BLANK.sub(r"\\\g<0>", blanks)


def _stripped(text: str) -> str:
    """Without the blanks around it; one that is escaped stays."""
    bare = text.strip()
    is_escaped = bare.endswith("\\") and text.rstrip() != text
    return text.lstrip()[: len(bare) + is_escaped]


def is_muted(silenced: Iterable[tuple[str, int | None]], group: Group, at: int) -> bool:
    """Whether some scope holds at that moment and fits the group. `silenced`: scopes, each with its end."""
    tags = {f"{key}:{value}" for key, value in group}
    return any((end is None or at < end) and _fits(scope, tags) for scope, end in silenced)


def _fits(scope: str, tags: set[str]) -> bool:
    if scope.strip() == ALL:
        return True
    wanted = [_ESCAPED.sub(r"\1", _stripped(tag)) for tag in _TAG.findall(scope)]
    return bool(wanted) and all(tag in tags for tag in wanted)
