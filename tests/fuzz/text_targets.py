"""Texts of users and of processes: searches, tags, command lines that are scrubbed."""

from __future__ import annotations

import re

from procession.errors import InvalidParameter
from procession.process import ProcessDescription, ProcessIdentity, ProcessSummary
from procession.scrubbing import Scrubber
from procession.search.evaluation import accepts
from procession.search.parser import MAX_TERMS, parse_search
from procession.search.pattern import Pattern, fold
from procession.search.tag_filter import TagFilter
from procession.search.tree import And, Not, Or, SearchNode, TagTerm, TextTerm
from procession.storage.history.statements.search_conditions import filters_of
from tests.fuzz.draw import Draw

_DEEPEST = 100
_TOKEN = re.compile(r"\{org:UInt32\}|\{v\d+:[A-Za-z0-9()]+\}|'host:'|[A-Za-z_0-9]+|->|[<>]=|[-+=(),<>]|\s+")
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "AND FROM IN LIKE NOT OR SELECT WHERE arrayExists arrayFold at concat endsWith folded has host hosts if length"
        " one org own_tags part position splitByString startsWith tag tags tag_set tag_sets text toUInt64 true",
    )
)
"""All that conditions are made of, beside numbers, signs and places for values."""
_VALUE = re.compile(r"\{\w+:[A-Za-z0-9()]+\}")

_PROCESS = ProcessSummary(
    ProcessIdentity("web-1", 7, 1000),
    1000,
    ProcessDescription(cmdline="nginx -g a b", exe="/usr/sbin/nginx", user="www-data", tags=("env:prod", "role:web")),
)


def check_search(data: bytes) -> None:
    """A search is a tree that means the same when it is written out, or an error at a place in its text."""
    text = data.decode("utf-8", "replace")
    try:
        tree = parse_search(text)
    except InvalidParameter as error:
        place = re.fullmatch(r"expected .* at character ([1-9]\d*)", error.rule)
        assert place is not None, error.rule
        assert int(place[1]) <= len(text) + 1
        return
    assert (tree is None) == (not text.strip())
    if tree is None:
        return
    assert _depth(tree) <= _DEEPEST
    assert len(_terms(tree)) <= MAX_TERMS
    assert parse_search(_written(tree, None)) == tree
    assert accepts(tree, _PROCESS) is _holds(tree)
    check_condition(tree, TagFilter())


_TERMS = (
    ("nginx", True),
    ("apache", False),
    ("env:prod", True),
    ("env:dev", False),
    ("env:p*d", True),
    ('"-g a"', True),
    ("user:root", False),
    ('role:"web"', True),
)


def check_meaning(data: bytes) -> None:
    """NOT before AND before OR, and parentheses before all of them. No more terms than there may be."""
    text, holds, terms = _expression(Draw(data), depth=4)
    try:
        tree = parse_search(text)
    except InvalidParameter:
        assert terms > MAX_TERMS, text
        return
    assert terms <= MAX_TERMS, text
    assert accepts(tree, _PROCESS) is holds, text


def _expression(draw: Draw, depth: int) -> tuple[str, bool, int]:
    """Text, whether it holds, and how many terms it has."""
    texts, holds, terms = zip(*(_product(draw, depth) for _ in range(1 + draw.number(2))), strict=True)
    return " OR ".join(texts), any(holds), sum(terms)


def _product(draw: Draw, depth: int) -> tuple[str, bool, int]:
    text, holds, terms = "", True, 0
    for place in range(1 + draw.number(2)):
        joined = draw.pick((" ", " AND ", "  ")) if place else ""
        sign = draw.pick(("", "!", "NOT ", "! NOT "))
        if depth and draw.number(3) == 1:
            inner, value, count = _expression(draw, depth - 1)
            inner = f"({inner})"
        else:
            (inner, value), count = draw.pick(_TERMS), 1
        text += joined + sign + inner
        holds = holds and value is not (sign in ("!", "NOT "))
        terms += count
    return text, holds, terms


def check_tags(data: bytes) -> None:
    """Any text is a filter, and a tag that is written in it is let through."""
    text = data.decode("utf-8", "replace")
    tags = TagFilter.parse(text)
    items = [item.strip() for item in text.split(",")]
    meant = [item for item in items if item.removeprefix("!").strip()]
    assert len(tags.conditions) == len(meant)
    for item, condition in zip(meant, tags.conditions, strict=True):
        assert condition.negated is item.startswith("!")
        name = item.removeprefix("!").strip() if condition.negated else item
        example = name.replace("*", "")
        assert condition.accepts([fold(example)]) is not condition.negated
        assert condition.accepts([]) is condition.negated
    check_condition(None, tags)


