from __future__ import annotations

import socket
import struct

from procession.agent.read.exits.packet_filter import (
    ALL,
    EQUALS,
    LOAD_WORD,
    NOTHING,
    RETURN,
    attach_filter,
    in_network_order,
)


def test_a_program_lets_through_what_it_asks_for_and_nothing_else() -> None:
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with reader, writer:
        reader.setblocking(False)
        wanted = (LOAD_WORD, 0, 0, 4), (EQUALS, 0, 1, in_network_order(7)), (RETURN, 0, 0, ALL), (RETURN, 0, 0, NOTHING)
        attach_filter(reader, wanted)

        for number in (6, 7, 0x07000000):
            writer.send(struct.pack("=II", number, number))

        assert reader.recv(64) == struct.pack("=II", 7, 7)
        try:
            more = reader.recv(64)
        except BlockingIOError:
            more = b""
        assert more == b""


def test_a_half_is_read_in_network_order_too() -> None:
    assert struct.pack(">H", in_network_order(3, "H")) == struct.pack("=H", 3)
