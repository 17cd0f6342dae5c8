"""The server's sockets: plain or with TLS, and beside TLS a plain one for this machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from procession.server.connections import Protocol
from procession.server.tls import Certificates

GRACE_SECONDS = 1
"""How long requests under way may take to finish once the server is asked to stop."""


class HttpServer(uvicorn.Server):
    """Leaves the signals to us, since there is more to stop than the server.

    The commands of this machine, and the agent of `procession up`, know no name that the certificate is for. They use
    `local`, a loopback listener without TLS; without certificates there is no need of it.
    """

    def __init__(
        self, app: ASGIApp, certificates: Certificates | None = None, local: socket.socket | None = None
    ) -> None:
        self._certificates = certificates
        self._local = local
        self._watch: asyncio.Task[None] | None = None
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=False,  # a line would hold the query string, and so perhaps a key
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,  # an agent posts every 10 s and should find its connection open
                timeout_graceful_shutdown=GRACE_SECONDS,
                http=Protocol,
                ws="none",
                ssl_context_factory=None if certificates is None else lambda _config, _default: certificates.context,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._certificates is not None:
            self._watch = asyncio.create_task(self._certificates.watch())
        if self._local is not None:
            loop = asyncio.get_running_loop()
            self.servers.append(await loop.create_server(self._protocol, sock=self._local))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await super().shutdown(sockets)

    def _protocol(self) -> Any:
        return Protocol(self.config, self.server_state, self.lifespan.state)
