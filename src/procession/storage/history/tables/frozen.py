"""Tables of the embedded engine as they are at one moment: hard links to their parts, which never change.

The engine has a BACKUP of its own, which was tried: it writes only below a folder that is named when the engine starts,
what it writes cannot be encrypted on the way, and nobody may write until it has listed all parts. Links to the parts of
all tables are there within milliseconds, and are copied while others write.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from procession.inventory import FrozenStore
from procession.storage.history.engine.embedded import EmbeddedEngine
from procession.storage.history.engine.errors import unavailable_on_failure
from procession.storage.history.tables.ddl import Database
from procession.storage.history.tables.migrations import TABLES
from procession.storage.history.tables.upgrade import find_tables

LEFT_OUT: Final = {
    "migrations": "who restores makes the tables anew, and so has rows in it already",
    "leases": "hold for a minute",
    "evaluation_leases": "say which server evaluates monitors: another one after a restore",
    "notification_leases": "say the same of who sends notifications",
    "notifications": "what waits there to be sent is of then",
    "removed_orgs": "nothing of them is left in what is frozen",
    "sessions": "whoever is signed in signs in again",
    "links": "are good once, and not for long",
    "link_uses": "tell which links were used",
}
"""Tables that no backup has -> why. It has all others, those of later migrations too."""

BACKED_UP: Final = TABLES - LEFT_OUT.keys()

ORG_COLUMNS: Final = {"orgs": "id"}
"""Table -> the column that says whose a row is; `org` in all others."""


def org_column(table: str) -> str:
    return ORG_COLUMNS.get(table, "org")


class FrozenTables:
    """One copy at a time."""

    def __init__(self, engine: EmbeddedEngine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now
        self._shadow = engine.files / "shadow"
        self.release_all()

    def shut(self) -> AbstractContextManager[None]:
        """Nobody writes to the tables but the thread that is in the block."""
        return self._engine.gate.shut()

    def freeze(self) -> FrozenStore:
        """Raises Unavailable."""
        self.release_all()
        name = f"backup{secrets.token_hex(8)}"
        try:
            return self._freeze(name)
        except BaseException:
            self.release(name)
            raise

    def _freeze(self, name: str) -> FrozenStore:
        with unavailable_on_failure(), self._engine.connection() as connection, self.shut():
            found = find_tables(connection, Database("default"))
            taken_at = self._now()
            for table in sorted(BACKED_UP):
                connection.command(f"ALTER TABLE {table} FREEZE WITH NAME '{name}'")
            paths = connection.query(
                "SELECT name, data_paths[1] FROM system.tables WHERE database = 'default'"
            ).result_rows
        folders = {
            # The engine names its files as they are without links.
            table: self._shadow / name / Path(path).resolve().relative_to(self._engine.files.resolve())
            for table, path in paths
            if table in BACKED_UP
        }
        return FrozenStore(
            name=name,
            taken_at=taken_at,
            schema=found.newest,
            schema_name=found.applied[found.newest],
            folders={table: str(folder) for table, folder in sorted(folders.items()) if folder.is_dir()},
        )

    def release(self, name: str) -> None:
        if name in self._names():
            shutil.rmtree(self._shadow / name, ignore_errors=True)

    def release_all(self) -> None:
        """Also what a process has left that was killed."""
        for name in self._names():
            self.release(name)

    def _names(self) -> list[str]:
        return [path.name for path in self._shadow.glob("backup*")]
