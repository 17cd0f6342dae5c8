"""Sets of tags and what processes have in common: the tables `tag_sets` and `label_sets`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from procession.search.pattern import Pattern
from procession.storage.history.engine.statement import Rows, Select, Statement, bind, encodable
from procession.storage.history.statements.conditions import Where
from procession.storage.history.statements.search_conditions import Filters, InTagSets, carries_any_tag

_FEW = 8
"""Subqueries over tag sets that a statement may have; with more it is worth asking for them first."""

_AT_ONCE = 64
_MOST_TAG_SETS = 20_000
"""To be named in a statement."""


class TagSetTags(NamedTuple):
    number: int
    tags: Sequence[str]


def tags_of(org_id: int, tag_sets: Iterable[int]) -> Select[TagSetTags]:
    where = Where(org_id)
    where.matches(f"tag_set IN {where.bind('Array(UInt64)', list(tag_sets))}")
    return Select(
        f"SELECT tag_set, any(tags) FROM tag_sets WHERE {where} GROUP BY tag_set",
        where.parameters,
        row=TagSetTags._make,
    )


def any_tag_set_with(org_id: int, tag: str) -> Select[tuple[int, ...]]:
    """One row if any process may carry this folded tag besides those that every process has, else none."""
    where = Where(org_id)
    where.matches(f"has(folded, {where.bind('String', encodable(tag))})")
    return Select(f"SELECT 1 FROM tag_sets WHERE {where} LIMIT 1", where.parameters, row=tuple[int])


def tag_sets_table(org_id: int, numbers: Sequence[int] | None) -> Statement:
    """`tag_set, tags` of these or of all, with what was found out as tags."""
    where = Where(org_id)
    if numbers is not None:
        where.matches(f"tag_set IN {where.bind('Array(UInt64)', list(numbers))}")
    return Statement(
        f"SELECT tag_set, arrayConcat(any(tags), any(discovered)) AS tags FROM tag_sets WHERE {where} GROUP BY tag_set",
        where.parameters,
    )


def label_sets_table(org_id: int, numbers: Sequence[int] | None) -> Statement:
    """`label_set` and what it stands for, of these or of all."""
    where = Where(org_id)
    if numbers is not None:
        where.matches(f"label_set IN {where.bind('Array(UInt64)', list(numbers))}")
    columns = ", ".join(
        f"any({name}) AS {name}" for name in ("command", "user", "container_id", "is_zombie", "tag_set")
    )
    return Statement(f"SELECT label_set, {columns} FROM label_sets WHERE {where} GROUP BY label_set", where.parameters)


def label_sets_with_tag(org_id: int, patterns: Sequence[Pattern], *, with_discovered: bool = False) -> Statement:
    """Label sets of which a tag fits any of the patterns, but for that of the host: `label_set`."""
    where = Where(org_id)
    condition = carries_any_tag(patterns, where.parameters, with_host=False, with_discovered=with_discovered)
    where.matches(str(condition))
    return Statement(f"SELECT DISTINCT label_set FROM label_sets WHERE {where}", where.parameters)


def with_tag_sets_looked_up(filters: Filters, rows: Rows) -> Filters:
    """The same filters, with sets of tags named by their numbers where they would be asked for many times over."""
    asked_for = filters.condition.tag_sets()
    if len(asked_for) <= _FEW:
        return filters
    known: dict[InTagSets, str] = {}
    parameters = dict(filters.parameters)
    for begin in range(0, len(asked_for), _AT_ONCE):
        some = asked_for[begin : begin + _AT_ONCE]
        columns = ", ".join(f"groupUniqArrayIf({_MOST_TAG_SETS + 1})(tag_set, {one.condition})" for one in some)
        statement = Select(
            f"SELECT {columns} FROM tag_sets WHERE org = {{org:UInt32}}",
            filters.parameters,
            row=tuple[Sequence[int], ...],
        )
        for one, of_shards in zip(some, zip(*rows(statement), strict=True), strict=True):
            found = {number for of_shard in of_shards for number in of_shard}
            if len(found) <= _MOST_TAG_SETS:
                known[one] = f"tag_set IN {bind(parameters, 'Array(UInt64)', sorted(found))}"
    return filters._replace(condition=filters.condition.with_known(known), parameters=parameters)
