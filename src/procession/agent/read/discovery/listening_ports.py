"""Which process listens where: sockets of a network namespace by their inodes, and who has them open.

To look through the open files of a process costs as much as all else that is read of it, so that is done only where it
tells something new: of a process that is new or has become another program, and, where a socket of its namespace has
begun to listen, of those that have run since. The tables of a namespace are read when a process comes into it, and
otherwise at every fifth look. In one look only so many files are looked at; the others wait for the next one, and until
then it is not known where their processes listen.
"""

from __future__ import annotations

from collections.abc import Iterator

from procession.agent.read.discovery.ports import NO_PORTS, Ports
from procession.agent.read.discovery.socket_tables import Listeners, ephemeral_ports, read_listeners
from procession.agent.read.process_handle import ProcessHandle

READ_EVERY = 5
"""Looks, after which the tables of a namespace are read again."""
HOLDERS_EVERY = 30
"""Looks, after which it is asked again whether those that have a listening socket still have it: it may have another
owner as well."""

FILES_AT_ONCE = 4096
"""That are looked at in one look: about 8 ms."""
MOST_FILES = 1024
"""Of a process, the lowest numbers: sockets that listen are mostly opened first."""


class _Namespace:
    def __init__(self, number: int) -> None:
        self.number = number
        self.is_due = True
        self.read_at = 0
        """In which look its tables were read last."""
        self.is_readable = True
        self.listeners: Listeners = {}
        self.wanted: set[int] = set()
        """Inodes of sockets of which it is to be found out who has them."""
        self.members: dict[int, ProcessHandle] = {}
        self.held: dict[int, frozenset[int]] = {}
        """By pid, the listening sockets that a process has, if any."""


class ListeningPorts:
    """Of the processes of one reader. For one thread."""

    def __init__(self, root: str) -> None:
        self.look_number = 1
        """Of the look that comes next."""
        self._root = root
        self._ephemeral = ephemeral_ports(root)
        self._namespaces: dict[str, _Namespace] = {}
        self._namespace_of: dict[int, _Namespace] = {}
        self._new: dict[int, ProcessHandle] = {}
        self._suspects: dict[int, ProcessHandle] = {}
        """Those that may have one of the sockets that are wanted."""

    def note(self, handle: ProcessHandle) -> None:
        """A process is new, or has become another program."""
        self._new[handle.pid] = handle

    def forget(self, pid: int) -> None:
        self._new.pop(pid, None)
        self._suspects.pop(pid, None)
        if namespace := self._namespace_of.pop(pid, None):
            namespace.members.pop(pid, None)
            namespace.held.pop(pid, None)

    def look(self) -> dict[int, Ports | None]:
        """By pid, where processes listen of which that has changed; None: it is not known any more."""
        found: dict[int, Ports | None] = {}
        for handle in list(self._new.values()):
            if handle.pid not in self._namespace_of:
                found[handle.pid] = None  # what was known is of another namespace
                if not self._join(handle):
                    del self._new[handle.pid]
        for name, namespace in list(self._namespaces.items()):
            if not namespace.members:
                del self._namespaces[name]
            elif namespace.is_due or (self.look_number + namespace.number) % READ_EVERY == 0:
                found |= self._read(namespace)
        found |= self._search()
        self.look_number += 1
        return found

    def _join(self, handle: ProcessHandle) -> bool:
        """Whether we may know its namespace."""
        name = handle.link("ns/net")
        if not name:
            return False
        namespace = self._namespaces.get(name)
        if namespace is None:
            namespace = self._namespaces[name] = _Namespace(len(self._namespaces))
        namespace.members[handle.pid] = handle
        namespace.is_due = True
        self._namespace_of[handle.pid] = namespace
        return True

    def _read(self, namespace: _Namespace) -> dict[int, Ports | None]:
        """Gives what has changed of those whose sockets are gone."""
        listeners = self._listeners_in(namespace)
        was_readable, namespace.is_readable = namespace.is_readable, listeners is not None
        namespace.is_due = False
        if listeners is None:
            namespace.listeners, namespace.held, namespace.wanted = {}, {}, set()
            return dict.fromkeys(namespace.members) if was_readable else {}
        if not was_readable:
            self._new |= namespace.members
        fresh, gone = listeners.keys() - namespace.listeners.keys(), namespace.listeners.keys() - listeners.keys()
        namespace.listeners = listeners
        namespace.wanted = (namespace.wanted - gone) | fresh
        found: dict[int, Ports | None] = {}
        for pid, held in list(namespace.held.items()) if gone else ():
            if held & gone:
                found[pid] = self._keep(namespace, pid, held - gone)
        if fresh:
            self._suspects |= {
                pid: handle for pid, handle in namespace.members.items() if handle.ran_at >= namespace.read_at
            }
        if self.look_number % HOLDERS_EVERY < READ_EVERY:
            self._new |= {pid: namespace.members[pid] for pid in namespace.held}
        namespace.read_at = self.look_number
        return found

    def _listeners_in(self, namespace: _Namespace) -> Listeners | None:
        """As any of its processes sees them; the first may have gone."""
        for pid in list(namespace.members)[:3]:
            listeners = read_listeners(f"{self._root}/{pid}/net", self._ephemeral)
            if listeners is not None:
                return listeners
        return None

    def _search(self) -> dict[int, Ports | None]:
        found: dict[int, Ports | None] = {}
        left = FILES_AT_ONCE
        for handle in self._waiting():
            if left <= 0:
                break
            self._new.pop(handle.pid, None)
            self._suspects.pop(handle.pid, None)
            namespace = self._namespace_of[handle.pid]
            if not namespace.is_readable:
                found[handle.pid] = None
            elif not namespace.listeners:
                found[handle.pid] = self._keep(namespace, handle.pid, frozenset())
            else:
                count, inodes = handle.sockets(MOST_FILES)
                left -= count
                if inodes is not None:
                    inodes &= namespace.listeners.keys()
                found[handle.pid] = self._keep(namespace, handle.pid, inodes)
        return found

    def _waiting(self) -> Iterator[ProcessHandle]:
        """The new ones first. Suspects are looked at until the sockets that are wanted have been found."""
        yield from list(self._new.values())
        for handle in list(self._suspects.values()):
            if self._namespace_of[handle.pid].wanted:
                yield handle
            else:
                del self._suspects[handle.pid]
        if not self._suspects:
            for namespace in self._namespaces.values():
                namespace.wanted.clear()  # the kernel has them, or somebody who is not to be seen

    def _keep(self, namespace: _Namespace, pid: int, inodes: frozenset[int] | None) -> Ports | None:
        namespace.held.pop(pid, None)
        if inodes is None:
            return None
        if not inodes:
            return NO_PORTS
        namespace.held[pid] = inodes
        namespace.wanted -= inodes
        return Ports.of(namespace.listeners[inode] for inode in inodes)
