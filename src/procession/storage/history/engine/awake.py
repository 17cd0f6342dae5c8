"""Keeps the embedded engine awake while it writes the parts of a table anew.

A statement that deletes rows, or changes how long they are kept, waits for that. The engine does it in the background,
and after each step may go to sleep until it looks again: up to a minute, see `embedded.ENGINE_OPTIONS`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

_REWRITES = re.compile(r"\s*ALTER\s+TABLE\s+(\S+)\s+(?:DELETE|MODIFY\s+TTL)\s", re.IGNORECASE)
_FIRST_SECONDS, _LONGEST_SECONDS = 0.02, 1.0
"""Between two times that it is woken. Small tables take less than the first."""

Command = Callable[[str], Any]


@contextmanager
def awake(statement: str, lend: Callable[[], AbstractContextManager[Command]]) -> Iterator[None]:
    """To run the statement in, whatever it is. `lend`: lends what runs statements on another connection."""
    found = _REWRITES.match(statement)
    if found is None:
        yield
        return
    is_over = threading.Event()
    thread = threading.Thread(target=_wake, args=(found[1], lend, is_over), name="awake", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _wake(table: str, lend: Callable[[], AbstractContextManager[Command]], is_over: threading.Event) -> None:
    seconds = _FIRST_SECONDS
    if is_over.wait(seconds):
        return
    # What is wrong with the engine or the table, the statement itself says; without this it takes longer, and no more.
    with suppress(Exception), lend() as command:
        while not is_over.wait(seconds):
            # Nobody has stopped them: this has the engine look at the table at once.
            command(f"SYSTEM START MERGES {table}")
            seconds = min(2 * seconds, _LONGEST_SECONDS)
