"""Muting a monitor, or some of its groups: its `options.silenced`, by Datadog's older API."""

from __future__ import annotations

import dataclasses

from procession.errors import InvalidRequest
from procession.monitors.monitor import Monitor

ALL = "*"
MAX_SCOPES = 1_000
MAX_SCOPE_CHARACTERS = 1_000


def muted(monitor: Monitor, scope: str, until: int | None, *, changed_by: str, now_us: int) -> Monitor:
    """The groups of this scope are muted until then, or for good. Raises InvalidRequest."""
    scope = scope.strip() or ALL
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
    kept = {} if scope is None else {name: end for name, end in known.items() if name != (scope.strip() or ALL)}
    return _with_silenced(monitor, kept, changed_by, now_us)


def _with_silenced(monitor: Monitor, silenced: dict[str, int | None], changed_by: str, now_us: int) -> Monitor:
    if silenced == monitor.options["silenced"]:
        return monitor
    options = {**monitor.options, "silenced": silenced}
    return dataclasses.replace(monitor, options=options, modified_at=now_us, changed_by=changed_by)
