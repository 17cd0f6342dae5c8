"""Programs that the kernel runs on what a socket is about to get: classic BPF. They read numbers in network order."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
"""What stands at a place of the packet."""
TAKE_X = 0x07
EQUALS, EQUALS_X, AT_LEAST, HAS_BITS = 0x15, 0x1D, 0x35, 0x45
RETURN = 0x06

ALL, NOTHING = 0xFFFFFFFF, 0
"""What a program returns to let a packet through, or not."""

_SO_ATTACH_FILTER = 26

Instruction = tuple[int, int, int, int]
"""Code; how many instructions to leave out where it is so, and where not; a number."""


def attach_filter(sock: socket.socket, program: Sequence[Instruction]) -> None:
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(buffer)))


def in_network_order(number: int, size: str = "I") -> int:
    """A number as a program reads it that the kernel has in its own order; `size` as of `struct`."""
    return int.from_bytes(struct.pack(f"={size}", number), "big")
