"""What a statement becomes on a cluster.

Each table is there twice: in the database `procession_local` with the rows of a shard, replicated, and in `procession`
as a way to those of all shards, under the same name. So statements read the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from procession.storage.history.engine.statement import First, Statement

HASH_FACTOR = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def local_database(database: str) -> str:
    return f"{database}_local"


def shard_of(org_id: int, host: int, slots: Sequence[int]) -> int:
    """The number of the shard that the engine chooses by the hash of (org, host). `slots`: see `slots_of`."""
    return slots[(host + org_id * HASH_FACTOR & _MASK) % len(slots)]


def slots_of(weights: Sequence[tuple[int, int]]) -> list[int]:
    """From (shard, weight) to shards, each as often as it weighs."""
    return [shard for shard, weight in sorted(weights) for _ in range(weight)]


def text_over_shards(statement: Statement, cluster: str, database: str, tables: Collection[str]) -> str:
    """What each shard does by itself, and how what they give is put together."""
    if statement.is_whole:
        return whole_on_shards(statement.text, cluster, database, tables)
    return statement.text if statement.first is None else first_of_shards(statement, statement.first)


def whole_on_shards(text: str, cluster: str, database: str, tables: Collection[str]) -> str:
    """A SELECT, or an INSERT with one, whose SELECT runs to its end on each shard: what these give is put together."""
    head, select, settings = re.fullmatch(  # type: ignore[union-attr]
        r"(INSERT INTO [^()]+\([^()]*\) )?(SELECT .*?)( SETTINGS [\w =]+)?", text, re.DOTALL
    ).groups()
    home = local_database(database)
    select = re.sub(rf"\bFROM ({'|'.join(tables)})\b", rf"FROM {home}.\1", select)
    select = select.replace("currentDatabase()", f"'{home}'")
    return f"{head or ''}SELECT * FROM cluster('{cluster}', view({select})){settings or ''}"


def first_of_shards(statement: Statement, first: First) -> str:
    """A SELECT from one table: each shard gives the first of its own rows, in order, and all of them together give the
    first of these."""
    return f"SELECT * FROM ({statement.text_of(first)}) ORDER BY {first.columns} LIMIT {first.count} WITH TIES"
