"""Brings a backup back into a data folder that has no store.

From the first byte to the last a file in the folder says that it is not whole, and nobody opens the store; whoever
restores again begins anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from procession.backup.archive import Archive, Progress
from procession.backup.container import sync_disk, sync_folder
from procession.backup.manifest import Part
from procession.backup.sizes import show_size
from procession.errors import UsageError
from procession.storage.accounts.tables import AccountTables
from procession.storage.embedded_store import STORE_FILES
from procession.storage.folder_version import OURS, write_version
from procession.storage.history.engine.embedded import UNFINISHED_RESTORE, EmbeddedEngine, lock_folder
from procession.storage.history.engine.errors import first_line
from procession.storage.history.tables.restored import RestoredTables, tables_at
from procession.storage.monitors.monitors import ClickHouseMonitors

_MORE_BYTES = 64 * 2**20
"""That the engine needs, besides what it keeps."""


@dataclass(frozen=True)
class Restored:
    orgs: tuple[tuple[int, str], ...]
    taken_at: int
    muted_monitors: int
    keys_in_force: int


def restore(
    archive: Archive, data_dir: Path, *, org: str | None, progress: Progress, now: Callable[[], int]
) -> Restored:
    """`org`: name or number of the only one to be brought back. Raises UsageError, and the folder is as it was."""
    _refuse_other_tables(archive)
    _check_space(archive, data_dir)
    schema = archive.manifest.schema
    with _locked(data_dir) as lock, _marked(data_dir, lock) as engine:
        restored = _Restore(archive, engine, progress).run(org, now())
        write_version(data_dir, msgspec.structs.replace(OURS, tables=schema, applied=schema))
    return restored


def _refuse_other_tables(archive: Archive) -> None:
    manifest, path = archive.manifest, archive.newest.path
    try:
        tables = tables_at(manifest.schema, manifest.schema_name)
    except UsageError as error:
        raise UsageError(f"{path} was written by {error}; restore it with that version") from None
    if unknown := {part.table for part in manifest.parts} - tables:
        raise UsageError(f"{path} has tables that no backup has: {', '.join(sorted(unknown))}")


def _check_space(archive: Archive, data_dir: Path) -> None:
    there = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    needed, free = archive.manifest.size + _MORE_BYTES, shutil.disk_usage(there).free
    if free < needed:
        raise UsageError(
            f"{archive.newest.path} takes {show_size(needed)} and {there} has {show_size(free)} free;"
            " make room, or name another folder with --data-dir"
        )


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[IO[str]]:
    """The folder's lock, and after an error no folder where there was none. Raises UsageError where it is in use."""
    was_there = data_dir.exists()
    lock = lock_folder(data_dir)
    # The engine lets go of the lock as it closes, and nobody may come in before all is tidied up.
    held = os.dup(lock.fileno())
    try:
        yield lock
    except BaseException:
        with contextlib.suppress(OSError):
            ours = Path(lock.name)
            if not was_there and list(data_dir.iterdir()) == [ours]:
                ours.unlink()
                data_dir.rmdir()
        raise
    finally:
        lock.close()
        os.close(held)


@contextlib.contextmanager
def _marked(data_dir: Path, lock: IO[str]) -> Iterator[EmbeddedEngine]:
    """The engine in a folder that says until the end of the block that it is not whole. After an error there is nothing
    in it. Raises UsageError where it has a store."""
    marker = data_dir / UNFINISHED_RESTORE
    try:
        if marker.exists():
            _clean(data_dir)
        _refuse_store(data_dir)
        with marker.open("wb") as file:
            os.fsync(file.fileno())
        sync_folder(data_dir)
    except OSError as error:
        raise UsageError(f"cannot write to {data_dir}: {(error.strerror or str(error)).lower()}") from None
    try:
        with contextlib.closing(EmbeddedEngine(data_dir, lock=lock)) as engine:
            yield engine
        # What we have written, and the engine.
        sync_disk(data_dir)
    except OSError as error:
        _clean(data_dir)
        raise UsageError(f"cannot write to {data_dir}: {(error.strerror or str(error)).lower()}") from None
    except BaseException:
        _clean(data_dir)
        raise
    marker.unlink()
    sync_folder(data_dir)


def _refuse_store(data_dir: Path) -> None:
    if any((data_dir / name).exists() for name in STORE_FILES):
        raise UsageError(f"the data folder {data_dir} has a store already; restore into an empty one, with --data-dir")


