"""A store in a folder: it is opened, and its tables are brought up to date."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from procession.errors import UsageError
from procession.storage.history.engine.embedded import EmbeddedEngine
from procession.storage.history.engine.errors import first_line
from procession.storage.history.tables.ddl import Database
from procession.storage.history.tables.migrations import NEWEST
from procession.storage.history.tables.retention import retention_rules
from procession.storage.history.tables.upgrade import find_tables, migrate, refuse_strangers, set_retention
from procession.storage.store import ClickHouseStore

_log = logging.getLogger(__name__)


def open_embedded(
    data_dir: Path,
    *,
    retention_hours: int = 24 * 90,
    sighting_retention_hours: int = 24 * 7,
    live_retention_hours: int = 24,
    now: Callable[[], int] = lambda: int(time.time()),
) -> ClickHouseStore:
    """The store in a folder, its tables brought up to date. Raises UsageError in words for who started us."""
    engine = EmbeddedEngine(data_dir)
    try:
        rules = retention_rules(
            retention_hours=retention_hours,
            sighting_retention_hours=sighting_retention_hours,
            live_retention_hours=live_retention_hours,
        )
        _bring_up_to_date(engine, rules, now=now)
    except UsageError:
        engine.close()
        raise
    except Exception as error:
        engine.close()
        raise UsageError(f"cannot bring the tables in {data_dir} up to date: {first_line(error)}") from error
    return ClickHouseStore(engine, now=now, is_only_writer=True, sighting_retention_hours=sighting_retention_hours)


def _bring_up_to_date(engine: EmbeddedEngine, rules: Mapping[str, str], *, now: Callable[[], int]) -> None:
    database = Database("default")
    with engine.connection() as connection:
        found = find_tables(connection, database)
        refuse_strangers(
            found,
            where=f"the data folder {engine.folder}",
            way_out="keep it for that build, and use another folder with --data-dir",
            newer=f"the data folder {engine.folder} was written by a newer Procession (its tables are at"
            f" {found.newest}, this one knows {NEWEST}); start that version, or use another folder with --data-dir",
        )
        for migration in migrate(connection, connection.command, database, found, now()):
            fields = {"event": "migrated", "number": migration.number, "name": migration.name}
            _log.info("brought the tables to %(number)d, %(name)s", fields)
        if changed := set_retention(connection, connection.command, database, rules):
            fields = {"event": "retention-set", "tables": ", ".join(changed)}
            _log.info("set how long %(tables)s keep what is in them", fields)
