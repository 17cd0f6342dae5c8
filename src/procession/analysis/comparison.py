"""Two instants, or two selections, side by side."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import msgspec

from procession.analysis.aggregates import Grouped
from procession.analysis.instant import ProcessAtInstant
from procession.analysis.selection import Selection


class Match(enum.Enum):
    """Who is the same on both sides of a comparison."""

    PROCESS = "process"
    CMDLINE = "cmdline"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Side:
    selection: Selection
    at: int


class ChangedProcess(msgspec.Struct, frozen=True):
    before: ProcessAtInstant
    after: ProcessAtInstant
    fields: tuple[str, ...]
    """Of the description."""


class ChangedGroup(msgspec.Struct, frozen=True):
    value: str | None
    before: Grouped
    after: Grouped


class Comparison(msgspec.Struct, frozen=True):
    left_total: int
    right_total: int
    left_known: bool
    right_known: bool
    left_silent: tuple[str, ...]
    """Hosts that both sides are about and that have processes on the right, but of which nothing is known on the left,
    by name. Their processes are in the total, but it is not known whether they started or ended."""
    right_silent: tuple[str, ...]
    started_total: int
    ended_total: int
    changed_total: int
    same_total: int
    started: tuple[ProcessAtInstant, ...] | tuple[Grouped, ...]
    ended: tuple[ProcessAtInstant, ...] | tuple[Grouped, ...]
    changed: tuple[ChangedProcess, ...] | tuple[ChangedGroup, ...]
