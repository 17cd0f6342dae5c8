"""Processes at an instant, one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from procession.process import ProcessKey, ProcessNumbers, ProcessSummary

REACH_SECONDS = 60
"""For how long after its newest complete snapshot a host still has the processes of it."""


class ProcessAtInstant(msgspec.Struct, frozen=True):
    """A process at an instant, with its numbers at its newest sighting."""

    process: ProcessSummary
    numbers: ProcessNumbers = ProcessNumbers()


MAX_NAMED_CHUNKS = 500
"""How many chunks an `InstantPin` may name, so that a cursor that holds it stays short."""


class InstantPin(msgspec.Struct, frozen=True):
    """Which chunks of snapshots the first page of a list was made of, so that later pages are made of the same ones."""

    received_at: int
    """When the newest of these chunks was received, in Unix seconds."""
    newest: tuple[int, ...]
    """A hash of 32 bits for each of these chunks that was received in that second or the one before."""
    digest: bytes
    """A hash of 8 bytes over all of these chunks."""


@dataclass(frozen=True, slots=True)
class InstantPage:
    """A page of the processes at an instant."""

    total: int
    """How many processes there are on all pages."""
    processes: tuple[ProcessAtInstant, ...]
    is_known: bool
    pin: InstantPin | None = field(default=None, compare=False)
    """None where there is nothing to pin, or where it would name more than MAX_NAMED_CHUNKS."""


class Points(msgspec.Struct, frozen=True):
    """Two measures of each process, as columns: `keys`, `x`, `y` and `group` have an item for each process."""

    total: int
    """How many processes have both measures, also those beyond these columns."""
    groups: tuple[str, ...]
    """The values that processes are grouped by."""
    keys: tuple[ProcessKey, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    group: tuple[int | None, ...]
    """An index into `groups`; None for a process without a value."""
    is_known: bool
