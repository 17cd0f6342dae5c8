"""Migrations as statements, for a database on one server or on a cluster: fills in what they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from procession.storage.history.engine.cluster import local_database
from procession.storage.history.tables.migrations import Migration


@dataclass(frozen=True, slots=True)
class Database:
    name: str
    cluster: str | None = None
    is_embedded: bool = False
    """Whether it is that of an engine in one folder, to which one process writes."""

    @property
    def local(self) -> str:
        """The database that has the rows."""
        return self.name if self.cluster is None else local_database(self.name)

    @property
    def on_cluster(self) -> str:
        """Behind the name of what a statement makes or changes."""
        return "" if self.cluster is None else f" ON CLUSTER '{self.cluster}'"


def statements(database: Database, migration: Migration) -> Iterator[str]:
    """What a migration takes. All of it may be done again."""
    for statement in migration.statements:
        is_for_others = (statement.is_for_clusters and database.cluster is None) or (
            statement.is_for_embedded and not database.is_embedded
        )
        if not is_for_others:
            yield statement.text.format(
                database=database.name,
                local=database.local,
                cluster=database.cluster,
                on_cluster=database.on_cluster,
                engine=_Engine(database, statement.table),
            )


def retention_statement(database: Database, table: str, rule: str) -> str:
    return f"ALTER TABLE {database.local}.{table}{database.on_cluster} MODIFY TTL {rule}"


@dataclass(frozen=True, slots=True)
class _Engine:
    """The engine of a table."""

    database: Database
    table: str

    def __format__(self, family_and_arguments: str) -> str:
        family, *arguments = family_and_arguments.split(", ")
        if self.database.cluster is not None:
            # With the usual macros: `{shard}` and `{replica}` are in each server's own configuration.
            path = f"/clickhouse/tables/{{shard}}/{self.database.local}/{self.table}"
            family, arguments = f"Replicated{family}", [f"'{path}'", "'{replica}'", *arguments]
        return f"{family}({', '.join(arguments)})" if arguments else family
