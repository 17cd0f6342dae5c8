"""What each process sends and receives over TCP: counters of sockets, between two looks, for those who have them open.

What a socket has counted since the look before is what its processes have sent and received; one that came since then
began at 0. What it counts after the last look at it, before it is closed, is lost, and so are connections that come and
go between two looks. A socket that several processes have open counts for each of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import islice

import msgspec

from procession.agent.read.network.namespaces import MOST_SOCKETS, NetworkNamespaces
from procession.agent.read.network.sock_diag import TcpSocket
from procession.agent.read.network.socket_owners import SocketOwners
from procession.agent.read.network.traffic import NO_TRAFFIC, Traffic
from procession.agent.read.process_handle import ProcessHandle

TRY_EVERY = 60
"""Looks, after which it is tried anew whether there is CPU enough."""
_FEW_SOCKETS = 500
"""It does not help to look at fewer than these."""
_VISITS_SHARE = 0.5
"""Of the CPU that there is to spare, for namespaces that are not the agent's own."""

_DOORS = 16
"""Processes of a namespace that are tried, to enter it: some may have exited or gone."""


class _Namespace:
    def __init__(self) -> None:
        self.members: dict[int, None] = {}
        """Pids."""
        self.sockets: dict[int, TcpSocket] = {}
        """By inode, as they were at `read_at`."""
        self.read_at: float | None = None
        self.is_known = False
        self.has_rates = False
        """Whether it was known before, too."""


class _Sum(msgspec.Struct, gc=False):
    connections: int = 0
    received: float = 0.0
    sent: float = 0.0


