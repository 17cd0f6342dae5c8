"""Takes connections from a listening socket, as far as there is room for them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable

from procession.server.http.connection import HttpConnection
from procession.server.http.connection_limit import OpenConnections
from procession.server.http.raw_response import raw_error

AT_ONCE = 64
"""How many connections are accepted before other tasks of the event loop run."""

HANDSHAKE_SECONDS = 10.0
LINGER_SECONDS = 1.0
MOST_LINGERING = 64
PAUSE_SECONDS = 0.1

FULL = raw_error(503, "As many connections are open as this server may have; try again or ask another", retry_after="2")

_log = logging.getLogger(__name__)


class Listener:
    """Accepts connections, as a server of asyncio does, but no more than may be open.

    A client beyond that is closed before TLS and HTTP cost anything; without TLS, it gets FULL as its answer.
    """

    def __init__(
        self,
        listener: socket.socket,
        connections: OpenConnections,
        make: Callable[[], HttpConnection],
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._open = connections
        self._make = make
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lingering: dict[socket.socket, asyncio.TimerHandle] = {}
        listener.setblocking(False)
        self._listen()

    def close(self) -> None:
        self._loop.remove_reader(self._listener)
        self._listener.close()  # so that clients that come now are refused, and ask another server
        for client in list(self._lingering):
            self._close_turned_away(client)

    async def wait_closed(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                client, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # No more files may be opened, which `OpenConnections` is there to prevent: others go on.
                _log.warning("cannot take a connection: %(reason)s", {"event": "cannot-connect", "reason": str(error)})
                self._loop.remove_reader(self._listener)
                self._loop.call_later(PAUSE_SECONDS, self._listen)
                return
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._open.begin():
                self._turn_away(client)
                continue
            task = self._loop.create_task(self._connect(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, client: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._make,
                client,
                ssl=self._context,
                ssl_handshake_timeout=None if self._context is None else HANDSHAKE_SECONDS,
            )
        except OSError:
            # A handshake that failed: the protocol was not told of the connection, and so tells nobody of its end.
            self._open.end()

    def _turn_away(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context is None:
                client.send(FULL)
            client.shutdown(socket.SHUT_WR)
        if len(self._lingering) >= MOST_LINGERING or self._context is not None:
            client.close()
        else:
            # Closed at once, with its request still on the way, it would never read what it was told.
            self._lingering[client] = self._loop.call_later(LINGER_SECONDS, self._close_turned_away, client)

    def _close_turned_away(self, client: socket.socket) -> None:
        self._lingering.pop(client).cancel()
        client.close()
