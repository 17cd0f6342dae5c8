"""The TCP sockets of all network namespaces of a machine, as far as we may enter them.

To see those of another namespace takes a socket that was made in it. The kernel moves single threads from one namespace
to another, so that a thread of its own goes through them, and ends. Nothing stays open: what is open keeps a namespace
alive after its container is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from procession.agent.read.network.sock_diag import SockDiag, SockDiagUnavailable, TcpSocket

MOST_SOCKETS = 50_000
"""Of all namespaces together, in one look. Of a namespace that has more than are left nothing is known."""
_NO_LONGER_SECONDS = 2.0
"""After that, what has not been looked at yet is not known."""
_CLONE_NEWNET = 0x40000000


class NetworkNamespaces:
    """Below one `/proc`. For one thread."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._left = 0
        self._until = 0.0
        self.strays: list[int] = []
        """Pids of processes that the last look found to be in another namespace than it was told."""
        try:
            self._own = str(Path("/proc/self/ns/net").readlink())
        except OSError:
            self._own = ""

    def sockets(self, namespaces: Mapping[str, Iterable[int]]) -> dict[str, list[TcpSocket]]:
        """By what the link of a namespace leads to. `namespaces` has, in the same way, pids of processes that are in
        each. One that cannot be entered, or does not tell all, is left out."""
        self.strays = []
        self._left, self._until = MOST_SOCKETS, time.monotonic() + _NO_LONGER_SECONDS
        found: dict[str, list[TcpSocket]] = {}
        if self._own in namespaces:
            self._look(self._own, found)
        others = {name: pids for name, pids in namespaces.items() if name != self._own}
        if others:
            thread = threading.Thread(target=self._visit, args=(others, found), name="network namespaces")
            thread.start()
            thread.join()
        return found

    def _visit(self, namespaces: Mapping[str, Iterable[int]], found: dict[str, list[TcpSocket]]) -> None:
        """In a thread of its own, which no longer is where it was."""
        for name, pids in namespaces.items():
            if time.monotonic() > self._until:
                return
            if any(self._enter(name, pid) for pid in pids):
                self._look(name, found)

    def _enter(self, name: str, pid: int) -> bool:
        try:
            fd = os.open(f"{self._root}/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # The pid may be another one's by now.
            if f"net:[{os.fstat(fd).st_ino}]" != name:
                self.strays.append(pid)
                return False
            return _set_namespace(fd)
        finally:
            os.close(fd)

    def _look(self, name: str, found: dict[str, list[TcpSocket]]) -> None:
        with contextlib.suppress(SockDiagUnavailable), SockDiag() as diag:
            found[name] = diag.sockets(self._left)
            self._left -= len(found[name])


def _set_namespace(fd: int) -> bool:
    """Of this thread alone."""
    try:
        return bool(ctypes.CDLL(None).setns(fd, _CLONE_NEWNET) == 0)
    except (OSError, AttributeError):  # another C library
        return False
