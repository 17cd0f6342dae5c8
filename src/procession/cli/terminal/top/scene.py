"""All that a screen is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from procession.cli.terminal.colors import ColorDepth
from procession.cli.terminal.spans import Span
from procession.cli.terminal.top.columns import Column, fitted_columns
from procession.cli.terminal.top.questions import Answer
from procession.cli.terminal.top.screen_state import ScreenState
from procession.cli.terminal.top.usage_history import UsageHistory

FOOTER_LINES = 1
METER_HEIGHT = 22
"""Screens with so many lines have one for meters."""


@dataclass(frozen=True)
class Scene:
    state: ScreenState
    answer: Answer | None
    status: str
    """What went wrong; empty if nothing did."""
    size: tuple[int, int]
    """Columns and lines."""
    url: str
    details: Sequence[Sequence[Span]] = ()
    history: UsageHistory = field(default_factory=UsageHistory)
    depth: ColorDepth = ColorDepth.SIXTEEN

    @property
    def width(self) -> int:
        return self.size[0]

    @property
    def height(self) -> int:
        """Of the rows alone."""
        return rows_of(self.size)

    @cached_property
    def columns(self) -> list[Column]:
        answer, state = self.answer, self.state
        items = answer.items if answer else []
        if state.tree_host:
            # All of a host are there at once.
            items = items[state.top :][: self.height]
        at = answer.at if answer else 0
        return fitted_columns(items, self.width, at, chosen=state.columns, sort="" if state.tree_host else state.sort)


def header_lines(size: tuple[int, int]) -> int:
    return 5 if size[1] >= METER_HEIGHT else 4


def rows_of(size: tuple[int, int]) -> int:
    return max(size[1] - header_lines(size) - FOOTER_LINES, 1)
