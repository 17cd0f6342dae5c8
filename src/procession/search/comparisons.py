"""What of a search can be told without the numbers of processes, and how they ended."""

from __future__ import annotations

from procession.search.fields import FIELDS, parse_comparison
from procession.search.tag_filter import TagCondition, TagFilter
from procession.search.tree import And, Comparison, Not, Or, SearchNode, WordTerm


def compares(node: SearchNode | None) -> bool:
    """Whether it takes more than what a process is to tell what matches."""
    match node:
        case Comparison(field):
            return not FIELDS[field].is_described
        case And(operands) | Or(operands):
            return any(map(compares, operands))
        case Not(operand):
            return compares(operand)
        case _:
            return False


def compared_fields(node: SearchNode | None) -> frozenset[str]:
    """Of comparisons for which it does."""
    match node:
        case Comparison(field):
            return frozenset() if FIELDS[field].is_described else frozenset((field,))
        case And(operands) | Or(operands):
            return frozenset().union(*map(compared_fields, operands))
        case Not(operand):
            return compared_fields(operand)
        case _:
            return frozenset()


def endings_among(tags: TagFilter) -> tuple[TagFilter, tuple[SearchNode, ...]]:
    """The tags that are tags; and what the others, such as `exit_code:1`, compare."""
    compared = {condition: node for condition in tags.conditions if (node := _ending_of(condition)) is not None}
    others = tuple(condition for condition in tags.conditions if condition not in compared)
    return TagFilter(others), tuple(compared.values())


def is_tag_or_ending(condition: TagCondition) -> bool:
    """Whether it has both, of which one is enough."""
    return 0 < len(_compared_endings(condition)) < len(condition.patterns)


def _ending_of(condition: TagCondition) -> SearchNode | None:
    compared = _compared_endings(condition)
    if len(compared) < len(condition.patterns):
        return None
    node = compared[0] if len(compared) == 1 else Or(compared)
    return Not(node) if condition.negated else node


def _compared_endings(condition: TagCondition) -> tuple[Comparison, ...]:
    found = (parse_comparison(pattern.text) for pattern in condition.patterns)
    return tuple(one for one in found if isinstance(one, Comparison) and FIELDS[one.field].is_of_ending)


def words_of(node: SearchNode | None) -> list[str]:
    """What it looks for among hosts and tags, too, in its order."""
    match node:
        case WordTerm(pattern):
            return [pattern.text]
        case And(operands) | Or(operands):
            return [word for operand in operands for word in words_of(operand)]
        case Not(operand):
            return words_of(operand)
        case _:
            return []


def looks_at_ending(node: SearchNode | None) -> bool:
    return any(FIELDS[field].is_of_ending for field in compared_fields(node))


def without_comparisons(node: SearchNode | None) -> SearchNode | None:
    """The narrowest search that does not compare and that matches all that `node` matches. None: everything."""
    if node is None:
        return None
    bound = _bound(node, is_upper=True)
    return None if isinstance(bound, bool) else bound


def _bound(node: SearchNode, *, is_upper: bool) -> SearchNode | bool:
    """What matches at least, or at most, what the node does; a bool for everything or nothing."""
    if not compares(node):
        return node
    match node:
        case Not(operand):
            bound = _bound(operand, is_upper=not is_upper)
            return not bound if isinstance(bound, bool) else Not(bound)
        case And(operands):
            bounds = [_bound(operand, is_upper=is_upper) for operand in operands]
            return _joined([one for one in bounds if one is not True], And, absorbing=False)
        case Or(operands):
            bounds = [_bound(operand, is_upper=is_upper) for operand in operands]
            return _joined([one for one in bounds if one is not False], Or, absorbing=True)
        case _:
            return is_upper


def _joined(bounds: list[SearchNode | bool], kind: type[And] | type[Or], *, absorbing: bool) -> SearchNode | bool:
    nodes = [one for one in bounds if not isinstance(one, bool)]
    if len(nodes) < len(bounds):
        return absorbing
    if len(nodes) < 2:
        return nodes[0] if nodes else not absorbing
    return kind(tuple(nodes))
