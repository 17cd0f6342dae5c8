"""From the text of the `search` parameter to its tree.

    search  = and ("OR" and)*
    and     = not ("AND"? not)*             a blank between two terms means AND
    not     = ("NOT" | "!")* (term | "(" search ")")
    term    = (bare | quoted)+              nothing in between: -Dname="a b" is the one term -Dname=a b

Operators are words of their own, in capitals; `!` is one before a term or a parenthesis, and a character elsewhere.
A bare part runs to a blank, a parenthesis or a quote. In quotes every character stands for itself, but `\\"` is a quote
and `\\\\` a backslash. A term that begins with a bare `key:` is about tags, and then a bare `*` in its value is a
wildcard. Everything else, `-` and `/` and `*` and NUL, is a character to look for.

In our own language a term of one bare part may also be a comparison (`cpu>50`, see `fields`), and any other term of
bare parts, which is not about tags, is a word that is also looked for among hosts and tags. There `service:web`,
`language:go` and `listens:443` also look at what an agent has found out (see `procession.discovery`), without quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn

from procession.discovery import DISCOVERED_KEYS
from procession.errors import InvalidParameter
from procession.search.fields import parse_comparison
from procession.search.pattern import Pattern, fold
from procession.search.tree import And, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm

MAX_TERMS = 256
MAX_OPEN_PARENTHESES = 32
"""With AND, OR and NOT in each of them the tree is 100 levels deep at most, so that it may be walked by recursion."""


class Language(Enum):
    """What the terms of a search mean."""

    DATADOG = "datadog"
    """As Datadog's endpoint has it."""
    PROCESSION = "procession"
    """Our own: the same, with comparisons, and with bare words that find hosts and tags, too."""


_NOT_BLANK = re.compile(r"\S")
_BARE = re.compile(r'[^\s()"]+')
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')


def parse_search(text: str, language: Language = Language.DATADOG) -> SearchNode | None:
    """The tree of a search; None for a blank text, which every process matches.

    Raises InvalidParameter for a text that is no search, and for more than MAX_TERMS terms or MAX_OPEN_PARENTHESES open
    parentheses; its text names the character, counted from 1. Takes time in proportion to the text, without recursion.
    """
    return None if not text.strip() else _Parser(text, language).parse()


@dataclass(slots=True)
class _Clause:
    """What has been read of a search, up to the parenthesis that closes it or the end of the text."""

    opened_at: int
    negated: bool = False
    """The clause as a whole."""
    alternatives: list[SearchNode] = field(default_factory=list)
    """What stands before the last OR."""
    factors: list[SearchNode] = field(default_factory=list)
    """What must hold together, since the last OR."""
    negates_next: bool = False
    wants_term: bool = True

    def take_sign(self) -> bool:
        """Whether the next term is negated; two NOTs are none."""
        negated, self.negates_next = self.negates_next, False
        return negated

    def add(self, node: SearchNode, *, negated: bool) -> None:
        if negated:
            node = node.operand if isinstance(node, Not) else Not(node)
        self.factors.append(node)
        self.wants_term = False

    def start_alternative(self) -> None:
        self.alternatives.append(_all_of(self.factors))
        self.factors = []

    def close(self) -> SearchNode:
        self.start_alternative()
        return _any_of(self.alternatives)


