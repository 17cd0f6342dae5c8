"""The tags that a process must carry: the `tags` parameter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from procession.search.pattern import Pattern, fold


@dataclass(frozen=True, slots=True)
class TagCondition:
    """One item: `env:prod`, a bare tag, with `*`, or negated by `!`."""

    pattern: Pattern
    negated: bool = False

    def accepts(self, folded_tags: Iterable[str]) -> bool:
        return any(self.pattern.matches(tag) for tag in folded_tags) is not self.negated


@dataclass(frozen=True, slots=True)
class TagFilter:
    """All conditions must hold; none at all lets everything pass."""

    conditions: tuple[TagCondition, ...] = ()

    @classmethod
    def parse(cls, text: str) -> TagFilter:
        """Comma-separated; blank items are skipped. Any text is a filter: an unknown tag finds nothing."""
        conditions = []
        for item in text.split(","):
            item = item.strip()
            negated = item.startswith("!")
            name = item[1:].strip() if negated else item
            if name:
                conditions.append(TagCondition(Pattern.parse(name), negated))
        return cls(tuple(conditions))

    def accepts(self, tags: Iterable[str]) -> bool:
        folded = [fold(tag) for tag in tags]
        return all(condition.accepts(folded) for condition in self.conditions)
