"""The search language: what a text of the `search` parameter means.

`search_parser.parse_search` gives a tree; the store turns the tree into SQL (`storage/sql.py`), and `accepts` says the
same of one process in plain Python.
"""

from __future__ import annotations

from dataclasses import dataclass

from procession.process import ProcessSummary
from procession.search.pattern import Pattern, fold


@dataclass(frozen=True, slots=True)
class TextTerm:
    """A text somewhere in the command line, the path of the executable, or the user's name."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class TagTerm:
    """`key:value`: where the process has a tag with this key, one of them must fit `key:value` whole; where it has
    none, the text `key:value` is looked for as a TextTerm does."""

    key: str
    """Folded, without the colon."""
    pattern: Pattern
    """Of the whole of `key:value`."""


@dataclass(frozen=True, slots=True)
class Not:
    operand: SearchNode


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[SearchNode, ...]


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[SearchNode, ...]


SearchNode = TextTerm | TagTerm | Not | And | Or


def accepts(node: SearchNode | None, process: ProcessSummary) -> bool:
    """Whether a process is among those that a search is for; None is for all of them."""
    description = process.description
    texts = tuple(fold(text) for text in (description.cmdline, description.exe, description.user))
    tags = tuple(fold(tag) for tag in process.tags)
    return node is None or _holds(node, texts, tags)


def _holds(node: SearchNode, texts: tuple[str, ...], tags: tuple[str, ...]) -> bool:
    match node:
        case And(operands):
            return all(_holds(operand, texts, tags) for operand in operands)
        case Or(operands):
            return any(_holds(operand, texts, tags) for operand in operands)
        case Not(operand):
            return not _holds(operand, texts, tags)
        case TagTerm(key, pattern):
            of_this_key = [tag for tag in tags if tag.startswith(f"{key}:")]
            if of_this_key:
                return any(pattern.matches(tag) for tag in of_this_key)
            return any(pattern.is_within(text) for text in texts)
        case TextTerm(pattern):
            return any(pattern.is_within(text) for text in texts)
