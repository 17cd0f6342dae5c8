"""The sockets of a network namespace on which somebody listens: `/proc/<pid>/net/tcp` and its like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

_CHUNK = 64 * 1024
MOST_BYTES = 1024 * 1024
"""Of a table, of TCP without those that do not listen. Of a namespace with more of them nothing is known."""

_LISTENS = b"0A"
_UNCONNECTED = b"07"


class Listener(NamedTuple):
    protocol: Literal["tcp", "udp"]
    port: int


Listeners = dict[int, Listener]
"""By the inode of the socket."""


def read_listeners(folder: str, ephemeral: range) -> Listeners | None:
    """Of the namespace that a folder `net` is of; None where it cannot be read. UDP ports in `ephemeral` are those that
    the kernel gives to clients, which listen for answers alone: they are left out."""
    try:
        found = _read_tcp(f"{folder}/tcp")
    except (OSError, TooManySockets):
        return None
    try:
        for name in ("tcp6", "udp", "udp6"):
            try:
                path = f"{folder}/{name}"
                found |= _read_udp(path, ephemeral) if name.startswith("udp") else _read_tcp(path)
            except FileNotFoundError:  # a kernel without IPv6
                continue
    except (OSError, TooManySockets):
        return None
    return found


class TooManySockets(Exception):
    """There are more than can be looked through."""


def _read_tcp(path: str) -> Listeners:
    found: Listeners = {}
    for fields in _lines(path, MOST_BYTES):
        if fields[3] != _LISTENS:
            # The kernel lists those that listen first. There may be a hundred thousand others.
            break
        _add(found, "tcp", fields)
    return found


def _read_udp(path: str, ephemeral: range) -> Listeners:
    found: Listeners = {}
    for fields in _lines(path, MOST_BYTES):
        if fields[3] == _UNCONNECTED and _port_of(fields) not in ephemeral:
            _add(found, "udp", fields)
    return found


def _add(found: Listeners, protocol: Literal["tcp", "udp"], fields: list[bytes]) -> None:
    inode, port = int(fields[9]), _port_of(fields)
    if inode and port:  # the kernel's own have no inode
        found[inode] = Listener(protocol, port)


def _port_of(fields: list[bytes]) -> int:
    return int(fields[1].rpartition(b":")[2], 16)


def _lines(path: str, most: int) -> Iterator[list[bytes]]:
    """The fields of each line but the first, as they are asked for: the kernel makes a page of the table at a time."""
    fd = os.open(path, os.O_RDONLY)
    try:
        rest, size, is_head = b"", 0, True
        while data := os.read(fd, _CHUNK):
            size += len(data)
            if size > most:
                raise TooManySockets
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                fields = line.split()
                if not is_head and len(fields) > 9:
                    yield fields
                is_head = False
    finally:
        os.close(fd)


def ephemeral_ports(root: str) -> range:
    """Those that the kernel gives to sockets of clients."""
    try:
        first, last = map(int, Path(root, "sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return range(32_768, 61_000)
    return range(first, last + 1)
