"""What processes have used, at their end: the kernel's taskstats, over generic netlink, for `CAP_NET_ADMIN`.

struct nlmsghdr     length, type, flags, sequence, sender                      16 bytes
struct genlmsghdr   command, version                                            4 bytes
attribute           of a thread: its number, and struct taskstats
attribute           if it was the last one of a process that had others: the number of the process

Each thread that ends has a message; a filter lets those through that are the last of their process. What comes
waits in the kernel until somebody takes it: nobody is woken for it.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from procession.agent.read.exits.ended import shell_code
from procession.agent.read.exits.packet_filter import (
    ALL,
    AT_LEAST,
    EQUALS,
    HAS_BITS,
    LOAD_BYTE,
    LOAD_HALF,
    NOTHING,
    RETURN,
    attach_filter,
    in_network_order,
)

_NETLINK_GENERIC = 16
_SO_RCVBUFFORCE = 33
_RECEIVE_BYTES = 8 * 2**20
"""Some 9,000 messages: the kernel takes it twice, and counts more for each than it has bytes."""
_NLM_F_REQUEST, _NLM_F_ACK = 1, 4
_NLMSG_ERROR = 2

_CONTROL, _GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 0x10, 3, 1, 2
_GET, _REGISTER_CPUS = 1, 3
_PID, _TGID, _STATS, _OF_THREAD, _OF_PROCESS = 1, 2, 3, 4, 5

_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("=BBxx")
_ATTRIBUTE = struct.Struct("=HH")
_STATS_BYTES = 272
"""Of struct taskstats up to what is read of it; all kernels since 2.6.20 have it so."""
_STATUS = struct.Struct("=4xI")
_TIMES = struct.Struct("=QQ")
_TIMES_AT, _PEAK_AT, _BYTES_AT = 152, 200, 248
_LAST_OF_PROCESS = 0x20
_FLAGS_SINCE = 12
"""The version of struct taskstats that says so."""


class TaskStats(msgspec.Struct, frozen=True, gc=False):
    """Of one process."""

    pid: int
    exit_code: int | None
    """As a shell has it. None for a process that had several threads: it is that of the last one."""
    peak_rss_bytes: int | None
    cpu_user_seconds: float | None
    """None, as the next ones, for a process that had several threads: they are of the last one alone."""
    cpu_system_seconds: float | None
    read_bytes: int | None
    written_bytes: int | None


class TaskStatsUnavailable(Exception):
    """The kernel will not tell us; the text says why."""


class TaskStatsListener:
    """What ends from now on. For one thread."""

    def __init__(self, *, max_messages: int = 20_000) -> None:
        """Raises TaskStatsUnavailable without the right to it, or where the kernel has none. `max_messages` are taken
        at once."""
        self._max_messages = max_messages
        self._counts_bytes = Path("/proc/self/io").exists()
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_GENERIC)
        except OSError as error:
            raise TaskStatsUnavailable(f"no generic netlink: {error.strerror}") from None
        try:
            self._enlarge_buffer()
            self._socket.bind((0, 0))
            self._socket.settimeout(2)
            family = self._family()
            cpus = Path("/sys/devices/system/cpu/possible").read_bytes().strip()
            self._ask(family, _GET, _REGISTER_CPUS, cpus + b"\0")
            self._await_reply()
            attach_filter(self._socket, _only_last_of_process())
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            raise TaskStatsUnavailable(f"no taskstats: {error.strerror or error}") from None

    def take(self) -> tuple[list[TaskStats], bool]:
        """Of what has ended since the last time, in order; and whether that is all."""
        found: list[TaskStats] = []
        is_whole = True
        for _ in range(self._max_messages):
            try:
                message = self._socket.recv(4096)
            except BlockingIOError:
                return found, is_whole
            except OSError:  # ENOBUFS: too many at once
                is_whole = False
                continue
            if (stats := parse_stats(message, counts_bytes=self._counts_bytes)) is not None:
                found.append(stats)
        return found, False

    def close(self) -> None:
        self._socket.close()

    def _family(self) -> int:
        self._ask(_CONTROL, _GET_FAMILY, _FAMILY_NAME, b"TASKSTATS\0")
        reply = self._await_reply()
        for kind, value in _attributes(reply[_HEADER.size + _GENERIC.size :]):
            if kind == _FAMILY_ID:
                return int.from_bytes(value[:2], sys.byteorder)
        raise OSError(0, "the kernel does not name its family")

    def _ask(self, family: int, command: int, attribute: int, value: bytes) -> None:
        body = _GENERIC.pack(command, 1) + _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), attribute) + value
        body += bytes(-len(body) % 4)
        flags = _NLM_F_REQUEST | (_NLM_F_ACK if family != _CONTROL else 0)
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), family, flags, 0, 0) + body)

    def _await_reply(self) -> bytes:
        """Raises OSError where it says no. What ends meanwhile does not count."""
        while True:
            reply = self._socket.recv(8192)
            _, kind, _, _, _ = _HEADER.unpack_from(reply)
            if kind == _CONTROL:
                return reply
            if kind == _NLMSG_ERROR:
                (error,) = struct.unpack_from("=i", reply, _HEADER.size)
                if error:
                    raise OSError(-error, os.strerror(-error))
                return reply

    def _enlarge_buffer(self) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BYTES)
        except OSError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)


def parse_stats(message: bytes, *, counts_bytes: bool = True) -> TaskStats | None:
    """None for what is none. `counts_bytes`: whether the kernel knows who reads and writes."""
    pid, stats, tgid = 0, b"", None
    for kind, value in _attributes(message[_HEADER.size + _GENERIC.size :]):
        if kind not in (_OF_THREAD, _OF_PROCESS):
            continue
        for inner, number in _attributes(value):
            if inner == _PID:
                pid = int.from_bytes(number[:4], sys.byteorder)
            elif inner == _TGID:
                tgid = int.from_bytes(number[:4], sys.byteorder)
            elif inner == _STATS and kind == _OF_THREAD:
                stats = number
    if not pid or len(stats) < _STATS_BYTES:
        return None
    (status,) = _STATUS.unpack_from(stats)
    peak_kilobytes, _ = _TIMES.unpack_from(stats, _PEAK_AT)
    peak = peak_kilobytes * 1024 or None
    if tgid is not None:
        return TaskStats(tgid, None, peak, None, None, None, None)
    user, system = _TIMES.unpack_from(stats, _TIMES_AT)
    read, written = _TIMES.unpack_from(stats, _BYTES_AT) if counts_bytes else (None, None)
    return TaskStats(pid, shell_code(status), peak, user / 1e6, system / 1e6, read, written)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if not _ATTRIBUTE.size <= length <= len(data) - at:
            return
        yield kind & 0x3FFF, data[at + _ATTRIBUTE.size : at + length]
        at += length + -length % 4


def _only_last_of_process() -> list[tuple[int, int, int, int]]:
    """Lets through all that it does not understand: older versions, and machines that pad before 64 bits."""
    stats = _HEADER.size + _GENERIC.size + 2 * _ATTRIBUTE.size + 4
    low_byte = 0 if sys.byteorder == "little" else 1
    return [
        (LOAD_HALF, 0, 0, stats + 2),
        (EQUALS, 0, 4, in_network_order(_STATS, "H")),
        (LOAD_BYTE, 0, 0, stats + _ATTRIBUTE.size + low_byte),
        (AT_LEAST, 0, 2, _FLAGS_SINCE),
        (LOAD_BYTE, 0, 0, stats + _ATTRIBUTE.size + 8),
        (HAS_BITS, 0, 1, _LAST_OF_PROCESS),
        (RETURN, 0, 0, ALL),
        (RETURN, 0, 0, NOTHING),
    ]
