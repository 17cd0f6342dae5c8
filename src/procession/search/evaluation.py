"""Whether a process matches a search: the meaning of the tree, in plain Python."""

from __future__ import annotations

from procession.process import ProcessSummary
from procession.search.pattern import fold
from procession.search.tree import And, Not, Or, SearchNode, TagTerm, TextTerm


def accepts(node: SearchNode | None, process: ProcessSummary) -> bool:
    """Whether a process matches a search. None matches every process."""
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
