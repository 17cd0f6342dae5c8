"""Which hosts a search or a tag filter names."""

from __future__ import annotations

from procession.search.pattern import Pattern
from procession.search.tag_filter import TagFilter
from procession.search.tree import And, Comparison, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm


def required_host(search: SearchNode | None, tags: TagFilter) -> Pattern | None:
    """The `host:` tag, without wildcards, that all that fits must carry, if one is named."""
    for condition in tags.conditions:
        pattern, *others = condition.patterns
        if condition.names_hosts and pattern.is_literal and not others:
            return pattern
    for node in search.operands if isinstance(search, And) else (search,):
        if isinstance(node, TagTerm) and node.key == "host" and node.pattern.is_literal:
            return node.pattern
    return None


def named_hosts(search: SearchNode | None, tags: TagFilter) -> tuple[frozenset[Pattern], ...]:
    """The hosts that somebody named: what fits has one `host:` tag of each set. Empty: any host."""
    named = [frozenset(condition.patterns) for condition in tags.conditions if condition.names_hosts]
    return (*named, *(() if search is None else _named_in(search)))


def hosts_alone(node: SearchNode | None) -> SearchNode | None:
    """What a search says of hosts, with all else left out: what fits the search fits this. None: it says nothing."""
    match node:
        case TagTerm(key="host"):
            return node
        case And(operands):
            said = _said_of_hosts(operands)
            return And(said) if len(said) > 1 else next(iter(said), None)
        case Or(operands):
            said = _said_of_hosts(operands)
            return Or(said) if len(said) == len(operands) else None
        case _:
            return None


def _said_of_hosts(operands: tuple[SearchNode, ...]) -> tuple[SearchNode, ...]:
    return tuple(said for said in map(hosts_alone, operands) if said is not None)


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


def may_name_host(pattern: Pattern) -> bool:
    """Whether the tag that names a host may fit."""
    return pattern.may_begin_with("host:")


def mentions_host(search: SearchNode | None) -> bool:
    """Whether a search may look at the host: then the version alone does not tell what fits."""
    match search:
        case None | TextTerm() | Comparison():
            return False
        case WordTerm():
            return True
        case TagTerm(key=key):
            return key == "host"
        case Not(operand):
            return mentions_host(operand)
        case And(operands) | Or(operands):
            return any(map(mentions_host, operands))
