"""Processes at an instant, one by one."""

from __future__ import annotations

import msgspec

from procession.process import ProcessKey, ProcessNumbers, ProcessSummary

REACH_SECONDS = 60
"""How long a host that is silent still has the processes that it had."""


class ProcessAtInstant(msgspec.Struct, frozen=True):
    """A process at an instant."""

    process: ProcessSummary
    numbers: ProcessNumbers = ProcessNumbers()


class InstantPage(msgspec.Struct, frozen=True):
    total: int
    processes: tuple[ProcessAtInstant, ...]
    is_known: bool


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
