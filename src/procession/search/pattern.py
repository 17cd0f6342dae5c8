"""Texts to look for: folded, with wildcards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def fold(text: str) -> str:
    """The form in which texts are compared, so that case does not matter. The store keeps and compares texts in it.

    In SQL: `replaceAll(lowerUTF8(text), 'ς', 'σ')`. The two small sigmas are one letter here: which of them `lower`
    gives depends on what follows, and then a word would not be found within a longer one.
    """
    return text.lower().replace("ς", "σ")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A folded text in which `*` stands for any run of characters, also none: the literal parts between the stars."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Every `*` in the text is a wildcard."""
        return cls.of_parts(fold(text).split("*"))

    @classmethod
    def of_parts(cls, folded: Sequence[str]) -> Pattern:
        """From the texts between the stars. A run of stars means what one star means."""
        first, *rest = folded
        return cls((first, *(part for part in rest[:-1] if part), *rest[-1:]))

    @classmethod
    def beginning(cls, text: str) -> Pattern:
        """What begins with the text, in which `*` is a wildcard."""
        return cls.of_parts([*fold(text).split("*"), ""])

    @classmethod
    def literal(cls, text: str) -> Pattern:
        """Every character of the text stands for itself, `*` too."""
        return cls((fold(text),))

    @property
    def is_literal(self) -> bool:
        return len(self.parts) == 1

    @property
    def text(self) -> str:
        """The pattern in one text, with its stars."""
        return "*".join(self.parts)

    def may_begin_with(self, folded: str) -> bool:
        """Whether a text that begins so can match as a whole."""
        first = self.parts[0]
        return first.startswith(folded) or (not self.is_literal and folded.startswith(first))

    def covers(self, other: Pattern) -> bool:
        """Whether all that the other matches is matched by this one, too. It may be so as well where it says no."""
        return self == other or (other.is_literal and self.matches(other.parts[0]))

    def matches(self, folded: str) -> bool:
        """Whether a folded text as a whole matches."""
        if self.is_literal:
            return folded == self.parts[0]
        first, *middle, last = self.parts
        if not folded.startswith(first):
            return False
        position = len(first)
        for part in middle:
            found = folded.find(part, position)
            if found < 0:
                return False
            position = found + len(part)
        return len(folded) - len(last) >= position and folded.endswith(last)

    def is_within(self, folded: str) -> bool:
        """Whether a part of a folded text matches."""
        position = 0
        for part in self.parts:
            found = folded.find(part, position)
            if found < 0:
                return False
            position = found + len(part)
        return True
