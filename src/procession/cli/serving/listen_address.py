"""The address to listen on: taken before anything else, so that a port in use is known at once."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
from pathlib import Path

from procession.errors import UsageError
from procession.text.whole_number import whole_number

BACKLOG = 2048


def listen_on(address: str) -> socket.socket:
    """A listening socket on `HOST:PORT`. Clients wait in its queue until the server is up.

    Raises UsageError, for a port in use with the name of who uses it.
    """
    host, port = _parse(address)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise UsageError(f"cannot listen on {address}: there is no host {host!r} here") from None
    listener = socket.socket(family, kind, protocol)
    try:
        # Not held up by connections of a server that ended a moment ago.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno or 0).lower()
        if error.errno == errno.EADDRINUSE:
            reason = f"it is in use by {_owner_of(port) or 'another program'}"
        raise UsageError(f"cannot listen on {address}: {reason}; choose another address with --listen") from None
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """The URL under which a program of this machine reaches it."""
    host, port = listener.getsockname()[:2]
    if host == "0.0.0.0":  # noqa: S104 (compared, not bound to)
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def is_beyond_loopback(listener: socket.socket) -> bool:
    """Whether other machines may reach it."""
    return not ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _parse(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    number = whole_number(port, 0, 65535)
    if not host or number is None:
        raise UsageError(f"cannot listen on {address!r}: it is not like 127.0.0.1:7171 or [::1]:7171")
    return host.strip("[]"), number


def _owner_of(port: int) -> str | None:
    """`process 4711 (nginx)`, where the kernel lets us see that."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(str(entry.readlink()) in inodes for entry in (folder / "fd").iterdir()):
                name = (folder / "comm").read_text(errors="replace").strip()
                return f"process {folder.name} ({name})"
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                # 0A is LISTEN; the local address is "0100007F:1C03"; the inode is the tenth column.
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes
