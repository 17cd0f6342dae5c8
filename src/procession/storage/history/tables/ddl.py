"""The tables of `schema`, as statements for one server or for a cluster.

On a cluster each table is there twice: in the database `procession_local` with the rows of a shard, replicated, and in
`procession` as a way to those of all shards, under the same name. So statements read the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from procession.storage.history.engine.statement import First
from procession.storage.history.tables import migrations

_FACTOR = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1

_OF_HOST = f"host + org * toUInt64({_FACTOR})"
"""The hash of (org, host) that places what a host says: `host` is a hash itself."""

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


def local_database(database: str) -> str:
    return f"{database}_local"


def shard_of(org_id: int, host: int, slots: Sequence[int]) -> int:
    """The number of the shard that the engine chooses by the hash of (org, host). `slots`: see `slots_of`."""
    return slots[(host + org_id * _FACTOR & _MASK) % len(slots)]


def slots_of(weights: Sequence[tuple[int, int]]) -> list[int]:
    """From (shard, weight) to shards, each as often as it weighs."""
    return [shard for shard, weight in sorted(weights) for _ in range(weight)]


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
    kind, name = re.match(r"CREATE (TABLE|MATERIALIZED VIEW) (?:IF NOT EXISTS )?(\w+)", statement).groups()  # type: ignore[union-attr]
    rest = re.sub(rf"^CREATE {kind} (?:IF NOT EXISTS )?{name}", "", statement)
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
        place = "" if key is None else f", {key}"
        yield (
            f"CREATE TABLE IF NOT EXISTS {database}.{name}{everywhere} AS {home}.{name}"
            f" ENGINE = Distributed('{cluster}', '{home}', '{name}'{place})"
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


def whole_on_shards(text: str, cluster: str, database: str) -> str:
    """A SELECT, or an INSERT with one, whose SELECT runs to its end on each shard: what these give is put together."""
    head, select, settings = re.fullmatch(  # type: ignore[union-attr]
        r"(INSERT INTO [^()]+\([^()]*\) )?(SELECT .*?)( SETTINGS [\w =]+)?", text, re.DOTALL
    ).groups()
    home = local_database(database)
    select = re.sub(rf"\bFROM ({_TABLES})\b", rf"FROM {home}.\1", select)
    select = select.replace("currentDatabase()", f"'{home}'")
    return f"{head or ''}SELECT * FROM cluster('{cluster}', view({select})){settings or ''}"


def first_of_shards(text: str, first: First) -> str:
    """A SELECT from one table: each shard gives the first of its own rows, in order, and all of them together give the
    first of these."""
    return f"SELECT * FROM ({first.of(text)}) ORDER BY {first.columns} LIMIT {first.count} WITH TIES"
