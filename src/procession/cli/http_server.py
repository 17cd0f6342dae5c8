"""The server's sockets: plain or with TLS, and beside TLS a plain one for this machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from procession.cli import interpreter
from procession.server.accepting import Listener
from procession.server.connections import Protocol
from procession.server.open_connections import OpenConnections
from procession.server.tls import Certificates

OTHER_FILES = 1024
"""So many of the files that may be open are left to the store, which has some hundred of them while it merges."""

_log = logging.getLogger(__name__)
_uvicorn_log = logging.getLogger("uvicorn.error")


def most_connections(wanted: int) -> int:
    """As many as are wanted, as far as this process may open files: it raises its soft limit, which is often 1024."""
    files, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHER_FILES
    if files != resource.RLIM_INFINITY and files < needed:
        is_enough = most_files == resource.RLIM_INFINITY or most_files >= needed
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed if is_enough else most_files, most_files))
    if most_files == resource.RLIM_INFINITY:
        return wanted
    possible = max(most_files - OTHER_FILES, most_files // 2)
    if possible < wanted:
        _log.warning(
            "at most %(connections)d connections at once, not %(wanted)d, since only %(files)d files may be open"
            " (ulimit -Hn)",
            {"event": "connections-limited", "connections": possible, "wanted": wanted, "files": most_files},
        )
    return min(wanted, possible)


class OnceAMinute(logging.Filter):
    """For uvicorn's complaints about requests that are none: whoever sends those does not stop at one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = self._clock()
        if record.levelno > logging.WARNING or now - self._said_at.get(record.msg, now - 60) >= 60:
            self._said_at[record.msg] = now
            return True
        return False


class HttpServer(uvicorn.Server):
    """Leaves the signals to us, since there is more to stop than the server.

    The commands of this machine, and the agent of `procession up`, know no name that the certificate is for. They use
    `local`, a loopback listener without TLS; without certificates there is no need of it.
    """

    def __init__(
        self,
        app: ASGIApp,
        connections: OpenConnections,
        certificates: Certificates | None = None,
        local: socket.socket | None = None,
        stop_seconds: int = 1,
    ) -> None:
        self._connections = connections
        self._certificates = certificates
        self._local = local
        self._watch: asyncio.Task[None] | None = None
        self._once_a_minute = OnceAMinute()
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=False,  # a line would hold the query string, and so perhaps a key
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,  # an agent posts every 10 s and should find its connection open
                timeout_graceful_shutdown=stop_seconds,
                http=Protocol,
                ws="none",
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """In place of uvicorn's, which takes connections without a bound."""
        _uvicorn_log.addFilter(self._once_a_minute)
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        interpreter.tune()
        context = None
        if self._certificates is not None:
            context = self._certificates.context
            self._watch = asyncio.create_task(self._certificates.watch())
        self.servers = [self._listen(one, context) for one in sockets or ()]  # type: ignore[misc]
        if self._local is not None:
            self.servers.append(self._listen(self._local, None))  # type: ignore[arg-type]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await super().shutdown(sockets)
        _uvicorn_log.removeFilter(self._once_a_minute)

    def _listen(self, listener: socket.socket, context: ssl.SSLContext | None) -> Listener:
        return Listener(listener, self._connections, self._protocol, context)

    def _protocol(self) -> Protocol:
        return Protocol(self._connections, self.config, self.server_state, self.lifespan.state)
