"""What was used in all at the moments that were shown, for the lines of the header."""

from __future__ import annotations

from procession.cli.analysis import Filters
from procession.cli.terminal.top.questions import Answer

MOST_MOMENTS = 400


class UsageHistory:
    """Of one selection of processes; another one begins anew."""

    def __init__(self) -> None:
        self._selection: tuple[Filters, str | None] | None = None
        self._sums: dict[int, dict[str, float | None]] = {}

    def add(self, answer: Answer, filters: Filters, tree_host: str | None) -> None:
        if self._selection != (filters, tree_host):
            self._selection = (filters, tree_host)
            self._sums.clear()
        self._sums[answer.at] = answer.summary.sums
        if len(self._sums) > MOST_MOMENTS:
            del self._sums[min(self._sums)]

    def until(self, at: int, measure: str) -> list[float]:
        """What is known of it up to a moment, the oldest first."""
        values = [self._sums[moment].get(measure) for moment in sorted(self._sums) if moment <= at]
        return [value for value in values if value is not None]
