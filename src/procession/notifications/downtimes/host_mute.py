"""A host that is muted: a downtime for all monitors, of which the scope is the host."""

from __future__ import annotations

import re
from collections.abc import Iterable

from procession.accounts.hosts import MAX_HOST_LENGTH
from procession.errors import InvalidRequest
from procession.notifications.downtimes.downtime import NOTIFY_STATES, Downtime, OneTime

_EVERY_MONITOR = ("*",)
_NAME = re.compile(rf"[A-Za-z0-9._:/@-]{{1,{MAX_HOST_LENGTH}}}")
"""What a scope takes as it is: no blanks, brackets or wildcards."""


def host_scope(host: str) -> str:
    """Raises InvalidRequest for a name that a scope would not take as it is."""
    if not _NAME.fullmatch(host):
        raise InvalidRequest(
            "A host is not muted whose name has other characters than letters, digits and ._:/@-, or too many"
        )
    return f"host:{host}"


def host_mute(
    host: str, *, downtime_id: str, created_by: str, message: str | None, end: int | None, now: int
) -> Downtime:
    """From now on. `end`: None is until it is unmuted. Raises InvalidRequest."""
    if end is not None and end <= now:
        raise InvalidRequest("end: it is over already")
    return Downtime(
        id=downtime_id,
        scope=host_scope(host),
        schedule=OneTime(now, end),
        monitor_id=None,
        monitor_tags=_EVERY_MONITOR,
        message=message,
        display_timezone="UTC",
        mute_first_recovery_notification=False,
        notify_end_states=tuple(sorted(NOTIFY_STATES)),
        notify_end_types=("expired",),
        created_at=now,
        modified_at=now,
        created_by=created_by,
        ends_seen_at=now,
    )


def host_mutes(downtimes: Iterable[Downtime], now: int) -> dict[str, Downtime]:
    """Those that hold, by host: of several the one that ends last."""
    found: dict[str, tuple[int, Downtime]] = {}
    for one in downtimes:
        host = one.scope.removeprefix("host:")
        is_mute = isinstance(one.schedule, OneTime) and one.monitor_id is None and one.monitor_tags == _EVERY_MONITOR
        if not is_mute or host == one.scope or not _NAME.fullmatch(host):
            continue
        holds = one.holds_at(now)
        if holds is not None and (host not in found or holds.end > found[host][0]):
            found[host] = holds.end, one
    return {host: one for host, (_, one) in found.items()}
