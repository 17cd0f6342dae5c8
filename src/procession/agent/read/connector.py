"""The kernel's process connector: it reports every fork, exec and exit over netlink, to root, since Linux 6.6 to all.

struct nlmsghdr     length, type, flags, sequence, sender           16 bytes
struct cn_msg       index, value, sequence, ack, length, flags      20 bytes
struct proc_event   what, cpu, nanoseconds, then numbers by kind    16 bytes and more
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection
from pathlib import Path

import msgspec

from procession.agent.read.exits.packet_filter import (
    ALL,
    EQUALS,
    EQUALS_X,
    LOAD_WORD,
    NOTHING,
    RETURN,
    TAKE_X,
    attach_filter,
    in_network_order,
)

_NETLINK_CONNECTOR = 11
_CN_IDX_PROC = 1
_CN_VAL_PROC = 1
_LISTEN = 1
_NLMSG_DONE = 3
_SO_RCVBUFFORCE = 33
_RECEIVE_BYTES = 4 * 2**20
"""About 5,000 events: the kernel counts each as some hundred bytes."""

_HEADER = struct.Struct("=IHHII")
_CN_MSG = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=IIQIIII")
_EVENT_AT = _HEADER.size + _CN_MSG.size
_NUMBERS_AT = _EVENT_AT + 16

FORK = 0x00000001
EXEC = 0x00000002
EXIT = 0x80000000
THREAD_EXIT = 0x80000001
"""Ours: the kernel has one kind for both."""

MAX_WATCHED = 256
"""Two instructions of the filter for each."""


class ProcEvent(msgspec.Struct, frozen=True, gc=False):
    kind: int
    """FORK, EXEC, EXIT (of the first thread) or THREAD_EXIT (of another)."""
    nanoseconds: int
    """By the monotonic clock, outside of all time namespaces."""
    pid: int
    """At a fork, the pid of the child."""
    number: int
    """At a fork the parent's pid, at an exit the status that the parent waits for, if there is no other thread."""


class ConnectorUnavailable(Exception):
    """The kernel will not tell us; the text says why."""


class ProcConnector:
    """What happens to processes from now on. For one thread, but for `close`."""

    def __init__(self) -> None:
        """Raises ConnectorUnavailable without the right to it, or where the kernel has no such thing."""
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_CONNECTOR)
        except OSError as error:
            raise ConnectorUnavailable(f"no process connector: {error.strerror}") from None
        try:
            _attach_filter(self._socket, ())
            self._enlarge_buffer()
            self._socket.bind((0, _CN_IDX_PROC))
            self._socket.send(_request(_LISTEN))
        except OSError as error:
            self._socket.close()
            raise ConnectorUnavailable(f"no process connector: {error.strerror}") from None

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> ProcEvent | None:
        """The next one; None if there is none at the moment. Raises OSError with ENOBUFS, once, after events were lost
        because nobody took them in time."""
        while True:
            try:
                data = self._socket.recv(512, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            if (event := parse_event(data)) is not None:
                return event

    def watch_threads(self, pids: Collection[int]) -> None:
        """From now on also say which threads of these processes exit, and of no others. At most MAX_WATCHED."""
        _attach_filter(self._socket, pids)

    def lost(self) -> int:
        """How many events the kernel had to throw away so far."""
        inode = str(os.fstat(self._socket.fileno()).st_ino)
        for line in Path("/proc/self/net/netlink").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if fields[-1] == inode:
                return int(fields[-2])
        return 0

    def close(self) -> None:
        self._socket.close()

    def _enlarge_buffer(self) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BYTES)
        except OSError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)


def parse_event(data: bytes) -> ProcEvent | None:
    """None for what else happens to a single thread than its exit, and for all else."""
    if len(data) < _EVENT_AT + _EVENT.size:
        return None
    kind, _, nanoseconds, first, second, third, fourth = _EVENT.unpack_from(data, _EVENT_AT)
    if kind == FORK and third == fourth:  # pid and process of the parent, then of the child
        return ProcEvent(FORK, nanoseconds, third, second)
    if kind == EXEC:
        return ProcEvent(EXEC, nanoseconds, second, 0)
    if kind == EXIT:
        return ProcEvent(EXIT if first == second else THREAD_EXIT, nanoseconds, second, third)
    return None


def monotonic_offset() -> int:
    """Nanoseconds by which the monotonic clock of our time namespace is ahead of the clock of the events."""
    try:
        lines = Path("/proc/self/timens_offsets").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0  # before Linux 5.6 there are no such namespaces
    offsets = {name: int(seconds) * 1_000_000_000 + int(more) for name, seconds, more in map(str.split, lines)}
    return offsets.get("monotonic", 0)


def _request(operation: int) -> bytes:
    body = _CN_MSG.pack(_CN_IDX_PROC, _CN_VAL_PROC, 0, 0, 4, 0) + struct.pack("=I", operation)
    return _HEADER.pack(_HEADER.size + len(body), _NLMSG_DONE, 0, 0, 0) + body


def _attach_filter(sock: socket.socket, watched: Collection[int]) -> None:
    """Most events are of threads and of new names, and each would wake us."""
    swapped = in_network_order
    program = (
        (LOAD_WORD, 0, 0, _EVENT_AT),
        (EQUALS, 10, 0, swapped(EXEC)),  # -> take it
        (EQUALS, 5, 0, swapped(FORK)),  # -> a fork
        (EQUALS, 0, 9, swapped(EXIT)),  # else -> leave it
        (LOAD_WORD, 0, 0, _NUMBERS_AT),
        (TAKE_X, 0, 0, 0),
        (LOAD_WORD, 0, 0, _NUMBERS_AT + 4),
        (EQUALS_X, 4, 6, 0),  # -> take it, or look whose thread it is
        (LOAD_WORD, 0, 0, _NUMBERS_AT + 8),  # a fork
        (TAKE_X, 0, 0, 0),
        (LOAD_WORD, 0, 0, _NUMBERS_AT + 12),
        (EQUALS_X, 0, 1, 0),
        (RETURN, 0, 0, ALL),  # take it
        (RETURN, 0, 0, NOTHING),  # leave it
        *[
            instruction
            for pid in watched  # the process of the thread is what was loaded last
            for instruction in ((EQUALS, 0, 1, swapped(pid)), (RETURN, 0, 0, ALL))
        ],
        (RETURN, 0, 0, NOTHING),
    )
    attach_filter(sock, program)
