"""Search and tag filters -> a condition over `descriptions`. Nothing that came from outside stands in its text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from procession.search.named_hosts import may_name_host
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from procession.search.tree import And, Comparison, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm
from procession.storage.history.engine.statement import SEPARATOR, TableNames, bind, encodable

_OWN_KEYS = ("user", "command", "state_zombie")
"""Of the tags in `descriptions.own_tags`; `host:` is looked up in `hosts`."""


class InTagSets(NamedTuple):
    """Whether the tag set of a description is one of those that fit a condition over `tag_sets`."""

    condition: str

    def text(self, names: TableNames) -> str:
        return f"tag_set IN (SELECT tag_set FROM {names('tag_sets')} WHERE org = {{org:UInt32}} AND {self.condition})"


class OnHosts(NamedTuple):
    """Whether the host of a description is one of those that fit a condition over `hosts`."""

    condition: str

    def text(self, names: TableNames) -> str:
        return f"host IN (SELECT host FROM {names('hosts')} WHERE org = {{org:UInt32}} AND {self.condition})"


class Condition(NamedTuple):
    """What stands in a text one after the other. Where other tables are asked, that is told apart from the rest."""

    parts: tuple[str | InTagSets | OnHosts, ...]

    @classmethod
    def of(cls, *parts: str | InTagSets | OnHosts | Condition) -> Condition:
        return cls(tuple(one for part in parts for one in (part.parts if isinstance(part, Condition) else (part,))))

    @classmethod
    def joined(cls, separator: str, conditions: Iterable[Condition]) -> Condition:
        first, *others = conditions
        return cls.of(first, *(part for one in others for part in (separator, one)))

    def text(self, names: TableNames) -> str:
        return "".join(part if isinstance(part, str) else part.text(names) for part in self.parts)

    def __str__(self) -> str:
        return self.text(TableNames())

    def tag_sets(self) -> list[InTagSets]:
        """Each once."""
        return list(dict.fromkeys(part for part in self.parts if isinstance(part, InTagSets)))

    def with_known(self, known: Mapping[InTagSets, str]) -> Condition:
        """With what stands for these."""
        return Condition(tuple(known.get(part, part) if isinstance(part, InTagSets) else part for part in self.parts))


class Filters(NamedTuple):
    org_id: int
    condition: Condition
    parameters: dict[str, Any]
    """What it binds, and the org."""

    @property
    def is_any(self) -> bool:
        """Whether everything fits."""
        return self.condition == _ANY


_ANY = Condition(("true",))


def filters_of(org_id: int, search: SearchNode | None, tags: TagFilter) -> Filters:
    parameters: dict[str, Any] = {"org": org_id}
    return Filters(org_id, filter_condition(search, tags, parameters), parameters)


def filter_condition(search: SearchNode | None, tags: TagFilter, parameters: dict[str, Any]) -> Condition:
    """A condition over `descriptions`. Adds the values it binds to `parameters`."""
    in_tag_sets: list[str] = []
    conditions: list[Condition] = []
    for condition in tags.conditions:
        if any(map(_may_be_generated, condition.patterns)):
            conditions.append(_tag_condition(condition, parameters))
        else:
            with_discovered = condition.with_discovered
            has_tag = any_of([_in_tag_set(pattern, parameters, with_discovered) for pattern in condition.patterns])
            in_tag_sets.append(f"NOT {has_tag}" if condition.negated else has_tag)
    if in_tag_sets:
        conditions.insert(0, Condition.of(InTagSets(" AND ".join(in_tag_sets))))
    if search is not None:
        conditions.append(_search_condition(search, parameters))
    return Condition.joined(" AND ", conditions) if conditions else _ANY


def _search_condition(node: SearchNode, parameters: dict[str, Any]) -> Condition:
    match node:
        case TextTerm(pattern):
            return Condition.of(_text_condition(pattern, parameters))
        case TagTerm(key, pattern, with_discovered, of_tags_alone):
            has_tag = carries_tag(pattern, parameters, with_discovered=with_discovered)
            if of_tags_alone or key in (*_OWN_KEYS, "host"):  # every process has these
                return has_tag
            has_key = _has_key(key, parameters, with_discovered=with_discovered)
            return Condition.of("if(", has_key, ", ", has_tag, ", ", _text_condition(pattern, parameters), ")")
        case WordTerm(pattern):
            return _word_condition(pattern, parameters)
        case Comparison("ppid", operator, number):
            return Condition.of(f"toFloat64(ppid) {operator} {bind(parameters, 'Float64', number)}")
        case Comparison(field):
            raise ValueError(f"no description tells the {field} of a process")
        case Not(operand):
            return Condition.of("NOT (", _search_condition(operand, parameters), ")")
        case And(operands):
            return _in_brackets(" AND ", (_search_condition(operand, parameters) for operand in operands))
        case Or(operands):
            return _in_brackets(" OR ", (_search_condition(operand, parameters) for operand in operands))


def _in_brackets(separator: str, conditions: Iterable[Condition]) -> Condition:
    return Condition.of("(", Condition.joined(separator, conditions), ")")


def _text_condition(pattern: Pattern, parameters: dict[str, Any]) -> str:
    if pattern.is_literal:
        # LIKE, since the text index serves it; on folded text it needs no case rules of its own.
        text = pattern.text.replace(SEPARATOR, "\ufffd")
        return f"text LIKE {bind(parameters, 'String', '%' + _like_escaped(text) + '%')}"
    parts = [part.replace(SEPARATOR, "\ufffd") for part in pattern.parts]
    separator = bind(parameters, "String", SEPARATOR)
    return f"arrayExists(one -> {_find_in_order('one', parts, parameters)} > 0, splitByString({separator}, text))"


def _word_condition(pattern: Pattern, parameters: dict[str, Any]) -> Condition:
    """A text somewhere in the command line, the executable or the user, in the host, or in the value of a tag."""
    word = bind(parameters, "String", pattern.text)
    has_word = (
        "arrayExists(tag -> NOT startsWith(tag, 'state_zombie:')"
        f" AND position(substring(tag, position(tag, ':') + 1), {word}) > 0, "
    )
    conditions = (
        Condition.of(_text_condition(pattern, parameters)),
        Condition.of(f"{has_word}own_tags)"),
        Condition.of(InTagSets(f"({has_word}folded) OR {has_word}discovered))")),
        Condition.of(OnHosts(f"position(folded, {word}) > 0")),
    )
    return _in_brackets(" OR ", conditions)


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


def _tag_condition(condition: TagCondition, parameters: dict[str, Any]) -> Condition:
    has_tag = carries_any_tag(condition.patterns, parameters, with_discovered=condition.with_discovered)
    return Condition.of("NOT ", has_tag) if condition.negated else has_tag


def any_of(conditions: Sequence[str]) -> str:
    """Whether one of them holds. A single one needs no brackets."""
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def carries_any_tag(
    patterns: Sequence[Pattern], parameters: dict[str, Any], *, with_host: bool = True, with_discovered: bool = False
) -> Condition:
    """As `carries_tag`, for any of the patterns."""
    conditions = [
        carries_tag(pattern, parameters, with_host=with_host, with_discovered=with_discovered) for pattern in patterns
    ]
    return conditions[0] if len(conditions) == 1 else _in_brackets(" OR ", conditions)


def carries_tag(
    pattern: Pattern, parameters: dict[str, Any], *, with_host: bool = True, with_discovered: bool = False
) -> Condition:
    """Whether any tag of the process fits, wherever it is kept; `with_host`: also the one that names its host;
    `with_discovered`: also what was found out about it."""
    conditions = [Condition.of(InTagSets(_in_tag_set(pattern, parameters, with_discovered)))]
    if _may_be_own(pattern):
        conditions.append(Condition.of(_has_tag("own_tags", pattern, parameters)))
    if with_host and may_name_host(pattern):
        conditions.append(Condition.of(OnHosts(is_host(pattern, parameters))))
    return _in_brackets(" OR ", conditions)


def _in_tag_set(pattern: Pattern, parameters: dict[str, Any], with_discovered: bool) -> str:
    columns = ("folded", "discovered") if with_discovered else ("folded",)
    return any_of([_has_tag(column, pattern, parameters) for column in columns])


def _has_tag(column: str, pattern: Pattern, parameters: dict[str, Any]) -> str:
    """Whether a tag of this array fits."""
    if pattern.is_literal:
        return f"has({column}, {bind(parameters, 'String', pattern.text)})"
    return f"arrayExists(tag -> {_fits('tag', pattern, parameters)}, {column})"


def _may_be_generated(pattern: Pattern) -> bool:
    """Whether the beginning of the pattern leaves it possible that one of the tags fits that every process has."""
    return _may_be_own(pattern) or may_name_host(pattern)


def _may_be_own(pattern: Pattern) -> bool:
    return any(pattern.may_begin_with(f"{key}:") for key in _OWN_KEYS)


def is_host(pattern: Pattern, parameters: dict[str, Any]) -> str:
    """A condition over `hosts`: whether the tag that names the host fits."""
    tag = "concat('host:', folded)"
    if pattern.is_literal:
        return f"{tag} = {bind(parameters, 'String', pattern.text)}"
    return _fits(tag, pattern, parameters)


def _has_key(key: str, parameters: dict[str, Any], *, with_discovered: bool) -> InTagSets:
    prefix = bind(parameters, "String", f"{key}:")
    columns = ("folded", "discovered") if with_discovered else ("folded",)
    return InTagSets(any_of([f"arrayExists(tag -> startsWith(tag, {prefix}), {column})" for column in columns]))


def _byte_length(text: str) -> int:
    return len(encodable(text).encode())


def _like_escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
