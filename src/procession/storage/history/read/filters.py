"""Search and tag filters -> a condition over `descriptions`. Nothing that came from outside stands in its text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from procession.search.tree import And, Not, Or, SearchNode, TagTerm, TextTerm
from procession.storage.history.engine.statement import SEPARATOR, Rows, Statement, bind, encodable

_OWN_KEYS = ("user", "command", "state_zombie")
"""Of the tags in `descriptions.own_tags`; `host:` is looked up in `hosts`."""

_TAG_SETS = "SELECT tag_set FROM tag_sets WHERE org = {org:UInt32} AND "

_FEW = 8
"""Subqueries over tag sets that a statement may have; with more it is worth asking for them first."""

_AT_ONCE = 64
_MOST_TAG_SETS = 20_000
"""To be named in a statement."""


class Filters(NamedTuple):
    condition: str
    parameters: dict[str, Any]
    """What it binds, and the org."""


def filters_of(org_id: int, search: SearchNode | None, tags: TagFilter) -> Filters:
    parameters: dict[str, Any] = {"org": org_id}
    return Filters(filter_condition(search, tags, parameters), parameters)


def required_host(search: SearchNode | None, tags: TagFilter) -> Pattern | None:
    """The `host:` tag, without wildcards, that all that fits must carry, if one is named."""
    for condition in tags.conditions:
        if not condition.negated and condition.pattern.is_literal and condition.pattern.text.startswith("host:"):
            return condition.pattern
    for node in search.operands if isinstance(search, And) else (search,):
        if isinstance(node, TagTerm) and node.key == "host" and node.pattern.is_literal:
            return node.pattern
    return None


def named_hosts(search: SearchNode | None, tags: TagFilter) -> tuple[frozenset[Pattern], ...]:
    """The hosts that somebody named: what fits has one `host:` tag of each set. Empty: any host."""
    named = [
        frozenset([condition.pattern])
        for condition in tags.conditions
        if not condition.negated and condition.pattern.parts[0].startswith("host:")
    ]
    return (*named, *(() if search is None else _named_in(search)))


def _named_in(node: SearchNode) -> tuple[frozenset[Pattern], ...]:
    match node:
        case TagTerm(key="host", pattern=pattern):
            return (frozenset([pattern]),)
        case And(operands):
            return tuple(named for operand in operands for named in _named_in(operand))
        case Or(operands):
            alternatives = [_named_in(operand) for operand in operands]
            # Of each one the first set: what fits has a tag of any of them.
            return (frozenset().union(*(one[0] for one in alternatives)),) if all(alternatives) else ()
        case _:
            return ()


def with_tag_sets_looked_up(filters: Filters, rows: Rows) -> Filters:
    """The same filters, with sets of tags named by their numbers where they would be asked for many times over."""
    subqueries = _subqueries(filters.condition)
    if len(subqueries) <= _FEW:
        return filters
    condition, parameters = filters.condition, dict(filters.parameters)
    for begin in range(0, len(subqueries), _AT_ONCE):
        some = subqueries[begin : begin + _AT_ONCE]
        asked = ", ".join(f"groupUniqArrayIf({_MOST_TAG_SETS + 1})(tag_set, {one})" for one in some)
        statement = Statement(f"SELECT {asked} FROM tag_sets WHERE org = {{org:UInt32}}", filters.parameters)
        for one, of_shards in zip(some, zip(*rows(statement), strict=True), strict=True):
            found = {number for of_shard in of_shards for number in of_shard}
            if len(found) <= _MOST_TAG_SETS:
                numbers = bind(parameters, "Array(UInt64)", sorted(found))
                condition = condition.replace(_in_tag_sets(one), f"tag_set IN {numbers}")
    return Filters(condition, parameters)


def _subqueries(condition: str) -> list[str]:
    """The conditions of the subqueries over `tag_sets` in a condition that was made here, each once."""
    found: dict[str, None] = {}
    begin = f"tag_set IN ({_TAG_SETS}"
    for text in condition.split(begin)[1:]:
        depth, end = 1, 0
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found[text[: end - 1]] = None
    return list(found)


def filter_condition(search: SearchNode | None, tags: TagFilter, parameters: dict[str, Any]) -> str:
    """A condition over `descriptions`. Adds the values it binds to `parameters`."""
    in_tag_sets, conditions = [], []
    for condition in tags.conditions:
        if _may_be_generated(condition.pattern):
            conditions.append(_tag_condition(condition, parameters))
        else:
            has_tag = _has_tag("folded", condition.pattern, parameters)
            in_tag_sets.append(f"NOT {has_tag}" if condition.negated else has_tag)
    if in_tag_sets:
        conditions.insert(0, _in_tag_sets(" AND ".join(in_tag_sets)))
    if search is not None:
        conditions.append(_search_condition(search, parameters))
    return " AND ".join(conditions) or "true"


def _search_condition(node: SearchNode, parameters: dict[str, Any]) -> str:
    match node:
        case TextTerm(pattern):
            return _text_condition(pattern, parameters)
        case TagTerm(key, pattern):
            has_tag = carries_tag(pattern, parameters)
            if key in (*_OWN_KEYS, "host"):  # every process has these
                return has_tag
            return f"if({_has_key(key, parameters)}, {has_tag}, {_text_condition(pattern, parameters)})"
        case Not(operand):
            return f"NOT ({_search_condition(operand, parameters)})"
        case And(operands):
            return "(" + " AND ".join(_search_condition(operand, parameters) for operand in operands) + ")"
        case Or(operands):
            return "(" + " OR ".join(_search_condition(operand, parameters) for operand in operands) + ")"


def _text_condition(pattern: Pattern, parameters: dict[str, Any]) -> str:
    if pattern.is_literal:
        # LIKE, since the text index serves it; on folded text it needs no case rules of its own.
        text = pattern.text.replace(SEPARATOR, "\ufffd")
        return f"text LIKE {bind(parameters, 'String', '%' + _like_escaped(text) + '%')}"
    parts = [part.replace(SEPARATOR, "\ufffd") for part in pattern.parts]
    separator = bind(parameters, "String", SEPARATOR)
    return f"arrayExists(one -> {_find_in_order('one', parts, parameters)} > 0, splitByString({separator}, text))"


def _fits(column: str, pattern: Pattern, parameters: dict[str, Any]) -> str:
    """Whether the whole of a folded text fits a pattern with stars. In time that grows with the text: LIKE and regular
    expressions take half a minute for a pattern of 100 kB."""
    first, *middle, last = pattern.parts
    conditions = [
        f"startsWith({column}, {bind(parameters, 'String', first)})",
        f"endsWith({column}, {bind(parameters, 'String', last)})",
    ]
    shortest = bind(parameters, "UInt64", _byte_length(first) + _byte_length(last))
    if not middle:
        conditions.append(f"length({column}) >= {shortest}")
    else:
        end = _find_in_order(column, middle, parameters, start=_byte_length(first) + 1)
        # `end` is where the last of them ends, plus one; 0 where one of them is missing.
        last_length = bind(parameters, "UInt64", _byte_length(last))
        conditions.append(f"{end} > 0 AND {end} - 1 + {last_length} <= length({column})")
    return "(" + " AND ".join(conditions) + ")"


def _find_in_order(column: str, parts: Sequence[str], parameters: dict[str, Any], start: int = 1) -> str:
    """The byte after the last of the parts, found one after another as early as possible, counted from 1; 0 if not all
    are there."""
    bound = bind(parameters, "Array(String)", list(parts))
    first = bind(parameters, "UInt64", start)
    step = f"position({column}, part, at)"
    return (
        f"arrayFold((at, part) -> if(at = 0 OR {step} = 0, toUInt64(0), toUInt64({step} + length(part))),"
        f" {bound}, {first})"
    )


def _tag_condition(condition: TagCondition, parameters: dict[str, Any]) -> str:
    has_tag = carries_tag(condition.pattern, parameters)
    return f"NOT {has_tag}" if condition.negated else has_tag


def carries_tag(pattern: Pattern, parameters: dict[str, Any], *, with_host: bool = True) -> str:
    """Whether any tag of the process fits, wherever it is kept; `with_host`: also the one that names its host."""
    conditions = [_in_tag_sets(_has_tag("folded", pattern, parameters))]
    if _may_be_own(pattern):
        conditions.append(_has_tag("own_tags", pattern, parameters))
    if with_host and may_name_host(pattern):
        named = is_host(pattern, parameters)
        conditions.append(f"host IN (SELECT host FROM hosts WHERE org = {{org:UInt32}} AND {named})")
    return "(" + " OR ".join(conditions) + ")"


def _has_tag(column: str, pattern: Pattern, parameters: dict[str, Any]) -> str:
    """Whether a tag of this array fits."""
    if pattern.is_literal:
        return f"has({column}, {bind(parameters, 'String', pattern.text)})"
    return f"arrayExists(tag -> {_fits('tag', pattern, parameters)}, {column})"


def _may_be_generated(pattern: Pattern) -> bool:
    """Whether the beginning of the pattern leaves it possible that one of the tags fits that every process has."""
    return _may_be_own(pattern) or may_name_host(pattern)


def _may_be_own(pattern: Pattern) -> bool:
    return any(_may_begin(pattern.parts[0], f"{key}:", pattern) for key in _OWN_KEYS)


def may_name_host(pattern: Pattern) -> bool:
    return _may_begin(pattern.parts[0], "host:", pattern)


def is_host(pattern: Pattern, parameters: dict[str, Any]) -> str:
    """A condition over `hosts`: whether the tag that names the host fits."""
    tag = "concat('host:', folded)"
    if pattern.is_literal:
        return f"{tag} = {bind(parameters, 'String', pattern.text)}"
    return _fits(tag, pattern, parameters)


def _has_key(key: str, parameters: dict[str, Any]) -> str:
    prefix = bind(parameters, "String", f"{key}:")
    return _in_tag_sets(f"arrayExists(tag -> startsWith(tag, {prefix}), folded)")


def _in_tag_sets(condition: str) -> str:
    return f"tag_set IN ({_TAG_SETS}{condition})"


def _may_begin(first: str, prefix: str, pattern: Pattern) -> bool:
    """Whether a tag `prefix…` can fit a pattern whose first literal part is `first`."""
    return first.startswith(prefix) or (not pattern.is_literal and prefix.startswith(first))


def _byte_length(text: str) -> int:
    return len(encodable(text).encode())


def _like_escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
