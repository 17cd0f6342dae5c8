"""Whether something matches a search: the meaning of the tree, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from procession.discovery import discovered_tags
from procession.process import ProcessDetail, ProcessSummary
from procession.search.fields import holds, value_of
from procession.search.pattern import fold
from procession.search.tree import And, Comparison, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm


class Searched(NamedTuple):
    """What a search looks at of one thing. Texts and tags are folded."""

    texts: tuple[str, ...]
    tags: tuple[str, ...]
    value: Callable[[str], float | None]
    """Of a field of `fields.FIELDS`; None where it has none."""
    discovered: tuple[str, ...] = ()


def accepts(node: SearchNode | None, process: ProcessSummary, detail: ProcessDetail | None = None) -> bool:
    """Whether a process matches a search. None matches every process. `detail`: what comparisons look at."""
    if node is None:
        return True
    description = process.description
    return matches(
        node,
        Searched(
            tuple(fold(text) for text in (description.cmdline, description.exe, description.user)),
            tuple(fold(tag) for tag in process.tags),
            partial(_value, process, detail or ProcessDetail()),
            discovered_tags(description.discovery),
        ),
    )


def matches(node: SearchNode, searched: Searched) -> bool:
    match node:
        case And(operands):
            return all(matches(operand, searched) for operand in operands)
        case Or(operands):
            return any(matches(operand, searched) for operand in operands)
        case Not(operand):
            return not matches(operand, searched)
        case TagTerm(key, pattern, with_discovered, of_tags_alone):
            tags = (*searched.tags, *searched.discovered) if with_discovered else searched.tags
            of_this_key = [tag for tag in tags if tag.startswith(f"{key}:")]
            if of_this_key:
                return any(pattern.matches(tag) for tag in of_this_key)
            return not of_tags_alone and any(pattern.is_within(text) for text in searched.texts)
        case TextTerm(pattern):
            return any(pattern.is_within(text) for text in searched.texts)
        case WordTerm(pattern):
            values = (value_within(tag) for tag in (*searched.tags, *searched.discovered))
            return any(pattern.is_within(text) for text in (*searched.texts, *values))
        case Comparison(field, operator, number):
            return holds(operator, searched.value(field), number)


def value_within(folded_tag: str) -> str:
    """What a word is looked for in of a tag: its value, or all of one that has no key."""
    key, colon, value = folded_tag.partition(":")
    if not colon:
        return folded_tag
    return "" if key == "state_zombie" else value


def _value(process: ProcessSummary, detail: ProcessDetail, field: str) -> float | None:
    return value_of(field, process, detail)
