"""What happened to a process between two snapshots."""

from __future__ import annotations

import msgspec

from procession.process import ProcessDescription


class ProcessExec(msgspec.Struct, frozen=True, kw_only=True):
    """A process became another program."""

    pid: int
    at: int
    forked_at: int | None = None
    description: ProcessDescription


class ProcessExit(msgspec.Struct, frozen=True, kw_only=True):
    """A process ended."""

    pid: int
    at: int
    executed_at: int | None = None
    """When it became the program that ended; it may have started before."""
    exit_code: int
    description: ProcessDescription
    """As far as the agent knew it."""


class ProcessExits(msgspec.Struct, frozen=True):
    """Some of one host."""

    host: str
    exits: tuple[ProcessExit, ...]


class ProcessEvents(msgspec.Struct, frozen=True):
    """Some of one host, in the order in which the agent noticed them."""

    host: str
    events: tuple[ProcessExec | ProcessExit, ...]
