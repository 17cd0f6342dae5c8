"""One connection of HTTP/1.1: bytes -> requests, which the application answers one after the other.

`httptools` (llhttp, as Node.js has it) parses. Everything that a client may hold is bounded: the head of a request, the
requests that wait, what comes of a body that was answered already, and the time that any of it takes (`pace.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import cast
from urllib.parse import unquote

import httptools
from starlette.types import ASGIApp, Scope

from procession.server.http import pace
from procession.server.http.connection_limit import OpenConnections
from procession.server.http.exchange import Exchange
from procession.server.http.pace import Awaited, Pace
from procession.server.http.raw_response import raw_error
from procession.server.runtime.throttled_log import ThrottledLog

CERTIFIED = "procession.certified"
"""The key of a request's scope that says whether the client has shown a certificate that the server trusts."""

KEEP_ALIVE_SECONDS = 75
"""An agent posts every 10 s and should find its connection open."""

MAX_HEAD_BYTES = 128 * 1024
"""How long the head of a request may be if it arrives in several pieces. One piece has 256 KiB at most."""

MAX_PIPELINED = 32
MAX_DROPPED_BYTES = 64 * 2**20
"""How much of a body is read and dropped after the request was answered."""

_LINES_PER_MINUTE = 1

_log = logging.getLogger(__name__)


