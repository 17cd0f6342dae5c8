"""How many questions the live table answered, how many the history, and how many both together."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class AnswerCounts:
    """Of several threads: a count may be lost, for it is only shown."""

    def __init__(self) -> None:
        self.from_live_table = 0
        self.from_history = 0
        self.from_both = 0

    def live(self, answer: T) -> T:
        """Counts this answer of the live table, and gives it."""
        self.from_live_table += 1
        return answer

    def joined(self, answer: T) -> T:
        """Counts this answer of live table and history together, and gives it."""
        self.from_both += 1
        return answer

    def history(self) -> None:
        """Counts an answer of the history."""
        self.from_history += 1
