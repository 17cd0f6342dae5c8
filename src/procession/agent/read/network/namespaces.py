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
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from procession.agent.read.network.fair_shares import fair_shares
from procession.agent.read.network.sock_diag import SockDiag, SockDiagUnavailable, TcpSocket

MOST_SOCKETS = 50_000
"""Of all namespaces together, in one look."""
_NO_LONGER_SECONDS = 2.0
"""After that, what has not been looked at yet is not known, and has its turn first in the next look."""
_GROWN = 200
"""Sockets, and a tenth of what there were: so many more there may be when a namespace is looked at."""
_CLONE_NEWNET = 0x40000000


class NetworkNamespaces:
    """Below one `/proc`. For one thread."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._left = 0
        self._most: dict[str, int] = {}
        """How many sockets of a namespace are looked at. Of one that has more nothing is known."""
        self._until = 0.0
        self._look_number = 0
        self._looked_at: dict[str, int] = {}
        """In which look a namespace had its turn last."""
        self.strays: list[int] = []
        """Pids of processes that the last look found to be in another namespace than it was told."""
        try:
            self._own = str(Path("/proc/self/ns/net").readlink())
        except OSError:
            self._own = ""

    def sockets(
        self, namespaces: Mapping[str, Collection[int]], most: int = MOST_SOCKETS, seconds: float | None = None
    ) -> dict[str, list[TcpSocket]]:
        """By what the link of a namespace leads to. `namespaces` has, in the same way, pids of processes that are in
        each. One that cannot be entered, or does not tell all, is left out, and so is one that has to wait: no more
        than `most` sockets are looked at, and `seconds` of CPU are there for namespaces that are not ours [no limit].
        """
        self.strays = []
        self._look_number += 1
        self._until = time.monotonic() + _NO_LONGER_SECONDS
        self._looked_at = {name: number for name, number in self._looked_at.items() if name in namespaces}
        share = most // max(1, len(namespaces))  # where the kernel does not say how many there are
        sizes = {name: share if (size := self._size_of(pids)) is None else size for name, pids in namespaces.items()}
        turns = fair_shares(sizes, most, self._looked_at)
        self._most = {name: sizes[name] + sizes[name] // 10 + _GROWN for name in turns}
        self._left = most
        found: dict[str, list[TcpSocket]] = {}
        if self._own in turns:
            self._look(self._own, found)
        others = {name: namespaces[name] for name in turns if name != self._own}
        if others:
            arguments = others, seconds, found
            thread = threading.Thread(target=self._visit, args=arguments, name="network namespaces")
            thread.start()
            thread.join()
        return found

    def _size_of(self, pids: Iterable[int]) -> int | None:
        """How many TCP sockets there are where these processes are, or more. None: that is not to be known."""
        for pid in pids:
            try:
                return sum(_in_use(f"{self._root}/{pid}/net/{name}") for name in ("sockstat", "sockstat6"))
            except OSError:
                continue
        return None

    def _visit(
        self,
        namespaces: Mapping[str, Iterable[int]],
        seconds: float | None,
        found: dict[str, list[TcpSocket]],
    ) -> None:
        """In a thread of its own, which no longer is where it was."""
        for number, (name, pids) in enumerate(namespaces.items()):
            is_late = time.monotonic() > self._until or (seconds is not None and time.thread_time() > seconds)
            if number and is_late:
                return
            if any(self._enter(name, pid) for pid in pids):
                self._look(name, found)
            self._looked_at[name] = self._look_number

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
        self._looked_at[name] = self._look_number
        with contextlib.suppress(SockDiagUnavailable), SockDiag() as diag:
            found[name] = diag.sockets(min(self._left, self._most[name]))
            self._left -= len(found[name])


def _in_use(path: str) -> int:
    """Sockets of the TCP line of a file `sockstat` or `sockstat6`: "TCP: inuse 12 orphan 0 tw 5 alloc 14 mem 2"."""
    try:
        lines = Path(path).read_bytes().splitlines()
    except FileNotFoundError:
        if path.endswith("6"):
            return 0  # a kernel without IPv6
        raise
    words = next((line.split() for line in lines if line.startswith(b"TCP")), [])
    return int(words[2]) if len(words) > 2 and words[1] == b"inuse" and words[2].isdigit() else 0


def _set_namespace(fd: int) -> bool:
    """Of this thread alone."""
    try:
        return bool(ctypes.CDLL(None).setns(fd, _CLONE_NEWNET) == 0)
    except (OSError, AttributeError):  # another C library
        return False
