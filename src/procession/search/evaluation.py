"""Whether a process matches a search: the meaning of the tree, in plain Python."""

from __future__ import annotations

from typing import NamedTuple

from procession.discovery import discovered_tags
from procession.process import ProcessDetail, ProcessSummary
from procession.search.fields import holds, value_of
from procession.search.pattern import fold
from procession.search.tree import And, Comparison, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm


class _Looked(NamedTuple):
    process: ProcessSummary
    detail: ProcessDetail
    texts: tuple[str, ...]
    tags: tuple[str, ...]
    discovered: tuple[str, ...]


def accepts(node: SearchNode | None, process: ProcessSummary, detail: ProcessDetail | None = None) -> bool:
    """Whether a process matches a search. None matches every process. `detail`: what comparisons look at."""
    if node is None:
        return True
    description = process.description
    texts = tuple(fold(text) for text in (description.cmdline, description.exe, description.user))
    tags = tuple(fold(tag) for tag in process.tags)
    return _holds(
        node, _Looked(process, detail or ProcessDetail(), texts, tags, discovered_tags(description.discovery))
    )


def _holds(node: SearchNode, looked: _Looked) -> bool:
    match node:
        case And(operands):
            return all(_holds(operand, looked) for operand in operands)
        case Or(operands):
            return any(_holds(operand, looked) for operand in operands)
        case Not(operand):
            return not _holds(operand, looked)
        case TagTerm(key, pattern, with_discovered):
            tags = (*looked.tags, *looked.discovered) if with_discovered else looked.tags
            of_this_key = [tag for tag in tags if tag.startswith(f"{key}:")]
            if of_this_key:
                return any(pattern.matches(tag) for tag in of_this_key)
            return any(pattern.is_within(text) for text in looked.texts)
        case TextTerm(pattern):
            return any(pattern.is_within(text) for text in looked.texts)
        case WordTerm(pattern):
            values = (value_within(tag) for tag in (*looked.tags, *looked.discovered))
            return any(pattern.is_within(text) for text in (*looked.texts, *values))
        case Comparison(field, operator, number):
            return holds(operator, value_of(field, looked.process, looked.detail), number)


def value_within(folded_tag: str) -> str:
    """What a word is looked for in of a tag: its value, or all of one that has no key."""
    key, colon, value = folded_tag.partition(":")
    if not colon:
        return folded_tag
    return "" if key == "state_zombie" else value
