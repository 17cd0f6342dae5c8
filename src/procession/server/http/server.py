"""The server's sockets: plain or with TLS, and with TLS also a plain one for this machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp

from procession.server.http.connection import HttpConnection, ServerState
from procession.server.http.connection_limit import OpenConnections
from procession.server.http.lifespan import Lifespan
from procession.server.http.listener import Listener
from procession.server.http.tls import Certificates

_log = logging.getLogger(__name__)


class HttpServer:
    """Serves an application until it is stopped.

    The commands of this machine, and the agent of `procession up`, know no name that the certificate is for. They use
    `local`, a loopback listener without TLS; without certificates there is no need of it.
    """

    def __init__(
        self,
        app: ASGIApp,
        connections: OpenConnections,
        certificates: Certificates | None = None,
        local: socket.socket | None = None,
        stop_seconds: float = 1,
        on_started: Callable[[], object] = bool,
    ) -> None:
        """`stop_seconds`: how long requests under way may take to finish once it is stopped. `on_started` is called
        when the application has started and connections are taken."""
        self._app = app
        self._state = ServerState(app)
        self._limit = connections
        self._certificates = certificates
        self._local = local
        self._stop_seconds = stop_seconds
        self._on_started = on_started
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """From any thread, once it has started."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def serve(self, listeners: Sequence[socket.socket]) -> None:
        """Returns once it was stopped and what was under way is done. Raises what the application raises at its
        start."""
        self._loop = asyncio.get_running_loop()
        async with Lifespan(self._app):
            context, watch = None, None
            if self._certificates is not None:
                context = self._certificates.context
                watch = asyncio.create_task(self._certificates.watch())
            open_listeners = [self._listen(one, context) for one in listeners]
            if self._local is not None:
                open_listeners.append(self._listen(self._local, None))
            self._on_started()
            await self._stopped.wait()
            if watch is not None:
                watch.cancel()
            await self._finish(open_listeners)

    async def _finish(self, listeners: Sequence[Listener]) -> None:
        for listener in listeners:
            listener.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._stop_seconds):
                await self._state.all_ended()
        unfinished = set(self._state.tasks)
        if unfinished:
            fields = {"event": "requests-cancelled", "requests": len(unfinished)}
            _log.warning("stopped before %(requests)d requests were answered", fields)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        for connection in list(self._state.connections):
            connection.leave()
        for listener in listeners:
            await listener.wait_closed()

    def _listen(self, listener: socket.socket, context: ssl.SSLContext | None) -> Listener:
        return Listener(listener, self._limit, self._connection, context)

    def _connection(self) -> HttpConnection:
        return HttpConnection(self._state, self._limit)
