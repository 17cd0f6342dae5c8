"""Brings the tables of a database up to date: migrations that are missing, and how long rows are kept.

All of it may be interrupted and repeated, also by several at once: each statement makes only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from procession.errors import UsageError
from procession.storage.history.engine.connection import Connection
from procession.storage.history.engine.statement import Statement
from procession.storage.history.tables import ddl
from procession.storage.history.tables.ddl import Database
from procession.storage.history.tables.migrations import BEFORE_ALL, MIGRATIONS, NEWEST, Migration, refuse_unreleased


@dataclass(frozen=True, slots=True)
class FoundTables:
    """What a database has."""

    engines: Mapping[str, str]
    """Table -> its engine, with the TTL."""
    applied: Mapping[int, str]
    """Number of a migration -> its name."""

    @property
    def newest(self) -> int:
        """0: there are no tables."""
        return max(self.applied, default=0)


def find_tables(connection: Connection, database: Database) -> FoundTables:
    rows = connection.query(
        "SELECT name, engine_full FROM system.tables WHERE database = {database:String}", {"database": database.local}
    ).result_rows
    engines = dict(rows)
    applied: dict[int, str] = {}
    if "migrations" in engines:
        rows = connection.query(f"SELECT number, name FROM {database.name}.migrations").result_rows
        applied = {int(number): name for number, name in rows}
    return FoundTables(engines, applied)


def refuse_strangers(found: FoundTables, *, where: str, way_out: str, newer: str) -> None:
    """Raises UsageError where this Procession cannot use the tables: see `refuse_unreleased`. `newer`: the whole
    message where they are of a newer one."""
    refuse_unreleased(found.engines, found.applied, where, way_out)
    if found.newest > NEWEST:
        raise UsageError(newer)


def migrate(
    connection: Connection, command: Callable[[str], None], database: Database, found: FoundTables, now: int
) -> Iterator[Migration]:
    """Those that were applied, each once it is. `command` runs what changes tables."""
    if not found.applied:
        for statement in ddl.statements(database, BEFORE_ALL):
            command(statement)
    for migration in MIGRATIONS:
        if migration.number in found.applied:
            continue
        for statement in ddl.statements(database, migration):
            command(statement)
        connection.write(
            Statement(
                f"INSERT INTO {database.name}.migrations (number, name, applied_at)"
                " SELECT {number:UInt32}, {name:String}, {at:UInt32}",
                {"number": migration.number, "name": migration.name, "at": now},
            )
        )
        yield migration


def set_retention(
    connection: Connection, command: Callable[[str], None], database: Database, rules: Mapping[str, str]
) -> list[str]:
    """Tables whose retention changed: only of those, since the engine then goes through all their data."""
    engines = find_tables(connection, database).engines
    changed = [table for table, rule in rules.items() if f"TTL {rule} " not in f"{engines.get(table, '')} "]
    for table in changed:
        command(ddl.retention_statement(database, table, rules[table]))
    return changed
