"""Searches and tag filters over columns: what `procession.search` means, by numbers of texts and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from procession.search.pattern import Pattern, fold
from procession.search.tag_filter import TagCondition, TagFilter
from procession.search.tree import And, Comparison, Not, Or, SearchNode, TagTerm, TextTerm, WordTerm
from procession.storage.live.candidates import Candidates
from procession.storage.live.columns import Array
from procession.storage.live.matching.comparisons import compared
from procession.storage.live.matching.words import WordInTags
from procession.storage.live.org_table import OrgTable
from procession.storage.live.text_index import NO, UNKNOWN, YES

_SAMPLE = 300
"""Texts that are looked at one by one, before all are."""

_COMMON = 0.1
"""Share of texts with a word, from which on it is looked for only where it matters."""


class RowFilter:
    """Of one question; what it has found out of texts and labels it remembers."""

    def __init__(self, table: OrgTable, search: SearchNode | None, tags: TagFilter) -> None:
        self._table = table
        self._search = search
        self._conditions = tags.conditions
        self._texts: dict[Pattern, _TextsWith] = {}
        self._words: dict[Pattern, WordInTags] = {}
        self._tags: dict[tuple[Pattern, str | None, bool], _HasTag] = {}

    @property
    def lets_all_pass(self) -> bool:
        return self._search is None and not self._conditions

    def accepted(self, candidates: Candidates) -> Candidates:
        for condition in self._conditions:
            candidates = candidates.select(self._fits(condition, candidates))
        if self._search is None:
            return candidates
        if len(candidates) > len(self._table.descriptions.texts) and _is_of_texts(self._search):
            return candidates.select(self._holds_in_texts(self._search)[candidates.column("text")])
        return candidates.select(self._holds(self._search, candidates))

    def _fits(self, condition: TagCondition, candidates: Candidates) -> Array:
        carries = np.zeros(len(candidates), bool)
        for pattern in condition.patterns:
            carries |= self._has_tag(pattern, None, condition.with_discovered).of(candidates)
        return ~carries if condition.negated else carries

    def _holds(self, node: SearchNode, candidates: Candidates) -> Array:
        match node:
            case And(operands):
                return ~self._any([Not(one) for one in operands], candidates)
            case Or(operands):
                return self._any(operands, candidates)
            case Not(And() as operand):
                return self._any([Not(one) for one in operand.operands], candidates)
            case Not(operand):
                return ~self._holds(operand, candidates)
            case TagTerm():
                return self._tag_term(node, candidates)
            case TextTerm(pattern):
                return self._texts_with(pattern).of(candidates.column("text"))
            case WordTerm(pattern):
                return self._word(pattern, candidates)
            case Comparison() as comparison:
                return compared(candidates, comparison)

    def _holds_in_texts(self, node: SearchNode) -> Array:
        """By number of a text. There are fewer texts than processes, and what is known of them is remembered."""
        found: Array
        match node:
            case And(operands):
                found = np.logical_and.reduce([self._holds_in_texts(one) for one in operands])
                return found
            case Or(operands):
                found = np.logical_or.reduce([self._holds_in_texts(one) for one in operands])
                return found
            case Not(operand):
                return ~self._holds_in_texts(operand)
            case TextTerm(pattern):
                return self._texts_with(pattern).all()
            case _:
                raise TypeError(f"{node} is not about texts alone")

    def _any(self, operands: Sequence[SearchNode], candidates: Candidates) -> Array:
        """Each of them is asked only of those that none before it took; tags come first, they cost less."""
        found = np.zeros(len(candidates), bool)
        left = np.arange(len(candidates))
        for operand in sorted(operands, key=_cost):
            holds = self._holds(operand, candidates)
            found[left[holds]] = True
            left, candidates = left[~holds], candidates.select(~holds)
        return found

    def _tag_term(self, term: TagTerm, candidates: Candidates) -> Array:
        carries = self._has_tag(term.pattern, term.key, term.with_discovered).of(candidates)
        if term.of_tags_alone:
            return carries
        any_of_key = Pattern((f"{term.key}:", ""))
        is_without = ~self._has_tag(any_of_key, term.key, term.with_discovered).of(candidates)
        if is_without.any():
            carries[is_without] = self._texts_with(term.pattern).of(candidates.column("text")[is_without])
        return carries

    def _word(self, pattern: Pattern, candidates: Candidates) -> Array:
        if pattern not in self._words:
            self._words[pattern] = WordInTags(self._table, pattern)
        found = self._words[pattern].of(candidates)
        is_left = ~found
        found[is_left] = self._texts_with(pattern).of(candidates.column("text")[is_left])
        return found

    def _texts_with(self, pattern: Pattern) -> _TextsWith:
        if pattern not in self._texts:
            self._texts[pattern] = _TextsWith(self._table, pattern)
        return self._texts[pattern]

    def _has_tag(self, pattern: Pattern, key: str | None, with_discovered: bool) -> _HasTag:
        asked = pattern, key, with_discovered
        if asked not in self._tags:
            self._tags[asked] = _HasTag(self._table, *asked)
        return self._tags[asked]


def _is_of_texts(node: SearchNode) -> bool:
    """Whether the texts alone decide."""
    match node:
        case And(operands) | Or(operands):
            return all(map(_is_of_texts, operands))
        case Not(operand):
            return _is_of_texts(operand)
        case TextTerm():
            return True
        case _:
            return False


def _cost(node: SearchNode) -> int:
    match node:
        case And(operands) | Or(operands):
            return 1 + max(map(_cost, operands))
        case Not(operand):
            return _cost(operand)
        case TagTerm() | Comparison():
            return 0
        case TextTerm() | WordTerm():
            return 1


class _TextsWith:
    """Which texts a pattern is within, as far as that was asked."""

    def __init__(self, table: OrgTable, pattern: Pattern) -> None:
        self._index = table.text_index
        self._pattern = pattern
        self._known = self._index.remembered(pattern, len(table.descriptions.texts))
        self._is_learned = not (self._known == UNKNOWN).any()

    def of(self, texts: Array) -> Array:
        if len(texts) > len(self._known) and not self._is_learned:
            # Most texts will be met: whether all are to be looked at is told by some of them.
            self._learn(np.flatnonzero(self._known == UNKNOWN), _SAMPLE)
        found = self._known[texts]
        is_unknown = found == UNKNOWN
        if not self._is_learned and is_unknown.any():
            is_asked = np.zeros(len(self._known), bool)
            is_asked[texts[is_unknown]] = True
            self._learn(np.flatnonzero(is_asked))
            found = self._known[texts]
        is_in: Array = found == YES
        return is_in

    def all(self) -> Array:
        if not self._is_learned:
            self._learn(np.flatnonzero(self._known == UNKNOWN))
            self._is_learned = True
        found: Array = self._known == YES
        return found

    def _learn(self, texts: Array, most: int = 2**31) -> None:
        """All texts, if few have it; else these, if they are not more than `most`."""
        if len(texts) > _SAMPLE:
            sample = texts[:: len(texts) // _SAMPLE]
            self._look_at(sample)
            if self._known[sample].mean() < _COMMON:
                self._known[:] = np.where(self._index.find(self._pattern)[: len(self._known)], YES, NO)
                self._is_learned = True
                return
        if len(texts) <= most:
            self._look_at(texts)

    def _look_at(self, texts: Array) -> None:
        self._known[texts] = self._index.are_in(texts.tolist(), self._pattern)


class _HasTag:
    """Which processes have a tag that fits a pattern, and, where a key is given, has this key."""

    def __init__(self, table: OrgTable, pattern: Pattern, key: str | None, with_discovered: bool) -> None:
        self._table = table
        self._pattern = pattern
        self._beginning = "" if key is None else f"{key}:"
        labels = table.descriptions.tags.labels_with(pattern, key)
        if with_discovered:
            labels += table.descriptions.discovered.labels_with(pattern, key)
        self._labels = _marked(labels, len(table.descriptions.labels))
        self._hosts = self._of_generated("host", self._host_tags)
        self._users = self._of_generated("user", lambda: _tags_of("user", table.descriptions.users.values))
        self._commands = self._of_generated("command", lambda: _tags_of("command", table.descriptions.commands.values))

    def of(self, candidates: Candidates) -> Array:
        found = np.zeros(len(candidates), bool)
        if self._labels is not None:
            found = self._labels.take(candidates.column("labels"))
        if self._hosts is not None:
            found |= self._hosts.take(candidates.column("host"))
        descriptions = self._table.descriptions
        if self._users is not None:
            found |= self._users[descriptions.users.of[candidates.column("text")]]
        if self._commands is not None:
            found |= self._commands[descriptions.commands.of[candidates.column("text")]]
        return found

    def _of_generated(self, key: str, tags: Callable[[], Sequence[str]]) -> Array | None:
        """By number of a value, whether the tag that every process has of it fits; None where none does."""
        beginning = self._pattern.parts[0]
        if not beginning.startswith(f"{key}:") and (self._pattern.is_literal or not f"{key}:".startswith(beginning)):
            return None
        matches = self._pattern.matches
        found = np.array([matches(tag) and tag.startswith(self._beginning) for tag in tags()], bool)
        return found if found.any() else None

    def _host_tags(self) -> Sequence[str]:
        return ["" if host is None else host.tag for host in self._table.hosts]


def _tags_of(key: str, values: Sequence[str]) -> Sequence[str]:
    return [fold(f"{key}:{value}") for value in values]


def _marked(numbers: Sequence[Array], count: int) -> Array | None:
    if not numbers:
        return None
    found = np.zeros(count, bool)
    for some in numbers:
        found[some] = True
    return found


def has_tag(table: OrgTable, pattern: Pattern) -> bool:
    """Whether any process has a tag that fits, but for that of its host."""
    descriptions = table.descriptions
    generated = (*_tags_of("user", descriptions.users.values), *_tags_of("command", descriptions.commands.values))
    return bool(descriptions.tags.labels_with(pattern, None)) or any(map(pattern.matches, generated))