def _clean(data_dir: Path) -> None:
    """The marker goes last."""
    for name in STORE_FILES:
        path = data_dir / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    sync_folder(data_dir)
    (data_dir / UNFINISHED_RESTORE).unlink(missing_ok=True)


class _Restore:
    def __init__(self, archive: Archive, engine: EmbeddedEngine, progress: Progress) -> None:
        self._archive = archive
        self._path = archive.newest.path
        self._engine = engine
        self._progress = progress
        self._done = 0

    def run(self, org: str | None, now: int) -> Restored:
        try:
            with self._engine.connection() as connection:
                return self._run(RestoredTables(connection), org, now)
        except UsageError:
            raise
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot restore into {self._engine.folder}: {reason}; nothing of it is left") from None
        except Exception as error:
            raise UsageError(f"{self._path} cannot be restored: {first_line(error)}; nothing of it is left") from error

    def _run(self, tables: RestoredTables, org: str | None, now: int) -> Restored:
        tables.make(self._archive.manifest.schema, now)
        by_table = self._parts_by_table()
        # First the orgs: whoever names one that is not there need not wait.
        self._restore_table(tables, "orgs", by_table.pop("orgs", []))
        orgs = self._chosen(tables.orgs(), org)
        for table, parts in by_table.items():
            self._restore_table(tables, table, parts)
        for table in ("orgs", *by_table):
            other = tables.other_org(table, [org_id for org_id, _ in orgs])
            if other is not None and org is None:
                raise UsageError(f"{self._path} has rows of org {other} in {table}, and no such org")
            if other is not None:
                tables.keep_only(table, [org_id for org_id, _ in orgs])
        muted = self._mute() if "monitors" in by_table else 0
        return Restored(orgs, self._archive.manifest.taken_at, muted, tables.keys_in_force())

    def _mute(self) -> int:
        """All monitors, and say how many that are: hosts may be gone by now, and nobody is to be called for it, nor for
        what nobody was told of in time."""
        kept = ClickHouseMonitors(AccountTables(self._engine))
        for (org_id, monitor_id), states in kept.groups_by_monitor().items():
            untold = [msgspec.structs.replace(state, unsent=()) for state in states if state.unsent]
            if untold:
                kept.put_groups(org_id, monitor_id, untold)
        monitors = kept.monitors()
        for monitor in monitors:
            silenced = {**monitor.options["silenced"], "*": None}
            kept.put_monitor(dataclasses.replace(monitor, options={**monitor.options, "silenced": silenced}))
        return len(monitors)

    def _parts_by_table(self) -> dict[str, list[Part]]:
        found: dict[str, list[Part]] = {}
        for part in sorted(self._archive.manifest.parts, key=_order):
            found.setdefault(part.table, []).append(part)
        return found

    def _restore_table(self, tables: RestoredTables, table: str, parts: list[Part]) -> None:
        for part in parts:
            self._write_part(part, tables.folder_for(table, part.name))
        rows, told = tables.attach(table, [part.name for part in parts]), sum(part.rows for part in parts)
        if rows != told:
            raise UsageError(f"{self._path} is damaged: {table} has {rows} rows, and should have {told}")

    def _write_part(self, part: Part, folder: Path) -> None:
        backup = self._archive.backup_of(part)
        folder.mkdir(mode=0o750, parents=True)
        for index, file in enumerate(part.files):
            with os.fdopen(os.open(folder / file.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb") as written:
                for piece in backup.file_pieces(part, index):
                    written.write(piece)
        self._done += part.size
        self._progress(self._done, self._archive.manifest.size)

    def _chosen(self, orgs: tuple[tuple[int, str], ...], wanted: str | None) -> tuple[tuple[int, str], ...]:
        if not orgs:
            raise UsageError(f"{self._path} has no orgs")
        if wanted is None:
            return orgs
        found = tuple(one for one in orgs if wanted in (one[1], str(one[0])))
        if not found:
            raise UsageError(f"{self._path} has no org {wanted!r}; it has {', '.join(name for _, name in orgs)}")
        return found[:1]


def _order(part: Part) -> tuple[str, str, int]:
    """In which the rows were written."""
    partition, block, *_ = part.name.split("_")
    return part.table, partition, int(block)
