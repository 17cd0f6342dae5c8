"""A process among its relatives, and its earlier runs."""

from __future__ import annotations

import msgspec

from procession.analysis.instant import ProcessAtInstant
from procession.command_line.arguments import arguments_of
from procession.command_line.run_program import run_program
from procession.command_line.without_arguments import described_without_arguments
from procession.process import ProcessDescription, ProcessDetail, ProcessSummary


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
    """Another process of the same program on the same host: see `program_of`."""

    process: ProcessSummary
    detail: ProcessDetail
    has_same_cmdline: bool
    """Whether its command line is that of the process asked about; of both their programs where they are compared
    without arguments."""


def program_of(description: ProcessDescription) -> tuple[str, str]:
    """What runs of a program have in common: `java` alone does not tell one service from another."""
    line, words = description.cmdline, description.argument_words
    arguments = arguments_of(line, words)
    return run_program(description.command, line.split(" ") if arguments is None else arguments)


def run_like(like: ProcessSummary, found: ProcessSummary, detail: ProcessDetail, *, without_arguments: bool) -> Run:
    old, new = like.description, found.description
    if without_arguments:
        old, new = described_without_arguments(old), described_without_arguments(new)
    return Run(found, detail, old.cmdline == new.cmdline)
