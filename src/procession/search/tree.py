"""The search language: what a text of the `search` parameter means, as a tree.

`parser.parse_search` makes the tree. Those who walk it live where they run: `evaluation.accepts` says of one process
whether it fits, and the store makes SQL of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from procession.search.pattern import Pattern


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
