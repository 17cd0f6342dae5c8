"""How long the engine keeps what is in the tables: as the migrations say, for these settings."""

from __future__ import annotations

from procession.storage.history.tables.migrations import MIGRATIONS

_MOST_HOURS = 24 * 365 * 40
"""Moments of the engine's `DateTime` go to the year 2106; one after that would be long ago."""


def retention_rules(
    *, retention_hours: int, sighting_retention_hours: int, live_retention_hours: int
) -> dict[str, str]:
    """Table -> its TTL. Of several migrations that have one for a table, the newest holds."""
    hours = {
        "retention_hours": min(retention_hours, _MOST_HOURS),
        "sighting_retention_hours": min(sighting_retention_hours, _MOST_HOURS),
        "live_retention_hours": min(live_retention_hours, _MOST_HOURS),
    }
    return {table: rule.format(**hours) for one in MIGRATIONS for table, rule in one.retention.items()}
