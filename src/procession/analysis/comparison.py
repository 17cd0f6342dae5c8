"""Two instants, or two selections, side by side."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import msgspec

from procession.analysis.aggregates import Grouped
from procession.analysis.instant import ProcessAtInstant
from procession.analysis.selection import Selection


class Match(enum.Enum):
    """What processes of the two sides must have in common to be compared with each other."""

    PROCESS = "process"
    """The key: it is one process, at two instants."""
    CMDLINE = "cmdline"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the processes of a selection at an instant."""

    selection: Selection
    at: int
    """Unix seconds."""


class ChangedProcess(msgspec.Struct, frozen=True):
    """A process that is on both sides, with another description."""

    before: ProcessAtInstant
    """On the left."""
    after: ProcessAtInstant
    """On the right."""
    fields: tuple[str, ...]
    """The fields of `ProcessDescription` that differ."""


class ChangedGroup(msgspec.Struct, frozen=True):
    """A group that is on both sides, with another number of processes."""

    value: str | None
    before: Grouped
    after: Grouped


class Comparison(msgspec.Struct, frozen=True):
    """What differs between two sides. With `Match.PROCESS` it counts and lists processes, otherwise groups of them; the
    lists may be shorter than their totals, and begin with the most memory."""

    left_total: int
    """Processes on the left, whatever they are matched by."""
    right_total: int
    left_known: bool
    right_known: bool
    left_silent: tuple[str, ...]
    """Names of hosts that belong to both sides and have processes on the right, but from which nothing is known on the
    left, in order. Their processes are in the total, but it is not known whether they started or ended."""
    right_silent: tuple[str, ...]
    """The same with the sides exchanged."""
    started_total: int
    """How many are on the right only."""
    ended_total: int
    """How many are on the left only."""
    changed_total: int
    """How many are on both sides and differ."""
    same_total: int
    """How many are on both sides and do not differ."""
    started: tuple[ProcessAtInstant, ...] | tuple[Grouped, ...]
    ended: tuple[ProcessAtInstant, ...] | tuple[Grouped, ...]
    changed: tuple[ChangedProcess, ...] | tuple[ChangedGroup, ...]
