"""What happened to a process between two snapshots."""

from __future__ import annotations

import msgspec

from procession.process import NO_EXIT_FACTS, ExitFacts, ProcessDescription


class ProcessExec(msgspec.Struct, frozen=True, kw_only=True):
    """A process executed another program."""

    pid: int
    at: int
    """Unix seconds; 0 where the agent does not say."""
    forked_at: int | None = None
    """When the process started, in Unix seconds; None where that is not known."""
    description: ProcessDescription
    """What it is since then."""


class ProcessExit(msgspec.Struct, frozen=True, kw_only=True):
    """A process ended."""

    pid: int
    at: int
    """Unix seconds; 0 where the agent does not say."""
    executed_at: int | None = None
    """When it last executed a program, which may be after its start; None where that is not known."""
    exit_code: int
    """As a shell has it: 128 and the signal for a process that was killed."""
    description: ProcessDescription
    """As far as the agent knew it."""
    facts: ExitFacts = NO_EXIT_FACTS


class ProcessExits(msgspec.Struct, frozen=True):
    """Exits on one host."""

    host: str
    exits: tuple[ProcessExit, ...]


class ProcessEvents(msgspec.Struct, frozen=True):
    """Events on one host, in the order in which the agent noticed them."""

    host: str
    events: tuple[ProcessExec | ProcessExit, ...]
