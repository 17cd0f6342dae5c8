"""A process among its relatives, and its earlier runs."""

from __future__ import annotations

import msgspec

from procession.analysis.instant import ProcessAtInstant
from procession.process import ProcessDetail, ProcessSummary


class Branch(msgspec.Struct, frozen=True):
    """A process and its depth in a tree: 0 for the process asked for, or for one whose parent is not in the tree."""

    depth: int
    at_instant: ProcessAtInstant


class HostTree(msgspec.Struct, frozen=True):
    """All processes of a host at an instant."""

    total: int
    """How many processes there are, also those beyond `branches`."""
    branches: tuple[Branch, ...]
    """Parents before their children."""
    is_known: bool


class Family(msgspec.Struct, frozen=True):
    """A process with its ancestors and descendants."""

    ancestors: tuple[Branch, ...]
    """The most distant first. The parent has depth -1, its parent -2, and so on."""
    process: Branch
    descendants: tuple[Branch, ...]
    """Parents before their children; the children have depth 1."""


class Run(msgspec.Struct, frozen=True):
    """Another process of the same command on the same host."""

    process: ProcessSummary
    detail: ProcessDetail
    has_same_cmdline: bool
    """Whether its command line is that of the process asked about."""
