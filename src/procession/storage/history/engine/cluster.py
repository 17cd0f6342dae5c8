"""What a statement becomes on a cluster.

Each table is there twice: in the database `procession_local` with the rows of a shard, replicated, and in `procession`
as a way to those of all shards, under the same name. So statements read the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from procession.storage.history.engine.statement import First, ShardSelect, Statement, TableNames

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


@dataclass(frozen=True, slots=True)
class Cluster:
    """As its servers know it."""

    name: str
    local: str
    """The database that has the rows of a shard."""


def text_over_shards(statement: Statement, cluster: Cluster) -> str:
    """What each shard does by itself, and how what they give is put together."""
    if statement.on_shards is not None:
        return on_each_shard(statement.on_shards, cluster)
    return statement.text if statement.first is None else first_of_shards(statement, statement.first)


def on_each_shard(one: ShardSelect, cluster: Cluster) -> str:
    select = one.select(TableNames(cluster.local))
    return f"{one.insert}SELECT * FROM cluster('{cluster.name}', view({select})){one.settings}"


def first_of_shards(statement: Statement, first: First) -> str:
    """A SELECT from one table: each shard gives the first of its own rows, in order, and all of them together give the
    first of these."""
    return f"SELECT * FROM ({statement.text_of(first)}) ORDER BY {first.columns} LIMIT {first.count} WITH TIES"
