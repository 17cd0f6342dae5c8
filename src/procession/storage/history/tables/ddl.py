"""Statements of migrations for one server or for a cluster: see `engine.cluster`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from procession.storage.history.engine.cluster import HASH_FACTOR, local_database
from procession.storage.history.tables import migrations

_OF_HOST = f"host + org * toUInt64({HASH_FACTOR})"
"""The hash of (org, host), by which rows of a host come to its shard: `host` is a hash itself."""

SHARDING: dict[str, str | None] = {
    **dict.fromkeys(
        ("snapshots", "live_numbers", "presence", "descriptions", "exits", "hosts", "minutes", "rollup_state"), _OF_HOST
    ),
    # Written to each shard whose hosts need them, by its number: without a key nothing else can write there, nor can a
    # reader be led to leave a shard out.
    **dict.fromkeys(("tag_sets", "label_sets"), None),
    **dict.fromkeys(("host_tags", "leases", "views", "keys"), "org"),
    "orgs": "id",
    **dict.fromkeys(("sessions", "links", "link_uses"), "cityHash64(token_hash)"),
    "migrations": "number",
}
"""Table -> what says on which shard a row is."""

_TABLES = "|".join(SHARDING)


def statements(database: str, cluster: str | None, migration: migrations.Migration) -> Iterator[str]:
    """What makes the tables of a migration. All of it may be done again."""
    for statement in migration.statements:
        yield from _statements(database, cluster, statement)


def first_statements(database: str, cluster: str | None) -> Iterator[str]:
    """What comes before all migrations."""
    everywhere = f" ON CLUSTER '{cluster}'" if cluster else ""
    for name in (database, local_database(database)) if cluster else (database,):
        yield f"CREATE DATABASE IF NOT EXISTS {name}{everywhere}"
    yield from _statements(database, cluster, migrations.MIGRATIONS_TABLE)


def retention_statement(database: str, cluster: str | None, table: str, rule: str) -> str:
    if cluster is None:
        return f"ALTER TABLE {database}.{table} MODIFY TTL {rule}"
    return f"ALTER TABLE {local_database(database)}.{table} ON CLUSTER '{cluster}' MODIFY TTL {rule}"


def _statements(database: str, cluster: str | None, statement: str) -> Iterator[str]:
    if altered := re.fullmatch(r"ALTER TABLE (\w+) (.*)", statement, re.DOTALL):
        yield from _altered(database, cluster, *altered.groups())
        return
    kind, name = re.match(r"CREATE (TABLE|MATERIALIZED VIEW) (\w+)", statement).groups()  # type: ignore[union-attr]
    rest = re.sub(rf"^CREATE {kind} {name}", "", statement)
    home = database if cluster is None else local_database(database)
    everywhere = f" ON CLUSTER '{cluster}'" if cluster else ""
    if kind == "MATERIALIZED VIEW":
        rest = re.sub(rf"\b(TO|FROM) ({_TABLES})\b", rf"\1 {home}.\2", rest)
        yield f"CREATE MATERIALIZED VIEW IF NOT EXISTS {home}.{name}{everywhere}{rest}"
        return
    if cluster is not None:
        rest = _replicated(rest, home, name)
    yield f"CREATE TABLE IF NOT EXISTS {home}.{name}{everywhere}{rest}"
    if cluster is not None:
        key = SHARDING[name]
        sharding = "" if key is None else f", {key}"
        yield (
            f"CREATE TABLE IF NOT EXISTS {database}.{name}{everywhere} AS {home}.{name}"
            f" ENGINE = Distributed('{cluster}', '{home}', '{name}'{sharding})"
        )


def _altered(database: str, cluster: str | None, name: str, change: str) -> Iterator[str]:
    """A change of a table. One of columns is for the way to it, too."""
    if cluster is None:
        yield f"ALTER TABLE {database}.{name} {change}"
        return
    yield f"ALTER TABLE {local_database(database)}.{name} ON CLUSTER '{cluster}' {change}"
    if not change.startswith("MODIFY SETTING "):
        yield f"ALTER TABLE {database}.{name} ON CLUSTER '{cluster}' {change}"


def _replicated(statement: str, database: str, name: str) -> str:
    """With the usual macros: `{shard}` and `{replica}` are in each server's own configuration."""
    path = f"'/clickhouse/tables/{{shard}}/{database}/{name}', '{{replica}}'"

    def engine(match: re.Match[str]) -> str:
        more = f", {match[2]}" if match[2] else ""
        return f"ENGINE = Replicated{match[1]}MergeTree({path}{more})"

    return re.sub(r"ENGINE = (\w*?)MergeTree(?:\((.*?)\))?(?=\s)", engine, statement)
