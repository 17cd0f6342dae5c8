"""The search language: what a text of the `search` parameter means, as a tree.

`parser.parse_search` makes the tree. Visitors walk it, each where it is used: `evaluation.accepts` says whether one
process matches, and the store makes SQL of it, or finds the rows of a table in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from procession.search.pattern import Pattern

Operator = Literal["<", "<=", "=", ">=", ">"]


@dataclass(frozen=True, slots=True)
class TextTerm:
    """A text somewhere in the command line, the path of the executable, or the user's name."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class TagTerm:
    """`key:value`. If the process has tags with this key, one of them must match `key:value` as a whole. If it has
    none, the term is a TextTerm for the text `key:value`."""

    key: str
    """Folded, without the colon."""
    pattern: Pattern
    """The whole of `key:value`, with its wildcards."""
    with_discovered: bool = False
    """In our own language, of a key of DISCOVERED_KEYS: what was found out about the process is among its tags."""
    of_tags_alone: bool = False
    """For a reader who may not see texts: a process without tags of this key does not match."""


@dataclass(frozen=True, slots=True)
class WordTerm:
    """A bare word of our own language: a TextTerm that also finds the host, and the value of any tag but
    `state_zombie:`. What was found out about the process is among its tags."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number of the process is in this relation to another. One that is not known is in none."""

    field: str
    """One of `fields.FIELDS`."""
    operator: Operator
    number: float


@dataclass(frozen=True, slots=True)
class Not:
    operand: SearchNode


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[SearchNode, ...]


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[SearchNode, ...]


SearchNode = TextTerm | TagTerm | WordTerm | Comparison | Not | And | Or
