"""Answers of the kernel, as an encoder of our own writes them, and those of the kernel of this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent.read.network.sock_diag import (
    FamilyUnknown,
    SockDiag,
    SockDiagUnavailable,
    TcpSocket,
    parse_dump,
    request,
)
from tests.support.running import eventually

SEQUENCE = 7
BY_FAMILY, ERROR, DONE, OVERRUN = 20, 2, 3, 4
MULTI, INTERRUPTED = 2, 0x10
INFO, SHUTDOWN, CONGESTION = 2, 8, 4
ESTABLISHED, CLOSE_WAIT = 1, 8


class Told(NamedTuple):
    """What the kernel says of a socket."""

    state: int
    cookie: int
    inode: int
    before: Sequence[tuple[int, bytes]]
    """Attributes that come before tcp_info."""
    counters: tuple[int, int] | None
    """Acknowledged and received; None for a kernel that does not count."""
    has_info: bool
    after: Sequence[tuple[int, bytes]]


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, body: bytes, *, flags: int = MULTI, sequence: int = SEQUENCE) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 99) + body + bytes(-len(body) % 4)


def encoded(told: Told) -> bytes:
    addresses = struct.pack("=BBBB", socket.AF_INET, told.state, 0, 0) + bytes(40)
    fixed = addresses + struct.pack("=Q", told.cookie) + struct.pack("=IIIII", 0, 0, 0, 1000, told.inode)
    assert len(fixed) == 72
    info = b"\1" * 120 + (b"" if told.counters is None else struct.pack("=QQ", *told.counters) + b"\2" * 96)
    attributes = [*told.before, *([(INFO, info)] if told.has_info else []), *told.after]
    return message(BY_FAMILY, fixed + b"".join(attribute(kind, value) for kind, value in attributes))


def expected(told: Told) -> list[TcpSocket]:
    if not told.inode or not told.has_info or told.counters is None:
        return []
    return [TcpSocket(told.inode, told.cookie, told.state == ESTABLISHED, *told.counters)]


def done(code: int = 0) -> bytes:
    return message(DONE, struct.pack("=i", code))


def read(*answers: bytes) -> list[TcpSocket]:
    return [one for found in parse_dump(answers, SEQUENCE) for one in found]


others = st.lists(
    st.tuples(st.sampled_from((1, SHUTDOWN, CONGESTION, 15, 0x8000 | 17)), st.binary(max_size=12)), max_size=3
)
numbers = st.integers(0, 2**64 - 1)
tolds = st.builds(
    Told,
    state=st.sampled_from((ESTABLISHED, 4, 5, CLOSE_WAIT)),
    cookie=numbers,
    inode=st.integers(0, 2**32 - 1),
    before=st.just(((SHUTDOWN, b"\0"),)) | others,
    counters=st.none() | st.tuples(numbers, numbers),
    has_info=st.booleans(),
    after=others,
)


@given(st.lists(st.lists(tolds, min_size=1, max_size=4), max_size=4))
def test_every_socket_of_a_dump_is_found_as_it_was_told(answers: list[list[Told]]) -> None:
    data = [b"".join(map(encoded, answer)) for answer in answers]

    assert read(*data, done()) == [one for answer in answers for told in answer for one in expected(told)]


@given(st.lists(tolds, min_size=1, max_size=4), st.data())
def test_what_is_cut_off_is_never_taken_for_the_whole(told: list[Told], data: st.DataObject) -> None:
    whole = b"".join(map(encoded, told)) + done()
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(SockDiagUnavailable):
        read(whole[:cut])


@given(
    st.lists(tolds, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_answers_are_refused_or_sockets(told: list[Told], changes: list[tuple[int, int]]) -> None:
    data = bytearray(b"".join(map(encoded, told)) + done())
    for at, value in changes:
        data[at % len(data)] = value

    with contextlib.suppress(SockDiagUnavailable):
        for one in read(bytes(data)):
            assert one.inode > 0
            assert min(one.sent_bytes, one.received_bytes) >= 0


@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(SockDiagUnavailable):
        read(data)


A_SOCKET = Told(ESTABLISHED, 5, 6, ((SHUTDOWN, b"\0"),), (7, 8), True, ())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (message(ERROR, struct.pack("=i", -1) + bytes(16)), "Operation not permitted"),
        (message(ERROR, b"\1"), "cut off"),
        (message(ERROR, struct.pack("=i", 0)), "acknowledges"),
        (message(OVERRUN, b""), "has lost some"),
        (done(-12), "Cannot allocate memory"),
        (message(BY_FAMILY, bytes(71)), "too short"),
        (encoded(A_SOCKET)[:-8], "cut off"),
        (message(DONE, bytes(4), flags=MULTI | INTERRUPTED), "interrupted"),
        (b"", "empty"),
    ],
)
def test_a_dump_that_is_not_whole_gives_nothing(answer: bytes, error: str) -> None:
    with pytest.raises(SockDiagUnavailable, match=error):
        read(encoded(A_SOCKET), answer)


@pytest.mark.parametrize("length", [0, 3, 2000, 65_535])
@pytest.mark.parametrize("kind", [INFO, SHUTDOWN])
def test_an_attribute_that_lies_about_its_length_is_refused(kind: int, length: int) -> None:
    body = encoded(A_SOCKET)[16:88] + struct.pack("=HH", length, kind) + bytes(300)

    with pytest.raises(SockDiagUnavailable, match="attribute"):
        read(encoded(A_SOCKET), message(BY_FAMILY, body), done())


def test_the_head_of_the_socket_before_does_not_hide_that_a_counter_is_cut_off() -> None:
    """The same attributes, and a tcp_info that says that it is longer than the message."""
    whole = encoded(A_SOCKET)
    short = whole[16:-100]

    with pytest.raises(SockDiagUnavailable, match="attribute"):
        read(whole, message(BY_FAMILY, short), done())


def test_answers_to_other_questions_are_left_out() -> None:
    other = message(BY_FAMILY, encoded(A_SOCKET)[16:], sequence=SEQUENCE - 1)
    old_end = message(DONE, bytes(4), sequence=SEQUENCE - 1)

    assert read(other + old_end, encoded(A_SOCKET), done()) == expected(A_SOCKET)


def test_a_kernel_without_such_addresses_says_so() -> None:
    with pytest.raises(FamilyUnknown):
        read(message(ERROR, struct.pack("=i", -2) + bytes(16)))


def test_a_request_asks_for_connections_and_their_counters() -> None:
    asked = request(socket.AF_INET6, 9)

    assert struct.unpack_from("=IHHII", asked) == (72, BY_FAMILY, 0x301, 9, 0)
    assert struct.unpack_from("=BBBxI", asked, 16) == (socket.AF_INET6, 6, 2, 1 << 1 | 1 << 4 | 1 << 5 | 1 << 8)


@pytest.fixture(params=["127.0.0.1", pytest.param("::1", marks=pytest.mark.may_skip)])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection from this process to itself."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    if family == socket.AF_INET6 and not _has_ipv6():
        pytest.skip("there is no IPv6 here")
    with socket.create_server((request.param, 0), family=family) as served:
        one = socket.create_connection(served.getsockname()[:2])
        other, _ = served.accept()
        with one, other:
            yield one, other


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def inode_of(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


def test_the_kernel_tells_what_went_over_a_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    one.sendall(b"x" * 70_000)
    other.sendall(b"y" * 500)
    received = 0
    while received < 70_000:
        received += len(other.recv(70_000))
    assert len(one.recv(500, socket.MSG_WAITALL)) == 500

    def told() -> bool:
        with SockDiag() as diag:
            found = {found.inode: found for found in diag.sockets(100_000)}
        mine, theirs = found[inode_of(one)], found[inode_of(other)]
        # The first byte of a connection is not of what was sent: it stands for its beginning.
        return (
            mine.is_established
            and theirs.is_established
            and mine.cookie != theirs.cookie
            and 70_000 <= mine.sent_bytes <= 70_001
            and 500 <= mine.received_bytes <= 501
            and 500 <= theirs.sent_bytes <= 501
            and 70_000 <= theirs.received_bytes <= 70_001
        )

    eventually(told, what="that all was acknowledged")


def test_the_kernel_tells_of_as_many_connections_as_psutil(pair: tuple[socket.socket, socket.socket]) -> None:
    mine = psutil.Process().net_connections("tcp")
    established = [one for one in mine if one.status == psutil.CONN_ESTABLISHED]
    inodes = {os.fstat(one.fd).st_ino for one in established}

    with SockDiag() as diag:
        found = {one.inode for one in diag.sockets(100_000) if one.is_established}

    assert {inode_of(one) for one in pair} <= inodes <= found


def test_more_sockets_than_may_be_looked_at_are_none_that_are_known(pair: tuple[socket.socket, socket.socket]) -> None:
    with SockDiag() as diag, pytest.raises(SockDiagUnavailable, match="too many"):
        diag.sockets(1)
