"""A process among its relatives, and its earlier runs."""

from __future__ import annotations

import msgspec

from procession.analysis.instant import ProcessAtInstant
from procession.process import ProcessDetail, ProcessSummary


class Branch(msgspec.Struct, frozen=True):
    """A process among its relatives. Depth 0: the process asked for, or one without a parent here."""

    depth: int
    at_instant: ProcessAtInstant


class HostTree(msgspec.Struct, frozen=True):
    total: int
    branches: tuple[Branch, ...]
    """Parents before their children."""
    is_known: bool


class Family(msgspec.Struct, frozen=True):
    ancestors: tuple[Branch, ...]
    """The eldest first, with depths below 0."""
    process: Branch
    descendants: tuple[Branch, ...]


class Run(msgspec.Struct, frozen=True):
    process: ProcessSummary
    detail: ProcessDetail
    has_same_cmdline: bool
