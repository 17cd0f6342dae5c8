"""How long the engine keeps what is in the tables."""

from __future__ import annotations

from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS

_MOST_HOURS = 24 * 365 * 40
"""Moments of the engine's `DateTime` go to the year 2106; one after that would be long ago."""

_CHANGED_AT = "toDateTime(intDiv(change, 1000000000))"


def retention_rules(
    *, retention_hours: int, sighting_retention_hours: int, live_retention_hours: int
) -> dict[str, str]:
    """Table -> its TTL for the retention settings, with grace: queries cut exactly, the engine in whole parts."""
    retention_hours = min(retention_hours, _MOST_HOURS)
    sighting_retention_hours = min(sighting_retention_hours, _MOST_HOURS)
    live_retention_hours = min(live_retention_hours, _MOST_HOURS)
    whole = retention_hours + 2
    of_hour = f"toDateTime(hour * {HOUR_SECONDS}) + toIntervalHour({whole})"
    of_day = f"toDateTime(day * {DAY_SECONDS}) + toIntervalHour({whole + 24})"
    return {
        "snapshots": f"toDateTime(at) + toIntervalHour({sighting_retention_hours + 1})",
        "live_numbers": f"toDateTime(at) + toIntervalHour({live_retention_hours + 1})",
        "presence": of_hour,
        "descriptions": of_hour,
        "minutes": of_hour,
        "rollup_state": of_hour,
        "exits": f"toDateTime(at) + toIntervalHour({whole})",
        "sessions": "toDateTime(expires_at) + toIntervalHour(1)",
        "links": "toDateTime(expires_at) + toIntervalHour(1)",
        "link_uses": "toDateTime(at) + toIntervalHour(24)",
        "leases": f"toDateTime(until) + toIntervalHour({live_retention_hours + 1})",
        "tag_sets": of_day,
        "label_sets": of_day,
        "hosts": of_day,
        # What users say stays; what agents say is written anew each day.
        "host_tags": f"{_CHANGED_AT} + toIntervalHour({whole + 48}) WHERE source = 'agent'",
    }