def check_pattern(data: bytes) -> None:
    """Stars mean what they mean in a regular expression, found in time that grows with the text."""
    draw = Draw(data)
    pattern = Pattern.parse("".join(draw.pick("a*b*A.") for _ in range(draw.number(12))))
    text = fold("".join(draw.pick("abA.x") for _ in range(draw.number(40))))
    expression = ".*".join(map(re.escape, pattern.parts))
    assert pattern.matches(text) is (re.fullmatch(expression, text, re.DOTALL) is not None)
    assert pattern.is_within(text) is (re.search(expression, text, re.DOTALL) is not None)


_SCRUBBER = Scrubber()
_HIDDEN = "Zq7wLt93"
_FLAGS = ("--password=", "--api-key=", "password=", "API_TOKEN=", "--secret ", "--db-password ")


def check_scrubbing(data: bytes) -> None:
    """A secret under a name that says so does not come through, whatever stands around it."""
    draw = Draw(data)
    flag = draw.pick(_FLAGS)
    words = [word for word in draw.rest().decode("utf-8", "replace").replace("\0", " ").split(" ") if word]
    given = [*flag[:-1].split(), _HIDDEN] if flag.endswith(" ") else [flag + _HIDDEN]
    middle = len(words) // 2
    hidden = " ".join(_SCRUBBER.scrub((*words[:middle], *given, *words[middle:])))
    assert _HIDDEN not in hidden, hidden


def check_condition(search: SearchNode | None, tags: TagFilter) -> None:
    """Its text is ours, and names each value; what came from outside is a value."""
    filters = filters_of(1, search, tags)
    text = str(filters.condition)
    assert "".join(_TOKEN.findall(text)) == text
    assert set(re.findall(r"[A-Za-z_]\w*", _VALUE.sub("", text))) <= _WORDS
    bound = {value[1:].partition(":")[0] for value in _VALUE.findall(text)}
    assert bound <= set(filters.parameters)
    assert text.count("(") == text.count(")")


def _depth(node: SearchNode) -> int:
    match node:
        case And(operands) | Or(operands):
            assert len(operands) > 1
            assert not any(type(operand) is type(node) for operand in operands)
            return 1 + max(map(_depth, operands))
        case Not(operand):
            assert not isinstance(operand, Not)
            return 1 + _depth(operand)
        case _:
            return 1


def _terms(node: SearchNode) -> list[SearchNode]:
    match node:
        case And(operands) | Or(operands):
            return [term for operand in operands for term in _terms(operand)]
        case Not(operand):
            return _terms(operand)
        case _:
            return [node]


def _written(node: SearchNode, around: type | None) -> str:
    match node:
        case And(operands) | Or(operands):
            joined = (" " if isinstance(node, And) else " OR ").join(_written(one, type(node)) for one in operands)
            return joined if around is None or (around is Or and isinstance(node, And)) else f"({joined})"
        case Not(operand):
            return f"!{_written(operand, Not)}"
        case TagTerm(key, pattern):
            first, *rest = pattern.parts
            return f"{key}:" + "*".join(map(_quoted, (first.removeprefix(f"{key}:"), *rest)))
        case TextTerm(pattern):
            return _quoted(pattern.text)
        case _:
            raise AssertionError(f"Datadog's language has no {node}")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _holds(node: SearchNode) -> bool:
    """The same as `accepts` says of the one process, by regular expressions."""
    texts, tags = ("nginx -g a b", "/usr/sbin/nginx", "www-data"), tuple(map(fold, _PROCESS.tags))
    match node:
        case And(operands):
            return all(_holds(operand) for operand in operands)
        case Or(operands):
            return any(_holds(operand) for operand in operands)
        case Not(operand):
            return not _holds(operand)
        case TagTerm(key, pattern):
            expression = ".*".join(map(re.escape, pattern.parts))
            of_key = [tag for tag in tags if tag.startswith(f"{key}:")]
            if of_key:
                return any(re.fullmatch(expression, tag, re.DOTALL) for tag in of_key)
            return any(re.search(expression, text, re.DOTALL) for text in texts)
        case TextTerm(pattern):
            return any(pattern.text in text for text in texts)
        case _:
            raise AssertionError(f"Datadog's language has no {node}")
