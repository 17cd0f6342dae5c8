"""The tags that a process must have, or must not have: the `tags` parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from procession.discovery import DISCOVERED_KEYS
from procession.search.pattern import Pattern, fold

_OR = re.compile(r"\s+OR\s+")


@dataclass(frozen=True, slots=True)
class TagCondition:
    """One item of the parameter: `env:prod`, `env:*`, a tag without a value, each perhaps with `!` before it; or
    several with `OR` between them."""

    patterns: tuple[Pattern, ...]
    """One of them has to fit a tag."""
    negated: bool = False
    with_discovered: bool = False
    """What was found out about a process is among its tags: see `procession.discovery`."""

    @property
    def names_hosts(self) -> bool:
        """Whether a process has to have a `host:` tag that fits."""
        return not self.negated and all(pattern.parts[0].startswith("host:") for pattern in self.patterns)

    def implies(self, other: TagCondition) -> bool:
        """Whether whatever meets this one meets the other, too. It may be so as well where it says no."""
        if self.negated is not other.negated:
            return False
        if self.negated:
            looks_as_far = self.with_discovered or not other.with_discovered
            covered = (any(mine.covers(one) for mine in self.patterns) for one in other.patterns)
        else:
            looks_as_far = other.with_discovered or not self.with_discovered
            covered = (any(one.covers(mine) for one in other.patterns) for mine in self.patterns)
        return looks_as_far and all(covered)

    def accepts(self, folded_tags: Iterable[str]) -> bool:
        """Whether a process with these tags, folded by `fold`, meets the condition."""
        return any(pattern.matches(tag) for tag in folded_tags for pattern in self.patterns) is not self.negated


@dataclass(frozen=True, slots=True)
class TagFilter:
    """All conditions together. A filter without conditions accepts every process."""

    conditions: tuple[TagCondition, ...] = ()

    @classmethod
    def parse(cls, text: str, *, has_or: bool = False, with_discovered: bool = False) -> TagFilter:
        """From items between commas; blank items are skipped. Any text is a filter: it never raises. `has_or`: whether
        `OR` in an item stands between tags, of which a process needs one. `with_discovered`: as in TagCondition."""
        conditions = []
        for item in text.split(","):
            item = item.strip()
            negated = item.startswith("!")
            name = item[1:].strip() if negated else item
            if name:
                names = _OR.split(name) if has_or else [name]
                patterns = tuple(map(Pattern.parse, names))
                conditions.append(TagCondition(patterns, negated, with_discovered and may_be_discovered(patterns)))
        return cls(tuple(conditions))

    def implies(self, other: TagFilter) -> bool:
        """Whether whatever meets this one meets the other, too. It may be so as well where it says no."""
        return all(any(mine.implies(one) for mine in self.conditions) for one in other.conditions)

    def accepts(self, tags: Iterable[str], discovered: Iterable[str] = ()) -> bool:
        """Whether a process with these tags, in any case, meets all conditions. `discovered`: its `discovered_tags`."""
        folded = [fold(tag) for tag in tags]
        found = [*folded, *discovered]
        return all(one.accepts(found if one.with_discovered else folded) for one in self.conditions)


EVERYTHING = TagFilter()


def may_be_discovered(patterns: Iterable[Pattern]) -> bool:
    """Whether one of the tags of `discovered_tags` may fit."""
    return any(pattern.may_begin_with(f"{key}:") for pattern in patterns for key in DISCOVERED_KEYS)
