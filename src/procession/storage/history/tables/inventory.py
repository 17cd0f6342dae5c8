"""Asks the engine how large the store is, and how far back it reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from procession.inventory import EngineError, Inventory, TableSize
from procession.storage.history.engine.cluster import local_database
from procession.storage.history.engine.connection import Connection
from procession.storage.history.tables.constants import DAY_SECONDS, HOUR_SECONDS

_HOURS_OF_DAY = DAY_SECONDS // HOUR_SECONDS


_Rows = Callable[[str, dict[str, Any]], Sequence[Any]]


def take_inventory(connection: Connection) -> Inventory:
    def rows(text: str, parameters: dict[str, Any]) -> Sequence[Any]:
        found: Sequence[Any] = connection.query(text, parameters).result_rows
        return found

    everywhere = connection.on_all_servers
    # Asked for apart: each server of a cluster would name the one that it is in itself.
    ((database,),) = rows("SELECT currentDatabase()", {})
    sizes: dict[str, TableSize] = {}
    first_days: dict[str, int] = {}
    # Each server gives rows of its own, here and below.
    for name, count, parts, size, day in rows(
        "SELECT table, sum(rows), count(), sum(bytes_on_disk), min(toUInt32OrZero(partition_id))"
        f" FROM {everywhere('parts')} WHERE active AND database IN {{databases:Array(String)}} GROUP BY table",
        {"databases": [database, local_database(database)]},
    ):
        known = sizes.get(name, TableSize(name, 0, 0, 0))
        sizes[name] = TableSize(name, known.rows + int(count), known.parts + int(parts), known.stored_bytes + int(size))
        first_days[name] = min(int(day), first_days.get(name, int(day)))
    free = rows(f"SELECT sum(free_space) FROM {everywhere('disks')}", {})
    errors: dict[str, EngineError] = {}
    for name, count, at in rows(
        f"SELECT name, sum(value), max(toUnixTimestamp(last_error_time)) FROM {everywhere('errors')} GROUP BY name", {}
    ):
        error = errors.get(name, EngineError(name, 0, 0))
        errors[name] = EngineError(name, error.count + int(count), max(error.last_at, int(at)))
    oldest_sighting_at = _oldest(rows, "snapshots", f"intDiv(at, {DAY_SECONDS})", "at", first_days)
    oldest_presence_at = _oldest(rows, "presence", f"intDiv(hour, {_HOURS_OF_DAY})", "first", first_days)
    return Inventory(
        tables=tuple(sizes[name] for name in sorted(sizes)),
        free_bytes=sum(int(count) for (count,) in free),
        oldest_sighting_at=oldest_sighting_at,
        # Presence may be written later than the sighting that it is of.
        oldest_seen_at=min((at for at in (oldest_sighting_at, oldest_presence_at) if at is not None), default=None),
        errors=tuple(errors[name] for name in sorted(errors)),
    )


def _oldest(rows: _Rows, table: str, day: str, column: str, first_days: dict[str, int]) -> int | None:
    """Only the first day is read: a store may hold a thousand million sightings."""
    if table not in first_days:
        return None
    found = rows(f"SELECT min({column}) FROM {table} WHERE {day} = {{day:UInt32}}", {"day": first_days[table]})
    return min((int(at) for (at,) in found if at), default=None)
