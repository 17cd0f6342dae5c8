"""What the next start does to a store, told without opening it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from procession.errors import UsageError
from procession.storage.folder_version import CHECKPOINT, LOG, OURS, newer_in, read_version
from procession.storage.history.engine.address import ServerAddress
from procession.storage.history.engine.embedded import ENGINE_FILES, is_in_use
from procession.storage.history.tables.migrations import MIGRATIONS, NEWEST, Migration
from procession.storage.history.tables.upgrade import find_tables
from procession.storage.live.checkpoint import format_of

# Seconds of CPU, as `python -m bench.starts` measured them: see docs/upgrading.md.
START_SECONDS = 3.0
"""To load the engine and open its tables."""
LOG_BYTES_PER_SECOND = 6_000_000
"""Read, decoded, and put into the live table."""
CHECKPOINT_BYTES_PER_SECOND = 60_000_000
STATEMENT_SECONDS = 0.02
"""For one that only changes what is known of a table."""
REWRITE_BYTES_PER_SECOND = 5_000_000
"""For one that writes all of a table anew, by what the table takes on the disk."""

_MORE_BYTES = 64 * 2**20
"""That the engine needs, besides what it keeps."""
_UUID = re.compile(r"UUID '([0-9a-f-]{36})'")
_QUICK = re.compile(r"CREATE (?:TABLE|DATABASE) |ALTER TABLE \S+ (?:ADD COLUMN|MODIFY SETTING|COMMENT COLUMN) ")


@dataclass(frozen=True)
class UpgradePlan:
    """Of a store in a folder, or on servers."""

    procession: str | None
    """The last one that opened the folder, where that is known."""
    newer: str | None
    """What only a newer Procession can read: this one will not start."""
    applied: int
    to_apply: tuple[Migration, ...]
    seconds: float
    """About how long the start takes, or the migrations on servers."""
    log_bytes: int = 0
    checkpoint_bytes: int = 0
    is_checkpoint_kept: bool = True
    """Else the live table begins anew, and the history answers for it."""
    needed_bytes: int = 0
    free_bytes: int = 0
    is_in_use: bool = False
    """A server runs on the folder."""

    @property
    def has_space(self) -> bool:
        return self.free_bytes >= self.needed_bytes


def plan_for_folder(folder: Path) -> UpgradePlan:
    """Changes nothing. Raises UsageError where there is no store, or it may not be read."""
    if not (folder / ENGINE_FILES).is_dir():
        raise UsageError(f"there is no store in {folder}; name its folder with --data-dir")
    try:
        return _plan_for_folder(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read the store in {folder}: {reason}; ask as its user") from None


def _plan_for_folder(folder: Path) -> UpgradePlan:
    version = read_version(folder)
    tables = _table_files(folder)
    applied = _applied_by(tables) if version is None else version.applied
    to_apply = tuple(one for one in MIGRATIONS if one.number > applied)
    rewritten = [_bytes_below(folder, tables[table]) for table in _rewritten(to_apply) if table in tables]
    log_bytes = sum(path.stat().st_size for path in (folder / LOG).glob("*.segment"))
    checkpoint = folder / CHECKPOINT
    checkpoint_bytes = checkpoint.stat().st_size if checkpoint.exists() else 0
    return UpgradePlan(
        procession=None if version is None else version.procession,
        newer=newer_in(folder),
        applied=applied,
        to_apply=to_apply,
        seconds=START_SECONDS
        + log_bytes / LOG_BYTES_PER_SECOND
        + checkpoint_bytes / CHECKPOINT_BYTES_PER_SECOND
        + _seconds_for(to_apply, sum(rewritten)),
        log_bytes=log_bytes,
        checkpoint_bytes=checkpoint_bytes,
        is_checkpoint_kept=format_of(checkpoint) in (None, OURS.checkpoint),
        # A part stays until the one that replaces it is whole, and so does the checkpoint.
        needed_bytes=max(rewritten, default=0) + checkpoint_bytes + log_bytes + _MORE_BYTES,
        free_bytes=shutil.disk_usage(folder).free,
        is_in_use=is_in_use(folder),
    )


def plan_for_servers(address: ServerAddress) -> UpgradePlan:
    """Raises UsageError where they cannot be asked."""
    from procession.storage.history.engine.server import ServerEngine
    from procession.storage.setup import database_of

    with closing(ServerEngine(address, database="default")) as engine, engine.connection() as connection:
        found = find_tables(connection, database_of(address))
        to_apply = tuple(one for one in MIGRATIONS if one.number not in found.applied)
        sizes = connection.query(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = {database:String}"
            " AND has({tables:Array(String)}, table)",
            {"database": database_of(address).local, "tables": sorted(_rewritten(to_apply))},
        ).result_rows
    return UpgradePlan(
        procession=None,
        newer=f"its tables are at {found.newest}, this one knows {NEWEST}" if found.newest > NEWEST else None,
        applied=found.newest,
        to_apply=to_apply,
        seconds=_seconds_for(to_apply, sum(int(size or 0) for (size,) in sizes)),
    )


def _applied_by(tables: Iterable[str]) -> int:
    """Of a build from before the first release: no such migration only changed a table."""
    there = set(tables)
    done = [one.number for one in MIGRATIONS if one.tables <= there]
    return next((number - 1 for number in range(1, NEWEST + 2) if number not in done), 0)


def _table_files(folder: Path) -> dict[str, Path]:
    """Table -> where its parts are, as the engine names it in its own files."""
    found: dict[str, Path] = {}
    for path in sorted((folder / ENGINE_FILES / "metadata" / "default").glob("*.sql")):
        named = _UUID.search(path.read_text(encoding="utf-8", errors="replace"))
        if named is not None:
            found[path.stem] = folder / ENGINE_FILES / "store" / named[1][:3] / named[1]
    return found


def _bytes_below(folder: Path, table: Path) -> int:
    if folder not in table.parents:
        return 0
    return sum(path.stat().st_size for path in table.rglob("*") if path.is_file())


def _rewritten(migrations: Iterable[Migration]) -> Iterator[str]:
    """Tables whose rows are written anew."""
    for migration in migrations:
        for statement in migration.statements:
            if not _QUICK.match(statement.text.replace("{on_cluster}", "")):
                yield statement.table


def _seconds_for(migrations: Sequence[Migration], rewritten_bytes: int) -> float:
    statements = sum(len(one.statements) for one in migrations)
    return statements * STATEMENT_SECONDS + rewritten_bytes / REWRITE_BYTES_PER_SECOND
