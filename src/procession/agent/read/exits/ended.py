"""The end of a process, as the agent heard of it."""

from __future__ import annotations

import msgspec

from procession.agent.read.process_reading import ProcessReading
from procession.process import NO_EXIT_FACTS, ExitFacts


class Ended(msgspec.Struct, frozen=True):
    """A process that has exited."""

    pid: int
    exit_code: int
    """As a shell has it: 128 and the signal for one that was killed."""
    ended_at: float
    """Unix time, as are the others."""
    forked_at: float | None
    """None for a process that was there at the last snapshot."""
    executed_at: float | None
    reading: ProcessReading | None
    """As it was when it began. None for one that was there at the last snapshot."""
    facts: ExitFacts = NO_EXIT_FACTS


def shell_code(status: int) -> int:
    """Of the status that a parent waits for."""
    return 128 + (status & 0x7F) if status & 0x7F else status >> 8 & 0xFF
