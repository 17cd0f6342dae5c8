"""The tags that a process must have, or must not have: the `tags` parameter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from procession.search.pattern import Pattern, fold


@dataclass(frozen=True, slots=True)
class TagCondition:
    """One item of the parameter: `env:prod`, `env:*`, a tag without a value, each perhaps with `!` before it."""

    pattern: Pattern
    negated: bool = False

    def accepts(self, folded_tags: Iterable[str]) -> bool:
        """Whether a process with these tags, folded by `fold`, meets the condition."""
        return any(self.pattern.matches(tag) for tag in folded_tags) is not self.negated


@dataclass(frozen=True, slots=True)
class TagFilter:
    """All conditions together. A filter without conditions accepts every process."""

    conditions: tuple[TagCondition, ...] = ()

    @classmethod
    def parse(cls, text: str) -> TagFilter:
        """From items between commas; blank items are skipped. Any text is a filter: it never raises."""
        conditions = []
        for item in text.split(","):
            item = item.strip()
            negated = item.startswith("!")
            name = item[1:].strip() if negated else item
            if name:
                conditions.append(TagCondition(Pattern.parse(name), negated))
        return cls(tuple(conditions))

    def accepts(self, tags: Iterable[str]) -> bool:
        """Whether a process with these tags, in any case, meets all conditions."""
        folded = [fold(tag) for tag in tags]
        return all(condition.accepts(folded) for condition in self.conditions)