class ServerState:
    """What the connections of a server share: the application, and what is under way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.connections: set[HttpConnection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        """The tasks of requests that are being answered."""
        self._without_connections = asyncio.Event()
        self.throttled_log = ThrottledLog(_log, _LINES_PER_MINUTE)

    def connected(self, connection: HttpConnection) -> None:
        self.connections.add(connection)
        self._without_connections.clear()

    def disconnected(self, connection: HttpConnection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._without_connections.set()

    def answer(self, exchange: Exchange) -> None:
        task = asyncio.get_running_loop().create_task(exchange.run(self._app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def all_ended(self) -> None:
        """Wait until there is no connection and no request any more."""
        if self.connections:
            await self._without_connections.wait()
        while self.tasks:
            await asyncio.wait(self.tasks)


class HttpConnection(asyncio.Protocol):
    """A `Client` of OpenConnections, the `Wire` of its exchanges, and a `PacedClient`."""

    def __init__(self, server: ServerState, connections: OpenConnections) -> None:
        self._server = server
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(self, self._loop)
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # set before all else is called
        self._parser = httptools.HttpRequestParser(self)
        # A request behind one that said `Connection: close` is dropped, and no error in what came before it.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._is_lost = False
        self._keep_alive: asyncio.TimerHandle | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._is_reading_paused = False

        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = False
        self._in_head = True
        self._in_body = False
        self._head_bytes = self._received_bytes = self._dropped_bytes = 0

        self._answering: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._newest: Exchange | None = None
        """The request whose body is arriving, or arrived last."""

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        certificate = transport.get_extra_info("ssl_object")
        self._fixed: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "scheme": "https" if certificate else "http",
            "server": transport.get_extra_info("sockname")[:2],
            "client": (transport.get_extra_info("peername") or ("", 0))[:2],
            "root_path": "",
        }
        self._server.connected(self)
        self._connections.falls_silent(self)
        self._pace.update()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (as asyncio calls it)
        self._disconnect()
        self._connections.end(self)
        self._stop_keep_alive()
        self._pace.stop()
        self._server.disconnected(self)

    def data_received(self, data: bytes) -> None:
        self._stop_keep_alive()
        was_in_head = self._in_head
        self._received_bytes += len(data)
        if not self._parse(data) or self._transport.is_closing():
            return
        if self._in_head and was_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"The request has more than {MAX_HEAD_BYTES} bytes before its body")
                return
        self._pace.update()

    def _parse(self, data: bytes) -> bool:
        """Whether it is HTTP."""
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # To another protocol, which nobody has to follow: the request is answered as any other.
                data = data[upgrade.args[0] :]
                continue
            except httptools.HttpParserError as error:
                fields = {"client": self._fixed["client"][0], "reason": str(error)}
                text = "%(client)s sent what is no HTTP: %(reason)s"
                self._server.throttled_log.log(logging.WARNING, "invalid-request", text, fields)
                self._refuse(400, "Invalid HTTP request received.")
                return False
            return True
        return True

    def pause_writing(self) -> None:
        self._can_write.clear()
        self._connections.stops_reading(self)
        self._pace.update()

    def resume_writing(self) -> None:
        self._can_write.set()
        self._connections.reads(self)
        self._pace.update()

    # What the parser calls

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", []
        self._expects_continue = False
        self._in_head = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if len(self._waiting) >= MAX_PIPELINED:
            raise ValueError("too many requests at once")  # answered with 400
        self._in_head, self._in_body = False, True
        self._connections.speaks(self)
        scope = self._scope()
        exchange = Exchange(
            scope,
            self,
            keep_alive=scope["http_version"] != "1.0" and self._parser.should_keep_alive(),
            expects_continue=self._expects_continue,
        )
        self._newest = exchange
        if self._answering is None:
            self._answer(exchange)
        else:
            self.pause_reading()
            self._waiting.append(exchange)

    def on_body(self, body: bytes) -> None:
        assert self._newest is not None  # noqa: S101 (a body has a head)
        self._newest.add_body(body)
        if self._newest.has_ended:
            self._dropped_bytes += len(body)
            if self._dropped_bytes > MAX_DROPPED_BYTES:
                self.abort()

    def on_message_complete(self) -> None:
        assert self._newest is not None  # noqa: S101 (an end has a beginning)
        self._in_body = False
        self._newest.end_body()
        self._rest()

    def _scope(self) -> Scope:
        url = httptools.parse_url(self._url)
        path = url.path.decode("ascii")
        # Verified, or the handshake had failed: an empty one is that of a client that has none.
        certificate = self._transport.get_extra_info("ssl_object")
        return {
            **self._fixed,
            "http_version": self._parser.get_http_version(),
            "method": self._parser.get_method().decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
            "headers": self._headers,
            "state": {},
            "extensions": {CERTIFIED: {"is": bool(certificate and certificate.getpeercert())}},
        }

    def _answer(self, exchange: Exchange) -> None:
        self._answering = exchange
        self._server.answer(exchange)

    # What an exchange needs

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    async def drain(self) -> None:
        await self._can_write.wait()

    def pause_reading(self) -> None:
        if not self._is_reading_paused:
            self._is_reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._is_reading_paused:
            self._is_reading_paused = False
            self._transport.resume_reading()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()

    def response_ended(self, exchange: Exchange) -> None:
        if self._is_lost or exchange is not self._answering:
            return
        self._answering = None
        if not self._transport.is_closing():
            self.resume_reading()
            if self._waiting:
                self._answer(self._waiting.popleft())
            else:
                self._connections.falls_silent(self)
            self._rest()
        self._pace.update()

    # How it ends

    def shutdown(self) -> None:
        """End it as soon as what was asked is answered."""
        if self._answering is None:
            self.leave()
        elif self._newest is not None:
            self._newest.keep_alive = False

    def leave(self) -> None:
        if self.unread_bytes():
            self.abort()  # closed, it would wait until all is read
        else:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()
        self._disconnect()

    def unread_bytes(self) -> int:
        return 0 if self._is_lost else self._transport.get_write_buffer_size()

    def _disconnect(self) -> None:
        """Whatever works on a response hears of it."""
        self._is_lost = True
        for exchange in (self._answering, *self._waiting):
            if exchange is not None:
                exchange.disconnect()
        self._waiting.clear()
        self._can_write.set()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer in place of the application, and close."""
        if self._answering is not None and self._answering.has_begun:
            self._transport.abort()
            return
        self._transport.write(raw_error(status, reason))
        self._transport.close()

    def _rest(self) -> None:
        """Between two requests there is time, but not for ever."""
        if self._answering is None and not self._in_body and not self._transport.is_closing():
            self._stop_keep_alive()
            self._keep_alive = self._loop.call_later(KEEP_ALIVE_SECONDS, self.leave)

    def _stop_keep_alive(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive.cancel()
            self._keep_alive = None

    # What is awaited of the client

    def awaited(self) -> Awaited | None:
        if self._is_lost:
            return None
        if not self._can_write.is_set() or (self._transport.is_closing() and self.unread_bytes()):
            return Awaited.READING
        if self._in_head:
            return Awaited.HEAD
        return Awaited.BODY if self._in_body else None

    def progress(self, awaited: Awaited) -> int:
        return -self.unread_bytes() if awaited is Awaited.READING else self._received_bytes

    def is_held_up_by_us(self, awaited: Awaited) -> bool:
        if awaited is not Awaited.BODY or self._newest is None:
            return False
        return self._is_reading_paused or (self._newest.awaits_continue and not self._newest.has_ended)

    def too_slow(self, awaited: Awaited) -> None:
        self._connections.count_closed(awaited.value)
        is_answered = self._newest is not None and self._newest.has_ended
        if awaited is Awaited.READING:
            self.abort()
        elif not self._received_bytes or (awaited is Awaited.BODY and is_answered):
            self.leave()  # without a word
        else:
            self._refuse(408, f"The request arrives too slowly: it was not all there after {pace.PERIOD_SECONDS:.0f} s")
