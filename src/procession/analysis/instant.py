"""Processes at an instant, one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from procession.process import ProcessKey, ProcessNumbers, ProcessSummary

REACH_SECONDS = 60
"""How long a host that is silent still has the processes that it had."""


class ProcessAtInstant(msgspec.Struct, frozen=True):
    """A process at an instant."""

    process: ProcessSummary
    numbers: ProcessNumbers = ProcessNumbers()


MAX_NAMED_CHUNKS = 500


class InstantPin(msgspec.Struct, frozen=True):
    """Which chunks of snapshots the first page of a list was made of, so that the pages after it are made of them."""

    received_at: int
    """When the newest of them was received."""
    newest: tuple[int, ...]
    """Numbers of 32 bits, for each that was received then or in the second before."""
    digest: bytes
    """8 bytes, of all of them."""


@dataclass(frozen=True, slots=True)
class InstantPage:
    total: int
    processes: tuple[ProcessAtInstant, ...]
    is_known: bool
    pin: InstantPin | None = field(default=None, compare=False)
    """None where there is nothing to pin, or where it would be too long."""


class Points(msgspec.Struct, frozen=True):
    """Columns of one length."""

    total: int
    """Of which both numbers are known."""
    groups: tuple[str, ...]
    keys: tuple[ProcessKey, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    group: tuple[int | None, ...]
    is_known: bool
