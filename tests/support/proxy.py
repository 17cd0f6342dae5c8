"""A network of bad quality: a TCP proxy that delays, throttles, resets, swallows and refuses, as it is told."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass

_CHUNK = 16 * 1024
_SLICE_SECONDS = 0.05
"""How finely what is throttled trickles."""


@dataclass(frozen=True)
class Fault:
    delay_seconds: float = 0.0
    """Before each piece is passed on, in either direction."""
    bytes_per_second: int | None = None
    """In either direction."""
    resets_after_bytes: int | None = None
    """So much of what a client sends goes through, and then both ends see a reset."""
    resets_before_answer: bool = False
    """The client sees a reset in place of the first byte of an answer: what it asked for was done."""
    swallows: bool = False
    """Whatever is sent arrives nowhere, and nobody is told. What a connection lost so it never gets again."""
    refuses: bool = False
    """Connections are reset, and new ones refused."""


HEALTHY = Fault()


class Proxy:
    """Listens on a port of its own, which it keeps while it refuses."""

    def __init__(self, target: tuple[str, int], host: str = "127.0.0.1") -> None:
        self.target = target
        """For the connections to come: a server that starts anew may have another port."""
        self.hits = 0
        """How often the fault of the moment has struck."""
        self._fault = HEALTHY
        self._changed = threading.Condition()
        self._links: set[_Link] = set()
        self._host = host
        # Bound, and listening to nobody: so nobody else gets the port while this one refuses.
        self._kept = self._bound(0)
        self.port: int = self._kept.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._listener: socket.socket | None = None
        self._listen()

    @property
    def fault(self) -> Fault:
        return self._fault

    def set(self, fault: Fault) -> None:
        """From now on, for the connections that are open, too."""
        with self._changed:
            self._fault = fault
            self.hits = 0
        if fault.refuses:
            self._stop_listening()
            for link in self._open():
                link.reset()
        elif self._listener is None:
            self._listen()

    def strike(self) -> None:
        """The fault did something."""
        with self._changed:
            self.hits += 1
            self._changed.notify_all()

    def wait_for_hits(self, count: int, *, seconds: float) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.hits >= count, seconds), f"only {self.hits} of {self._fault}"

    def forget(self, link: _Link) -> None:
        with self._changed:
            self._links.discard(link)

    def close(self) -> None:
        self._stop_listening()
        for link in self._open():
            link.reset()
        self._kept.close()

    def _open(self) -> list[_Link]:
        with self._changed:
            return list(self._links)

    def _bound(self, port: int) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((self._host, port))
        return made

    def _listen(self) -> None:
        self._listener = self._bound(self.port)
        self._listener.listen(128)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # which ends the `accept` that waits
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = None if self._fault.swallows else socket.create_connection(self.target, timeout=10)
            except OSError:
                _reset(client)
                self.strike()
                continue
            link = _Link(self, client, server)
            with self._changed:
                self._links.add(link)
            link.start()


class _Link:
    """A connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket | None) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._from_client = 0
        self._is_ruined = server is None
        self._ended = threading.Event()
        for end in (client, server):
            if end is not None:
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        threading.Thread(target=self._pass_on, args=(self._client, self._server), daemon=True).start()
        if self._server is not None:
            threading.Thread(target=self._pass_on, args=(self._server, self._client), daemon=True).start()

    def reset(self) -> None:
        self._ended.set()
        for end in (self._client, self._server):
            if end is not None:
                _reset(end)
        self._proxy.forget(self)

    def _pass_on(self, source: socket.socket, sink: socket.socket | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if not self._pass(data, source is self._client, sink):
                    return
            if sink is not None and not self._is_ruined:
                sink.shutdown(socket.SHUT_WR)
                return
        if not self._ended.is_set():
            self.reset()

    def _pass(self, data: bytes, is_request: bool, sink: socket.socket | None) -> bool:
        """Whether the connection goes on."""
        fault = self._proxy.fault
        if fault.swallows or self._is_ruined or sink is None:
            self._is_ruined = True
            self._proxy.strike()
            return True
        if fault.resets_before_answer and not is_request:
            self.reset()
            self._proxy.strike()
            return False
        if fault.resets_after_bytes is not None and is_request:
            left = fault.resets_after_bytes - self._from_client
            if left < len(data):
                sink.sendall(data[: max(0, left)])
                self.reset()
                self._proxy.strike()
                return False
            self._from_client += len(data)
        if fault.delay_seconds:
            self._ended.wait(fault.delay_seconds)
            self._proxy.strike()
        if fault.bytes_per_second is None:
            sink.sendall(data)
            return True
        step = max(1, int(fault.bytes_per_second * _SLICE_SECONDS))
        for begin in range(0, len(data), step):
            if begin:
                time.sleep(_SLICE_SECONDS)
            sink.sendall(data[begin : begin + step])
        self._proxy.strike()
        return True


def _reset(end: socket.socket) -> None:
    """Not the orderly end of a connection: the other side gets an error."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A thread may be in `recv` of it, which keeps the socket from going away.
        end.shutdown(socket.SHUT_RD)
    with contextlib.suppress(OSError):
        end.close()
