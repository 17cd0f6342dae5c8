"""Two instants, or two selections, side by side."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from procession.analysis.aggregates import Grouped
from procession.analysis.grouping.group_order import in_order
from procession.analysis.instant import ProcessAtInstant
from procession.analysis.selection import Order, Selection
from procession.command_line.without_arguments import described_without_arguments
from procession.process import ProcessDescription


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


class Head(NamedTuple):
    """What a comparison says of its sides, whatever is matched."""

    left_total: int
    right_total: int
    left_known: bool
    right_known: bool
    left_silent: tuple[str, ...]
    right_silent: tuple[str, ...]

    def comparison(self, **found: Any) -> Comparison:
        return Comparison(**self._asdict(), **found)


def differences(
    old: ProcessDescription, new: ProcessDescription, *, without_arguments: bool = False
) -> tuple[str, ...]:
    """The fields that differ, of what is left for a reader who may not see arguments where that is wanted."""
    if without_arguments:
        old, new = described_without_arguments(old), described_without_arguments(new)
    return tuple(name for name in ProcessDescription.__struct_fields__ if getattr(old, name) != getattr(new, name))


def changed_process(
    before: ProcessAtInstant, after: ProcessAtInstant, *, without_arguments: bool = False
) -> ChangedProcess:
    """Of two that are known to differ."""
    old, new = before.process.description, after.process.description
    return ChangedProcess(before, after, differences(old, new, without_arguments=without_arguments))


def compared_groups(
    head: Head, before: Mapping[str | None, Grouped], after: Mapping[str | None, Grouped], limit: int
) -> Comparison:
    """Of all groups of both sides. Their measures are `rss_bytes`, and others."""
    order = Order("sum:rss_bytes", is_descending=True)
    started = in_order((one for value, one in after.items() if value not in before), order)
    ended = in_order((one for value, one in before.items() if value not in after), order)
    common = in_order((one for value, one in after.items() if value in before), order)
    changed = [one for one in common if one.count != before[one.value].count]
    return head.comparison(
        started_total=len(started),
        ended_total=len(ended),
        changed_total=len(changed),
        same_total=len(common) - len(changed),
        started=tuple(started[:limit]),
        ended=tuple(ended[:limit]),
        changed=tuple(ChangedGroup(one.value, before[one.value], one) for one in changed[:limit]),
    )
