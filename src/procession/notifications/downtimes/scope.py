"""The scope of a downtime: `*`, or an expression over tags, as `env:(staging OR prod) AND NOT host:web-*`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from procession.errors import InvalidRequest

MAX_CHARACTERS = 2_000
MAX_TERMS = 100
MAX_NESTING = 20

_TOKEN = re.compile(r'\s*(?:([(),])|"([^"]*)"|([^\s(),"]+))')

Test = Callable[[frozenset[str]], bool]


def parse_scope(text: str) -> Test:
    """Tells by the tags of a group whether the scope has it. Raises InvalidRequest.

    A comma and two terms side by side mean AND.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidRequest(f"scope: it has more than {MAX_CHARACTERS} characters")
    if not text.strip():
        raise InvalidRequest("scope: it is empty; * is everything")
    parser = _Parser(_tokens(text))
    test = parser.either("", 0)
    if not parser.is_at_end():
        raise InvalidRequest("scope: it has a ) too many")
    return test


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_word: bool
    """And no bracket, comma or operator."""


def _tokens(text: str) -> list[_Token]:
    tokens, at = list[_Token](), 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidRequest(f"scope: it cannot be read from character {at + 1} on")
        sign, quoted, bare = match.groups()
        word = quoted if sign is None and bare is None else bare
        is_operator = bare in ("AND", "OR", "NOT")
        tokens.append(_Token(sign or word or "", sign is None and not is_operator))
        at = match.end()
    if sum(token.is_word for token in tokens) > MAX_TERMS:
        raise InvalidRequest(f"scope: it has more than {MAX_TERMS} terms")
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def is_at_end(self) -> bool:
        return self._next == len(self._tokens)

    def either(self, prefix: str, depth: int) -> Test:
        """`prefix`: the key before a bracket, as in `env:(a OR b)`."""
        if depth > MAX_NESTING:
            raise InvalidRequest(f"scope: its brackets are nested deeper than {MAX_NESTING}")
        tests = [self._both(prefix, depth)]
        while self._takes("OR"):
            tests.append(self._both(prefix, depth))
        return _any_of(tests)

    def _both(self, prefix: str, depth: int) -> Test:
        tests = [self._term(prefix, depth)]
        while not self.is_at_end() and not self._sees("OR") and not self._sees(")"):
            if self._takes("AND") or self._takes(","):
                pass
            tests.append(self._term(prefix, depth))
        return _all_of(tests)

    def _term(self, prefix: str, depth: int) -> Test:
        if depth > MAX_NESTING:
            raise InvalidRequest(f"scope: it is nested deeper than {MAX_NESTING}")
        if self._takes("NOT"):
            return _none_of(self._term(prefix, depth + 1))
        if self._takes("("):
            return self._bracket(prefix, depth)
        if self.is_at_end() or not self._tokens[self._next].is_word:
            raise InvalidRequest("scope: a term is missing")
        word = self._tokens[self._next].text
        self._next += 1
        if word.endswith(":") and self._takes("("):
            return self._bracket(prefix + word, depth)
        if word.startswith(("!", "-")) and len(word) > 1:
            return _none_of(_tag_test(prefix + word[1:]))
        return _tag_test(prefix + word)

    def _bracket(self, prefix: str, depth: int) -> Test:
        test = self.either(prefix, depth + 1)
        if not self._takes(")"):
            raise InvalidRequest("scope: a ) is missing")
        return test

    def _sees(self, sign: str) -> bool:
        return not self.is_at_end() and not self._tokens[self._next].is_word and self._tokens[self._next].text == sign

    def _takes(self, sign: str) -> bool:
        if self._sees(sign):
            self._next += 1
            return True
        return False


def _tag_test(pattern: str) -> Test:
    if pattern in ("*", "*:*"):
        return lambda _: True
    if "*" not in pattern and "?" not in pattern:
        folded = pattern.lower()
        return lambda tags: folded in tags
    if pattern.count("*") > 5:
        raise InvalidRequest("scope: a term has more than 5 stars")
    # What stands between two stars is looked for once, where it comes first: the library tries no other way.
    compiled = re.compile(fnmatch.translate(pattern.lower().replace("[", "[[]")))
    return lambda tags: any(compiled.match(tag) for tag in tags)


def folded_tags(tags: Iterable[str]) -> frozenset[str]:
    """What a scope is tried on; values of processes may be long, and no tag of a scope is."""
    return frozenset(tag[:500].lower() for tag in tags)


def _any_of(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda tags: any(test(tags) for test in tests)


def _all_of(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda tags: all(test(tags) for test in tests)


def _none_of(test: Test) -> Test:
    return lambda tags: not test(tags)
