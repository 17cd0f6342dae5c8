"""The TCP sockets of a network namespace: the kernel's sock_diag, over netlink, for everybody.

struct nlmsghdr      length, type, flags, sequence, sender          16 bytes
struct inet_diag_msg family, state, addresses, cookie, inode        72 bytes
attributes           one of them struct tcp_info, whose counters are of payload, without what was sent again
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST, _DUMP = 0x01, 0x300
_DUMP_INTERRUPTED = 0x10
_ERROR, _DONE, _OVERRUN = 2, 3, 4
_TCP = 6

_ESTABLISHED, _FIN_WAIT_1, _FIN_WAIT_2, _CLOSE_WAIT = 1, 4, 5, 8
_STATES = sum(1 << state for state in (_ESTABLISHED, _FIN_WAIT_1, _FIN_WAIT_2, _CLOSE_WAIT))
"""Those in which bytes go at least one way, and a process may still have the socket."""

_INFO = 2
_HEADER = struct.Struct("=IHHII")
_REQUESTED = struct.Struct("=BBBxI48x")
_MESSAGE = struct.Struct("=xB42xQ16xI")
"""Of struct inet_diag_msg: state, cookie and inode. The cookie is of two words, of which nobody needs the order."""
_ATTRIBUTE = struct.Struct("=HH")
_CODE = struct.Struct("=i")
_COUNTERS_AT = 120
_COUNTERS = struct.Struct("=QQ")
"""Of struct tcp_info, since Linux 4.1: bytes that the other side has acknowledged, and bytes received."""

_ATTRIBUTES_AT = _HEADER.size + _MESSAGE.size
_RECEIVE_BYTES = 64 * 1024
"""The kernel fills at most 32 kB at once."""
_ANSWERS_WITHIN_SECONDS = 1.0
"""The kernel makes an answer while it is asked for, so nothing is waited for but by mistake."""


class TcpSocket(NamedTuple):
    """One that has an owner, in the state that it has in the kernel."""

    inode: int
    cookie: int
    """Another one where a socket has the inode of one that is gone."""
    is_established: bool
    sent_bytes: int
    received_bytes: int


class SockDiagUnavailable(Exception):
    """The kernel did not tell all; the text says why."""


class SockDiag:
    """The sockets of the namespace in which this was made. For one thread, and one question."""

    def __init__(self) -> None:
        """Raises SockDiagUnavailable where the kernel has none."""
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
        except OSError as error:
            raise SockDiagUnavailable(f"no sock_diag: {error.strerror}") from None
        try:
            self._socket.bind((0, 0))
            self._socket.settimeout(_ANSWERS_WITHIN_SECONDS)
        except OSError as error:
            self._socket.close()
            raise SockDiagUnavailable(f"no sock_diag: {error.strerror}") from None
        self._sequence = 0

    def __enter__(self) -> SockDiag:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def sockets(self, most: int) -> list[TcpSocket]:
        """All. Raises SockDiagUnavailable where the kernel does not tell all of them, or there are more than `most`."""
        found = self._of_family(socket.AF_INET, most)
        with contextlib.suppress(FamilyUnknown):  # a kernel without IPv6
            found += self._of_family(socket.AF_INET6, most - len(found))
        return found

    def _of_family(self, family: int, most: int) -> list[TcpSocket]:
        self._sequence += 1
        found: list[TcpSocket] = []
        try:
            self._socket.send(request(family, self._sequence))
            for sockets in parse_dump(self._answers(), self._sequence):
                found += sockets
                if len(found) > most:
                    raise SockDiagUnavailable("there are too many sockets")
        except OSError as error:  # ENOBUFS, or no answer
            raise SockDiagUnavailable(f"sock_diag: {error.strerror or error}") from None
        return found

    def _answers(self) -> Iterator[bytes]:
        while True:
            data, _, flags, _ = self._socket.recvmsg(_RECEIVE_BYTES)
            if flags & socket.MSG_TRUNC:
                raise SockDiagUnavailable("an answer of sock_diag was cut")
            yield data


class FamilyUnknown(SockDiagUnavailable):
    """There are no such addresses in this kernel."""


def request(family: int, sequence: int) -> bytes:
    body = _REQUESTED.pack(family, _TCP, 1 << (_INFO - 1), _STATES)
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST | _DUMP, sequence, 0) + body


def parse_dump(answers: Iterable[bytes], sequence: int) -> Iterator[list[TcpSocket]]:
    """The sockets of each answer, up to the end of the dump; what answers another question is left out. Raises
    SockDiagUnavailable for what is cut off, says that it is not whole, or is no answer of the kernel's."""
    heads = _Heads()
    for data in answers:
        if not data:
            raise SockDiagUnavailable("an answer of sock_diag is empty")
        found: list[TcpSocket] = []
        at = 0
        while at < len(data):
            if len(data) - at < _HEADER.size:
                raise SockDiagUnavailable("an answer of sock_diag is cut off")
            length, kind, flags, number, _ = _HEADER.unpack_from(data, at)
            if not _HEADER.size <= length <= len(data) - at:
                raise SockDiagUnavailable("an answer of sock_diag is cut off")
            if number == sequence:
                if flags & _DUMP_INTERRUPTED:
                    raise SockDiagUnavailable("sock_diag was interrupted")
                if kind == _SOCK_DIAG_BY_FAMILY:
                    if (one := _socket_in(data, at, at + length, heads)) is not None:
                        found.append(one)
                elif kind in (_DONE, _ERROR):
                    _raise_error(kind, data[at + _HEADER.size : at + length])
                    yield found
                    return
                elif kind == _OVERRUN:
                    raise SockDiagUnavailable("sock_diag has lost some")
            at += length + -length % 4
        yield found
    raise SockDiagUnavailable("sock_diag did not come to an end")


