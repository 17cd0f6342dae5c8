"""Merges of tables, which the engine makes whenever it likes: made now, so that a test sees what they leave."""

from __future__ import annotations

from collections.abc import Collection

from procession.storage.history.engine.server_connection import ClusterConnection
from procession.storage.store import ClickHouseStore

REPORTED = ("snapshots", "live_numbers", "exits")
"""Tables of what agents say, as they say it."""


def merge(store: object, tables: Collection[str] = REPORTED) -> bool:
    """Whether it could: on one engine. The nodes of a cluster merge when they like, and other stores never do."""
    if not isinstance(store, ClickHouseStore):
        return False
    with store._engine.connection() as connection:
        if isinstance(connection, ClusterConnection):
            return False
        for table in tables:
            connection.command(f"OPTIMIZE TABLE {table} FINAL")
    return True
