"""Which processes have gone to another network namespace than the one they were in.

Only a process itself can go, so that those are asked that have run since they were asked last.
"""

from __future__ import annotations

from itertools import islice

from procession.agent.read.process_handle import ProcessHandle

MOST_AT_ONCE = 2000
"""That are asked in one look: 1.2 µs each. The others wait for the next one."""


class NetworkMoves:
    """Of the processes of one reader. For one thread."""

    def __init__(self) -> None:
        self._namespaces: dict[int, str] = {}
        self._ran: dict[int, ProcessHandle] = {}
        """Those that are to be asked, who waits longest first."""

    def note(self, handle: ProcessHandle) -> None:
        """A process is new."""
        self._namespaces[handle.pid] = handle.link("ns/net")
        self._ran.pop(handle.pid, None)

    def see(self, handle: ProcessHandle) -> None:
        """A process has run."""
        self._ran[handle.pid] = handle

    def forget(self, pid: int) -> None:
        self._namespaces.pop(pid, None)
        self._ran.pop(pid, None)

    def look(self) -> list[ProcessHandle]:
        """Those that have gone, and those of which it is not known any more where they are, or is known now."""
        moved: list[ProcessHandle] = []
        for pid, handle in list(islice(self._ran.items(), MOST_AT_ONCE)):
            del self._ran[pid]
            if (name := handle.link("ns/net")) != self._namespaces.get(pid):
                self._namespaces[pid] = name
                moved.append(handle)
        return moved
