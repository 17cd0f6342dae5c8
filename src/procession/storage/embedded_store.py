"""The store in a folder: it is opened, its tables are brought up to date, and what is in its log is read."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from procession.errors import UsageError
from procession.storage.embedded.checkpoints import Checkpoints
from procession.storage.embedded.flusher import FORCED_SECONDS
from procession.storage.embedded.progress import FlushProgress
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.folder_version import (
    CHECKPOINT,
    LOG,
    OURS,
    VERSION_FILE,
    newer_message,
    refuse_newer,
    write_version,
)
from procession.storage.history.engine.embedded import ENGINE_FILES, EmbeddedEngine
from procession.storage.history.engine.errors import first_line
from procession.storage.history.tables.damage import (
    DAMAGE_FILE,
    ESSENTIAL,
    PartNames,
    lost_parts,
    note_damage,
    part_names,
    told,
)
from procession.storage.history.tables.ddl import Database
from procession.storage.history.tables.frozen import FrozenTables
from procession.storage.history.tables.migrations import NEWEST
from procession.storage.history.tables.retention import retention_rules
from procession.storage.history.tables.upgrade import find_tables, migrate, refuse_strangers, set_retention
from procession.storage.history.write.dedup_cache import BYTES_OF_A_PROCESS, MAX_PROCESSES
from procession.storage.history.write.presence_writer import PresenceWriter
from procession.storage.store import ClickHouseStore
from procession.storage.wal import WriteAheadLog

_log = logging.getLogger(__name__)


_PROGRESS = "flush.position"
_PRESENCE = "presence.unwritten"
STORE_FILES = (ENGINE_FILES, LOG, CHECKPOINT, _PROGRESS, _PRESENCE, VERSION_FILE, DAMAGE_FILE)
"""All that a store has in its data folder."""


def open_embedded(
    data_dir: Path,
    *,
    retention_hours: int = 24 * 90,
    sighting_retention_hours: int = 24 * 7,
    live_retention_hours: int = 24,
    live_bytes: int = 2 * 2**30,
    sets_retention: bool = True,
    now: Callable[[], int] = lambda: int(time.time()),
    forced_seconds: float = FORCED_SECONDS,
) -> EmbeddedStore:
    """The store in a folder, its tables brought up to date, and what the last server had acknowledged in it.

    `live_bytes`: what the live table takes at most; what is remembered of the history takes half as much at most.
    `sets_retention`: whether the tables are to keep what is in them so long; else as long as the last server had them.
    `forced_seconds`: questions cause no more than one flush in so many. Raises UsageError in words for who started us.
    """
    rules = retention_rules(
        retention_hours=retention_hours,
        sighting_retention_hours=sighting_retention_hours,
        live_retention_hours=live_retention_hours,
    )
    engine = _open_engine(data_dir, rules if sets_retention else {}, now=now)
    history = _history_of(engine, sighting_retention_hours, now=now, max_known=live_bytes // 2 // BYTES_OF_A_PROCESS)
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(history.close)
        progress = FlushProgress(data_dir / _PROGRESS)
        is_empty = not (data_dir / LOG).exists() and history.inventory().oldest_seen_at is None
        log = WriteAheadLog(data_dir / LOG, taken=progress.flushed)
        cleanup.callback(log.close)
        try:
            checkpoints = Checkpoints.open(
                data_dir / CHECKPOINT,
                first_sequence=log.status().first_sequence,
                last_sequence=log.last_sequence,
                live_bytes=live_bytes,
                is_empty=is_empty,
                now=now(),
            )
        except OSError as error:
            raise UsageError(f"cannot write to {data_dir}: {error.strerror or error}") from error
        tables = FrozenTables(engine, now)
        store = EmbeddedStore(
            history, log, checkpoints, progress, tables=tables, now=now, forced_seconds=forced_seconds
        )
        cleanup.pop_all()
    return store


def open_history(
    data_dir: Path,
    *,
    retention_hours: int = 24 * 90,
    sighting_retention_hours: int = 24 * 7,
    live_retention_hours: int = 24,
    sets_retention: bool = True,
    now: Callable[[], int] = lambda: int(time.time()),
) -> ClickHouseStore:
    """The history in a folder alone, without what is only in the log: for keys, and for what is long past.

    Who writes into it calls `forget_live_table`. The rest is as of `open_embedded`. Raises UsageError.
    """
    rules = retention_rules(
        retention_hours=retention_hours,
        sighting_retention_hours=sighting_retention_hours,
        live_retention_hours=live_retention_hours,
    )
    engine = _open_engine(data_dir, rules if sets_retention else {}, now=now)
    return _history_of(engine, sighting_retention_hours, now=now)


def _open_engine(data_dir: Path, rules: Mapping[str, str], *, now: Callable[[], int]) -> EmbeddedEngine:
    """With tables that are up to date. Raises UsageError."""
    refuse_newer(data_dir)
    before = part_names(data_dir)
    engine = EmbeddedEngine(data_dir)
    try:
        _look_for_damage(engine, before)
        _bring_up_to_date(engine, rules, now=now)
    except UsageError:
        engine.close()
        raise
    except Exception as error:
        engine.close()
        raise UsageError(f"cannot bring the tables in {data_dir} up to date: {first_line(error)}") from error
    return engine


def _history_of(
    engine: EmbeddedEngine,
    sighting_retention_hours: int,
    *,
    now: Callable[[], int],
    max_known: int = MAX_PROCESSES,
) -> ClickHouseStore:
    return ClickHouseStore(
        engine,
        now=now,
        is_only_writer=True,
        sighting_retention_hours=sighting_retention_hours,
        presence=PresenceWriter(engine, engine.folder / _PRESENCE, writing=engine.gate.writing, now=now),
        max_known=max_known,
    )


def forget_live_table(data_dir: Path) -> None:
    """To be called by who has written into the history alone: the next server's live table knows nothing of that, and
    begins anew."""
    (data_dir / CHECKPOINT).unlink(missing_ok=True)


def _look_for_damage(engine: EmbeddedEngine, before: PartNames) -> None:
    with engine.connection() as connection:
        connection.query("SELECT count() FROM system.parts")  # all tables are open by then
    note_damage(engine.folder, before)
    lost = lost_parts(engine.folder)
    if essential := told(part for part in lost if part.table in ESSENTIAL):
        raise UsageError(
            f"the store in {engine.folder} is damaged: parts of tables cannot be read ({essential}); bring a backup"
            " back into another folder, see docs/operating.md"
        )
    if lost:
        fields = {"event": "parts-lost", "tables": told(lost), "folder": str(engine.files)}
        _log.error("parts of tables in %(folder)s cannot be read and are set aside: %(tables)s", fields)


def _bring_up_to_date(engine: EmbeddedEngine, rules: Mapping[str, str], *, now: Callable[[], int]) -> None:
    database = Database("default", is_embedded=True)
    with engine.connection() as connection:
        found = find_tables(connection, database)
        refuse_strangers(
            found,
            where=f"the data folder {engine.folder}",
            way_out="keep it for that build, and use another folder with --data-dir",
            newer=newer_message(engine.folder, f"its tables are at {found.newest}, this one knows {NEWEST}"),
        )
        # First of all what is to come: an older one must not begin in the middle.
        write_version(engine.folder, msgspec.structs.replace(OURS, applied=found.newest))
        for migration in migrate(connection, connection.command, database, found, now()):
            fields = {"event": "migrated", "number": migration.number, "name": migration.name}
            _log.info("brought the tables to %(number)d, %(name)s", fields)
        write_version(engine.folder, OURS)
        if changed := set_retention(connection, connection.command, database, rules):
            fields = {"event": "retention-set", "tables": ", ".join(changed)}
            _log.info("set how long %(tables)s keep what is in them", fields)
