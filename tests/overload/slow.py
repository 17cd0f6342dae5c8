"""Clients that take their time, and come again when they are sent away."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.overload.servers import OrgKeys, Server

STEP_SECONDS = 0.5


def headers(fields: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()


class SlowClient:
    """One connection: `first` is sent at once, and then a byte of `rest` every half a second. It reads nothing."""

    def __init__(self, kind: str, address: tuple[str, int], first: bytes, rest: bytes, buffer_bytes: int = 0) -> None:
        self.kind = kind
        self._address = address
        self._first = first
        self._rest = rest
        self._buffer_bytes = buffer_bytes
        self._left: Iterator[int] = iter(())
        self._socket: socket.socket | None = None

    def step(self) -> bool:
        """Whether it was sent away."""
        if self._socket is None:
            self._begin()
            return False
        try:
            byte = next(self._left, None)
            if byte is not None:
                self._socket.send(bytes((byte,)))
            # Who reads nothing still learns of the end.
            is_over = not self._buffer_bytes and self._ended()
        except BlockingIOError:
            return False
        except OSError:
            is_over = True
        if is_over:
            self.close()
        return is_over

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _begin(self) -> None:
        self._socket = socket.socket()
        if self._buffer_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer_bytes)
        self._socket.connect(self._address)
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self._socket.send(self._first)
        self._left = itertools.cycle(self._rest)

    def _ended(self) -> bool:
        assert self._socket is not None
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(65536):
                pass
            return True
        return False


class SlowClients:
    """As many as wanted of each kind."""

    def __init__(self, server: Server, org: OrgKeys, count: int) -> None:
        agent = {"Host": "localhost", "DD-API-Key": org.api_key, "Content-Length": "1000000"}
        reader = {"Host": "localhost", **org.reader}
        page = b"GET /api/v2/processes?page[limit]=1000 HTTP/1.1\r\n" + headers(reader) + b"\r\n"
        kinds = (
            ("silent", b"", b"", 0),
            ("head", b"GET /", b"x", 0),
            ("body", b"POST /api/v1/collector HTTP/1.1\r\n" + headers(agent) + b"\r\n", b"x", 0),
            # The last one is never asked for in full, so that each byte shows whether there is a connection.
            ("reading", page, b"GET /", 4096),
        )
        self.sent_away: Counter[str] = Counter()
        self._clients = [
            SlowClient(kind, server.address, first, rest, buffer_bytes)
            for (kind, first, rest, buffer_bytes), _ in zip(itertools.cycle(kinds), range(count), strict=False)
        ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        for client in self._clients:
            client.close()

    def _run(self) -> None:
        while not self._stop.wait(STEP_SECONDS):
            for client in self._clients:
                if client.step():
                    self.sent_away[client.kind] += 1


@contextmanager
def slow_clients(server: Server, org: OrgKeys, count: int) -> Iterator[SlowClients]:
    clients = SlowClients(server, org, count)
    clients.begin()
    try:
        yield clients
    finally:
        clients.end()