class _Heads:
    """How the attributes before tcp_info began the last time: they are nearly always the same."""

    def __init__(self) -> None:
        self.bytes = b""


def _socket_in(data: bytes, begin: int, end: int, heads: _Heads) -> TcpSocket | None:
    """None for one that nobody has, or without counters."""
    at = begin + _ATTRIBUTES_AT
    if end < at:
        raise SockDiagUnavailable("an answer of sock_diag is too short")
    state, cookie, inode = _MESSAGE.unpack_from(data, begin + _HEADER.size)
    if not inode:
        return None
    head = heads.bytes
    if head and data.startswith(head, at):
        info = at + len(head)
    elif (info := _info_at(data, at, end)) < 0:
        return None
    else:
        heads.bytes = data[at:info]
    length, _ = _ATTRIBUTE.unpack_from(data, info - _ATTRIBUTE.size)
    if length > end - info + _ATTRIBUTE.size:
        raise SockDiagUnavailable("an attribute of sock_diag is cut off")
    if length < _ATTRIBUTE.size + _COUNTERS_AT + _COUNTERS.size:
        return None  # before Linux 4.1
    sent, received = _COUNTERS.unpack_from(data, info + _COUNTERS_AT)
    return TcpSocket(inode, cookie, state == _ESTABLISHED, sent, received)


def _info_at(data: bytes, at: int, end: int) -> int:
    """Where tcp_info begins, behind the head of its attribute; -1 where there is none."""
    while at + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if not _ATTRIBUTE.size <= length <= end - at:
            raise SockDiagUnavailable("an attribute of sock_diag is cut off")
        if kind & 0x3FFF == _INFO:
            return at + _ATTRIBUTE.size
        at += length + -length % 4
    return -1


def _raise_error(kind: int, body: bytes) -> None:
    """A dump that ends well has 0 or nothing there."""
    if len(body) < _CODE.size:
        if kind == _ERROR:
            raise SockDiagUnavailable("an error of sock_diag is cut off")
        return
    (code,) = _CODE.unpack_from(body)
    if code:
        # No module for these addresses, or none for TCP at all.
        unknown = -code in (2, 22, 95, 97)
        raise (FamilyUnknown if unknown else SockDiagUnavailable)(f"sock_diag: {os.strerror(abs(code))}")
    if kind == _ERROR:
        raise SockDiagUnavailable("sock_diag acknowledges what it was not asked to")