class _Parser:
    def __init__(self, text: str, language: Language) -> None:
        self._text = text
        self._is_own = language is Language.PROCESSION
        self._position = 0
        self._terms = 0
        self._clauses = [_Clause(opened_at=-1)]

    def parse(self) -> SearchNode:
        while self._skip_blanks():
            match self._text[self._position]:
                case "(":
                    self._open()
                case ")":
                    self._close()
                case "!":
                    self._negate(length=1)
                case _:
                    self._read_word()
        clause = self._clauses.pop()
        if clause.wants_term:
            self._fail("expected a term and found the end")
        if self._clauses:
            self._fail('expected a ")" for the "("', clause.opened_at)
        return clause.close()

    def _skip_blanks(self) -> bool:
        """Whether something is left to read."""
        found = _NOT_BLANK.search(self._text, self._position)
        self._position = found.start() if found else len(self._text)
        return found is not None

    def _open(self) -> None:
        # The first clause is the text as a whole, and has none.
        if len(self._clauses) > MAX_OPEN_PARENTHESES:
            self._fail(f"expected no more than {MAX_OPEN_PARENTHESES} open parentheses and found another")
        negated = self._clauses[-1].take_sign()
        self._clauses.append(_Clause(self._position, negated))
        self._position += 1

    def _close(self) -> None:
        clause = self._clauses[-1]
        if clause.wants_term:
            self._fail('expected a term and found a ")"')
        if len(self._clauses) == 1:
            self._fail('expected no ")" without a "(" before it, and found one')
        self._clauses.pop()
        self._clauses[-1].add(clause.close(), negated=clause.negated)
        self._position += 1

    def _negate(self, length: int) -> None:
        clause = self._clauses[-1]
        clause.negates_next = not clause.negates_next
        clause.wants_term = True
        self._position += length

    def _read_word(self) -> None:
        """An operator or a term."""
        start = self._position
        clause = self._clauses[-1]
        match self._read_parts():
            case [("NOT", False)]:
                self._negate(length=0)
            case [("AND" | "OR" as operator, False)]:
                if clause.wants_term:
                    self._fail(f"expected a term and found {operator}", start)
                if operator == "OR":
                    clause.start_alternative()
                clause.wants_term = True
            case parts:
                self._terms += 1
                if self._terms > MAX_TERMS:
                    self._fail(f"expected no more than {MAX_TERMS} terms and found another", start)
                node = self._own_term(parts, start) if self._is_own else _term(parts)
                clause.add(node, negated=clause.take_sign())

    def _own_term(self, parts: list[tuple[str, bool]], start: int) -> SearchNode:
        first, is_quoted = parts[0]
        if len(parts) == 1 and not is_quoted:
            match parse_comparison(first):
                case str() as rule:
                    self._fail(rule, start)
                case None:
                    pass
                case comparison:
                    return comparison
        match _term(parts):
            case TagTerm(key, pattern) if key in DISCOVERED_KEYS and len(parts) == 1:
                return TagTerm(key, pattern, with_discovered=True)
            case TextTerm(pattern) if not any(quoted for _, quoted in parts):
                return WordTerm(pattern)
            case term:
                return term

    def _read_parts(self) -> list[tuple[str, bool]]:
        """The parts of a word, and whether each is quoted."""
        parts = []
        while True:
            if bare := _BARE.match(self._text, self._position):
                parts.append((bare.group(), False))
                self._position = bare.end()
            elif quoted := _QUOTED.match(self._text, self._position):
                parts.append((_ESCAPE.sub(r"\1", quoted.group(1)), True))
                self._position = quoted.end()
            elif self._text.startswith('"', self._position):
                self._fail("expected a closing quote for the one", hint=self._hint_of_quotes())
            else:
                return parts

    def _hint_of_quotes(self) -> str:
        # A path of Windows ends with a backslash.
        if '\\"' not in self._text[self._position :]:
            return ""
        return 'in quotes \\" is a quote and \\\\ a backslash, as in "C:\\\\Program Files\\\\"'

    def _fail(self, rule: str, position: int | None = None, hint: str = "") -> NoReturn:
        place = self._position if position is None else position
        raise InvalidParameter("search", f"{rule} at character {place + 1}", hint)


def _term(parts: list[tuple[str, bool]]) -> SearchNode:
    first, is_quoted = parts[0]
    key, colon, value = first.partition(":")
    if is_quoted or not key or not colon:
        return TextTerm(Pattern.literal("".join(part for part, _ in parts)))

    # Stars are wildcards in the bare parts of the value, and nowhere else.
    literals = [fold(key) + ":"]
    for part, part_is_quoted in [(value, False), *parts[1:]]:
        continuation, *rest = [part] if part_is_quoted else part.split("*")
        literals[-1] += fold(continuation)
        literals.extend(fold(literal) for literal in rest)
    return TagTerm(fold(key), Pattern.of_parts(literals))


def _all_of(nodes: list[SearchNode]) -> SearchNode:
    if len(nodes) == 1:
        return nodes[0]
    return And(tuple(part for node in nodes for part in (node.operands if isinstance(node, And) else (node,))))


def _any_of(nodes: list[SearchNode]) -> SearchNode:
    if len(nodes) == 1:
        return nodes[0]
    return Or(tuple(part for node in nodes for part in (node.operands if isinstance(node, Or) else (node,))))
