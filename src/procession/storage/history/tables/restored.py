"""Puts parts of a backup into tables that were just made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from procession.errors import UsageError
from procession.storage.history.engine.connection import Connection
from procession.storage.history.tables.ddl import Database
from procession.storage.history.tables.frozen import BACKED_UP, org_column
from procession.storage.history.tables.migrations import MIGRATIONS, NEWEST
from procession.storage.history.tables.upgrade import find_tables, migrate

_DATABASE = Database("default", is_embedded=True)


def tables_at(schema: int, schema_name: str) -> frozenset[str]:
    """Those of a backup whose newest migration is this one. Raises UsageError where no Procession up to this one has
    it."""
    names = {migration.number: migration.name for migration in MIGRATIONS}
    if schema > NEWEST:
        raise UsageError(f"a newer Procession (its tables are at {schema}, this one knows {NEWEST})")
    if names.get(schema) != schema_name:
        raise UsageError("a Procession that was never released")
    made: frozenset[str] = frozenset().union(*(one.tables for one in MIGRATIONS if one.number <= schema))
    return made & BACKED_UP


class RestoredTables:
    """On a connection to the engine of a folder that has nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._folders: dict[str, Path] = {}

    def make(self, schema: int, now: int) -> None:
        """As they were: what is newer comes at the first start."""
        command = self._connection.command
        for migration in migrate(self._connection, command, _DATABASE, find_tables(self._connection, _DATABASE), now):
            if migration.number >= schema:
                break
        # Rows are counted before the engine puts those together that replace each other.
        command("SYSTEM STOP MERGES")
        rows = self._connection.query("SELECT name, data_paths[1] FROM system.tables WHERE database = 'default'")
        self._folders = {name: Path(path) for name, path in rows.result_rows}

    def folder_for(self, table: str, part: str) -> Path:
        """Where to put its files, before it is attached."""
        return self._folders[table] / "detached" / part

    def attach(self, table: str, parts: Sequence[str]) -> int:
        """In this order: of rows that replace each other the later ones hold. Gives how many rows the table has."""
        for part in parts:
            self._connection.command(f"ALTER TABLE {table} ATTACH PART '{part}'")
        ((rows,),) = self._connection.query(
            "SELECT sum(rows) FROM system.parts WHERE active AND database = 'default' AND table = {table:String}",
            {"table": table},
        ).result_rows
        return int(rows)

    def orgs(self) -> tuple[tuple[int, str], ...]:
        rows = self._connection.query("SELECT id, name FROM orgs FINAL ORDER BY id").result_rows
        return tuple((int(org_id), str(name)) for org_id, name in rows)

    def keys_in_force(self) -> int:
        ((count,),) = self._connection.query("SELECT count() FROM keys FINAL WHERE revoked_at IS NULL").result_rows
        return int(count)

    def other_org(self, table: str, known: Sequence[int]) -> int | None:
        """One that is none of these and has rows in the table."""
        rows = self._connection.query(
            f"SELECT {org_column(table)} FROM {table} WHERE NOT {self._is_of(table)} LIMIT 1", {"orgs": list(known)}
        ).result_rows
        return int(rows[0][0]) if rows else None

    def keep_only(self, table: str, orgs: Sequence[int]) -> None:
        """The rows of these orgs."""
        self._connection.command("SYSTEM START MERGES")
        known = ", ".join(str(int(org_id)) for org_id in orgs)
        self._connection.command(
            f"ALTER TABLE {table} DELETE WHERE {org_column(table)} NOT IN ({known}) SETTINGS mutations_sync = 2"
        )

    @staticmethod
    def _is_of(table: str) -> str:
        return f"has({{orgs:Array(UInt32)}}, {org_column(table)})"