class TrafficReader:
    """Of the processes of one reader. For one thread."""

    def __init__(
        self,
        root: str,
        *,
        namespaces: NetworkNamespaces | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._namespaces_of_machine = namespaces or NetworkNamespaces(root)
        self._monotonic = monotonic
        self._cpu = cpu
        self._owners = SocketOwners()
        self._handles: dict[int, ProcessHandle] = {}
        self._namespaces: dict[str, _Namespace] = {}
        self._namespace_of: dict[int, _Namespace] = {}
        self._new: list[ProcessHandle] = []
        self._cut_for = 0
        """So many looks something was left out for want of CPU."""
        self._most = MOST_SOCKETS
        self._seen = 0
        """Sockets, in the last look that was not left out."""
        self._needs_seconds = 0.0
        """Of CPU, as that look did, without the search for owners: that has a limit of its own."""
        self._search_seconds = 0.0
        self.spent_seconds = 0.0
        """Of CPU, by the last look."""

    def note(self, handle: ProcessHandle) -> None:
        """A process is new, or has gone to another namespace."""
        self.forget(handle.pid)
        self._handles[handle.pid] = handle
        self._new.append(handle)

    def forget(self, pid: int) -> None:
        self._handles.pop(pid, None)
        self._owners.forget(pid)
        if namespace := self._namespace_of.pop(pid, None):
            namespace.members.pop(pid, None)

    def look(self, look_number: int, spare_seconds: float | None = None) -> dict[int, Traffic | None]:
        """By pid, the traffic of processes of which it is another one than that of their reading; None: it is not
        known. `look_number` is as in `ran_at` of handles. `spare_seconds` of CPU are there for it [no limit]; if that
        is not enough, the largest namespaces are left out, and if that does not help, all are."""
        self.spent_seconds = 0.0
        most = self._affordable(spare_seconds)
        if most < MOST_SOCKETS:
            self._cut_for += 1
        if most < _FEW_SOCKETS:
            return self._changed({})
        self._most = most
        begun = self._cpu()
        visits_seconds = None if spare_seconds is None else spare_seconds * _VISITS_SHARE
        found = self._changed(self._read(look_number, visits_seconds))
        self.spent_seconds = self._cpu() - begun
        self._needs_seconds = self.spent_seconds - self._search_seconds
        return found

    def _affordable(self, spare_seconds: float | None) -> int:
        """How many sockets there is CPU for, as far as the last look says."""
        if spare_seconds is None or self._cut_for >= TRY_EVERY:
            self._cut_for = 0
            return MOST_SOCKETS
        if self._needs_seconds <= spare_seconds:
            return self._most
        return int(0.8 * self._seen * spare_seconds / self._needs_seconds)

    def _changed(self, known: dict[int, Traffic]) -> dict[int, Traffic | None]:
        return {
            pid: traffic
            for pid, handle in self._handles.items()
            if (traffic := known.get(pid)) != handle.reading.traffic
        }

    def _read(self, look_number: int, visits_seconds: float | None) -> dict[int, Traffic]:
        self._join()
        moment = self._monotonic()
        pids = {name: list(islice(namespace.members, _DOORS)) for name, namespace in self._namespaces.items()}
        sockets = self._namespaces_of_machine.sockets(pids, self._most, visits_seconds)
        self._seen = sum(map(len, sockets.values()))
        for pid in self._namespaces_of_machine.strays:
            self.note(self._handles[pid])  # not known until the next look
        rates: dict[int, tuple[bool, float, float]] = {}
        for name, namespace in self._namespaces.items():
            namespace.is_known = name in sockets
            if namespace.is_known:
                self._measure(namespace, sockets[name], moment, rates)
        begun = self._cpu()
        self._owners.look(rates.keys(), look_number)
        self._search_seconds = self._cpu() - begun
        return self._of_processes(rates)

    def _join(self) -> None:
        for handle in self._new:
            if self._handles.get(handle.pid) is handle and (name := handle.link("ns/net")):
                namespace = self._namespaces.setdefault(name, _Namespace())
                namespace.members[handle.pid] = None
                self._namespace_of[handle.pid] = namespace
                self._owners.note(handle)
        self._new = []
        for name in [name for name, namespace in self._namespaces.items() if not namespace.members]:
            del self._namespaces[name]

    def _measure(
        self,
        namespace: _Namespace,
        sockets: Sequence[TcpSocket],
        moment: float,
        rates: dict[int, tuple[bool, float, float]],
    ) -> None:
        """Put into `rates`, by inode, whether a socket is established, and what it received and sent a second."""
        before = namespace.sockets
        elapsed = 0.0 if namespace.read_at is None else moment - namespace.read_at
        namespace.has_rates = elapsed > 0.0
        each = 1.0 / elapsed if namespace.has_rates else math.nan
        now: dict[int, TcpSocket] = {}
        for socket in sockets:
            inode, cookie, is_established, sent, received = socket
            now[inode] = socket
            last = before.get(inode)
            if last is not None:
                if last.cookie == cookie:
                    sent, received = max(0, sent - last.sent_bytes), max(0, received - last.received_bytes)
                else:
                    self._owners.forget_socket(inode)
            rates[inode] = is_established, received * each, sent * each
        namespace.sockets, namespace.read_at = now, moment

    def _of_processes(self, rates: dict[int, tuple[bool, float, float]]) -> dict[int, Traffic]:
        sums: dict[int, _Sum] = {}
        owners_of = self._owners.of
        for inode, (is_established, received, sent) in rates.items():
            for pid in owners_of(inode):
                found = sums.get(pid)
                if found is None:
                    found = sums[pid] = _Sum()
                found.connections += is_established
                found.received += received
                found.sent += sent
        known: dict[int, Traffic] = {}
        for pid, namespace in self._namespace_of.items():
            if not namespace.is_known or not self._owners.is_known(pid):
                continue
            found = sums.get(pid)
            if found is not None:
                known[pid] = Traffic(found.connections, _rate(found.received), _rate(found.sent))
            else:
                known[pid] = NO_TRAFFIC if namespace.has_rates else _NOT_YET
        return known


_NOT_YET = Traffic(0, None, None)


def _rate(value: float) -> float | None:
    return None if math.isnan(value) else value
