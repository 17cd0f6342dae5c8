"""What is left of processes, and of questions about them, for a reader who may not see arguments.

Hidden are the arguments, the folders in which a process runs, and what was found out from its arguments, its
environment or its files: under which names it serves others.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import msgspec

from procession.discovery import Discovery
from procession.errors import InvalidRequest
from procession.process import GENERATED_KEYS, ProcessDescription
from procession.search.pattern import Pattern
from procession.search.tag_filter import TagCondition, TagFilter
from procession.search.tree import And, Comparison, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm

HIDDEN: Final = frozenset({"args", "cmdline", "cwd", "root", "service", "services", "tracers"})
"""Attributes and keys of tags by which nothing is sorted, grouped or counted."""

MAX_TEXTS: Final = 24
"""Of a search: each becomes several conditions over tags, and a statement for the store can be too long."""

_SERVICE = "service"
_NOTHING = Discovery()
_PROGRAM = re.compile(r"\S*")


def described_without_arguments(description: ProcessDescription) -> ProcessDescription:
    first_is_empty = description.argument_words[:1] == (0,)
    program = "" if first_is_empty else program_of_line(description.cmdline)
    return msgspec.structs.replace(
        description,
        cmdline=program,
        argument_words=(1,) if program else (),
        cwd="",
        root="",
        discovery=_discovered_without_names(description.discovery),
    )


def program_of_line(cmdline: str) -> str:
    """Up to the first blank, as an agent cuts it that sends no arguments: a title is cut likewise."""
    found = _PROGRAM.match(cmdline)
    return "" if found is None else found[0]


def depends_on_arguments(node: SearchNode | None) -> bool:
    """Whether what a search finds may be another for other arguments, or other things that are hidden."""
    match node:
        case TextTerm() | WordTerm():
            return True
        case TagTerm(key=key, of_tags_alone=of_tags_alone):
            # Where there are no tags of a key, it looks for a text.
            is_of_tags = of_tags_alone or key in GENERATED_KEYS
            return not is_of_tags or (node.with_discovered and key == _SERVICE)
        case Not(operand):
            return depends_on_arguments(operand)
        case And(operands) | Or(operands):
            return any(map(depends_on_arguments, operands))
        case _:
            return False


def search_without_arguments(node: SearchNode) -> SearchNode:
    """What looks for texts looks for them in the short name of the program, in the user, and where it would look there
    too, in the host. Raises InvalidRequest for more than MAX_TEXTS."""
    if _texts_in(node) > MAX_TEXTS:
        raise InvalidRequest(f"A search of who may see no arguments has at most {MAX_TEXTS} texts that are no tags")
    return _without_texts(node)


def _texts_in(node: SearchNode) -> int:
    match node:
        case TextTerm() | WordTerm():
            return 1
        case Not(operand):
            return _texts_in(operand)
        case And(operands) | Or(operands):
            return sum(map(_texts_in, operands))
        case _:
            return 0


def _without_texts(node: SearchNode) -> SearchNode:
    match node:
        case TextTerm(pattern):
            return Or((_within("command", pattern), _within("user", pattern)))
        case WordTerm(pattern):
            return Or((_within("command", pattern), _within("user", pattern), _within("host", pattern)))
        case TagTerm(key=key):
            with_discovered = node.with_discovered and key != _SERVICE
            return replace(node, with_discovered=with_discovered, of_tags_alone=True)
        case Comparison():
            return node
        case Not(operand):
            return Not(_without_texts(operand))
        case And(operands):
            return And(tuple(map(_without_texts, operands)))
        case Or(operands):
            return Or(tuple(map(_without_texts, operands)))


def tags_without_arguments(tags: TagFilter) -> TagFilter:
    return TagFilter(tuple(map(_condition, tags.conditions)))


def _condition(condition: TagCondition) -> TagCondition:
    may_fit = any(pattern.may_begin_with(f"{_SERVICE}:") for pattern in condition.patterns)
    return replace(condition, with_discovered=False) if may_fit and condition.with_discovered else condition


def _within(key: str, pattern: Pattern) -> TagTerm:
    """Somewhere in the value of a tag that every process has."""
    return TagTerm(key, Pattern.of_parts([f"{key}:", *pattern.parts, ""]), of_tags_alone=True)


def _discovered_without_names(discovery: Discovery | None) -> Discovery | None:
    if discovery is None:
        return None
    left = msgspec.structs.replace(discovery, services=None, tracers=None)
    # Whether anybody looked for what is hidden is hidden, too.
    return None if left == _NOTHING else left
