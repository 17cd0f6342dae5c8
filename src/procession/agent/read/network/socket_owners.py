"""Which processes have a socket open: by the inodes among their open files.

To look through the open files of a process is dear, so that is done only of those that are new, and, where there is a
socket that nobody is known to have, of those that have run since the look before. In one look only so many files are
looked at; the rest waits for the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from procession.agent.read.process_handle import ProcessHandle

FILES_AT_ONCE = 4096
"""That are looked at in a look, on an average: about 8 ms. A process with more is looked at whole, and until that is
made up for, only those are looked at that have few."""
FEW_FILES = 512
_FEW_AT_ONCE = FILES_AT_ONCE // 2
"""Of those that have few files, in a look that has to make up for others before."""
MOST_FILES = 65_536
"""Of a process, the lowest numbers."""
AGAIN_EVERY = 30
"""Looks, after which each process that has run is looked at once more: it may have closed what another one still has,
or have been given what another one had."""
_SEARCHES = 2
"""After so many in vain, a socket belongs to the kernel, or to somebody who is not to be seen. One is not enough: what
a process does while a look goes on counts as done before the next one."""


class SocketOwners:
    """For one thread."""

    def __init__(self) -> None:
        self._handles: dict[int, ProcessHandle] = {}
        self._held: dict[int, frozenset[int] | None] = {}
        """By pid, the sockets that it has; None where they are not to be seen."""
        self._owners: dict[int, tuple[int, ...]] = {}
        """By socket, the pids."""
        self._in_vain: dict[int, int] = {}
        """By socket, how often it was searched for."""
        self._new: dict[int, ProcessHandle] = {}
        self._suspects: dict[int, ProcessHandle] = {}
        self._files_left = 0
        self._looked_at = 0

    def note(self, handle: ProcessHandle) -> None:
        """A process is new."""
        self.forget(handle.pid)
        self._handles[handle.pid] = self._new[handle.pid] = handle

    def forget(self, pid: int) -> None:
        self._handles.pop(pid, None)
        self._new.pop(pid, None)
        self._suspects.pop(pid, None)
        self._keep(pid, frozenset())
        self._held.pop(pid, None)

    def forget_socket(self, inode: int) -> None:
        """It is gone, and another one has its inode."""
        self._in_vain.pop(inode, None)
        for pid in self._owners.pop(inode, ()):
            self._held[pid] = (self._held[pid] or frozenset()) - {inode}

    def is_known(self, pid: int) -> bool:
        """Whether it is known which sockets a process has."""
        return self._held.get(pid) is not None

    def of(self, inode: int) -> tuple[int, ...]:
        """The pids of those that have this socket, as far as that is known."""
        return self._owners.get(inode, ())

    def look(self, inodes: Collection[int], look_number: int) -> None:
        """Find out who has these sockets. `look_number` is as in `ran_at` of handles."""
        wanted = {one for one in inodes if one not in self._owners and self._in_vain.get(one, 0) < _SEARCHES}
        if self._in_vain:
            self._in_vain = {one: times for one, times in self._in_vain.items() if one in inodes}
        for pid, handle in self._handles.items():
            if wanted and handle.ran_at >= self._looked_at:
                self._suspects[pid] = handle
            if (look_number + pid) % AGAIN_EVERY == 0 and handle.ran_at >= look_number - AGAIN_EVERY:
                self._new[pid] = handle
        self._looked_at = look_number
        self._files_left = min(FILES_AT_ONCE, self._files_left + FILES_AT_ONCE)
        few_left = _FEW_AT_ONCE
        is_done = True
        for handle in self._waiting(wanted):
            if self._files_left <= 0 and (few_left <= 0 or (handle.open_files or 0) > FEW_FILES):
                is_done = False
                continue
            self._new.pop(handle.pid, None)
            self._suspects.pop(handle.pid, None)
            count, held = handle.sockets(MOST_FILES)
            self._files_left -= count
            few_left -= count
            self._keep(handle.pid, held)
            if held is not None:
                wanted -= held
        if not is_done:
            return
        self._suspects.clear()
        for one in wanted:
            self._in_vain[one] = self._in_vain.get(one, 0) + 1

    def _waiting(self, wanted: set[int]) -> Iterator[ProcessHandle]:
        """The new ones first, and then those that have had sockets; suspects only while anything is wanted."""
        yield from list(self._new.values())
        suspects = list(self._suspects.values())
        if len(suspects) > 1:
            suspects.sort(key=lambda handle: not self._held.get(handle.pid))
        for handle in suspects:
            if not wanted:
                return
            yield handle

    def _keep(self, pid: int, held: frozenset[int] | None) -> None:
        before = self._held.get(pid) or frozenset()
        self._held[pid] = held
        now = held or frozenset()
        for inode in before - now:
            others = tuple(one for one in self._owners.get(inode, ()) if one != pid)
            if others:
                self._owners[inode] = others
            else:
                self._owners.pop(inode, None)
        for inode in now - before:
            self._owners[inode] = (*self._owners.get(inode, ()), pid)
