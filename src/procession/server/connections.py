"""HTTP on one connection, as uvicorn speaks it, and what is asked of it beyond: a certificate, and some speed."""

from __future__ import annotations

import asyncio
import enum
import json
from typing import Any

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from procession.errors import Forbidden
from procession.server.open_connections import OpenConnections
from procession.server.responses import STANDARD_HEADERS

CERTIFIED = "procession.certified"
"""Of a request's scope: whether the client has shown a certificate that the server trusts."""

PERIOD_SECONDS = 10.0
"""How long the first line and the headers of a request may take, and how often it is looked at the rest."""

LEAST_BODY_BYTES = 5000
LEAST_READ_BYTES = 100_000
"""What has to get on within a period: a slow line does it, and who only wants to hold the connection is found out."""

MAX_HEAD_BYTES = 128 * 1024
"""Of a request without its body, where it comes in several pieces. One piece has 256 KiB at most."""

MAX_PIPELINED = 32
MAX_DROPPED_BYTES = 64 * 2**20
"""Of a body that comes after the request was answered."""


class Awaited(enum.Enum):
    """What the client owes us, on pain of being cut off."""

    HEAD = "head"
    BODY = "body"
    READING = "reading"


class Protocol(HttpToolsProtocol):
    """Tells the application about certificates, bounds what a client may take, and answers its own errors as ours."""

    def __init__(self, connections: OpenConnections, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open = connections
        self._is_lost = False
        self._answering: RequestResponseCycle | None = None
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._dropped_bytes = 0
        self._received_bytes = 0
        self._awaited: Awaited | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._mark = 0
        """Where it stood at the beginning of the period."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._open.falls_silent(self)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disconnect()
        super().connection_lost(exc)
        self._open.end(self)
        self._unset_keepalive_if_required()
        self._set_timer(None)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head
        self._received_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and was_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"The request has more than {MAX_HEAD_BYTES} bytes before its body")
                return
        self._look()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        connection = self.transport.get_extra_info("ssl_object")
        # Verified, or the handshake had failed: an empty one is that of a client that has none.
        self.scope["extensions"] = {CERTIFIED: {"is": bool(connection and connection.getpeercert())}}

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("too many requests at once")  # answered with 400
        self._in_head, self._in_body = False, True
        self._open.speaks(self)
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.cycle.response_complete:
            self._dropped_bytes += len(body)
            if self._dropped_bytes > MAX_DROPPED_BYTES:
                self.transport.abort()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False
        if self.cycle.response_complete and not self.transport.is_closing():
            # It was answered before it was all there, and the rest has stopped the clock.
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and not self.transport.is_closing():
            self._open.falls_silent(self)
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._open.stops_reading(self)
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._open.reads(self)
        self._look()

    def timeout_keep_alive_handler(self) -> None:
        self.leave()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def leave(self) -> None:
        if self.unread_bytes():
            self.abort()  # closed, it would wait until all is read
        else:
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()
        self._disconnect()

    def _disconnect(self) -> None:
        """Whatever works on an answer hears of it: uvicorn tells the request that came last, be it still in line."""
        self._is_lost = True
        self.pipeline.clear()
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def unread_bytes(self) -> int:
        return 0 if self._is_lost else self.transport.get_write_buffer_size()

    def _refuse(self, status: int, reason: str) -> None:
        """Answer in place of the application, and close."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
            return
        self.transport.write(raw_error(status, reason))
        self.transport.close()

    def _look(self) -> None:
        """Find out what is awaited, and until when."""
        awaited: Awaited | None = None
        if self._is_lost:
            pass
        elif self.flow.write_paused or (self.transport.is_closing() and self.unread_bytes()):
            awaited = Awaited.READING
        elif self._in_head:
            awaited = Awaited.HEAD
        elif self._in_body:
            awaited = Awaited.BODY
        if awaited is not self._awaited:
            self._set_timer(awaited)

    def _set_timer(self, awaited: Awaited | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._awaited = awaited
        if awaited is not None:
            self._mark = self.unread_bytes() if awaited is Awaited.READING else self._received_bytes
            due = self.loop.time() + PERIOD_SECONDS
            self._timer = self.loop.call_at(due, self._end_period, awaited, due)

    def _end_period(self, awaited: Awaited, due: float) -> None:
        self._timer = None
        # Held up itself, the server has not looked yet at what has come meanwhile.
        was_held_up = self.loop.time() - due > PERIOD_SECONDS / 10
        if was_held_up or self._goes_on(awaited):
            self._set_timer(awaited)
            return
        self._open.note(awaited.value)
        is_answered = self.cycle is not None and self.cycle.response_complete
        if awaited is Awaited.READING:
            self.abort()
        elif not self._received_bytes or (awaited is Awaited.BODY and is_answered):
            self.leave()  # without a word
        else:
            self._refuse(408, f"The request arrives too slowly: it was not all there after {PERIOD_SECONDS:.0f} s")

    def _goes_on(self, awaited: Awaited) -> bool:
        """Whether enough has come or gone in this period, or it is us who hold it up."""
        if awaited is Awaited.READING:
            return self._mark - self.unread_bytes() >= LEAST_READ_BYTES
        if awaited is Awaited.BODY:
            is_ours = self.flow.read_paused or self.cycle.waiting_for_100_continue
            return is_ours or self._received_bytes - self._mark >= LEAST_BODY_BYTES
        return False


def raw_error(status: int, reason: str, **more: str) -> bytes:
    """A whole answer, after which the connection is closed."""
    body = json.dumps({"errors": [reason]}).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **STANDARD_HEADERS,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()]
    return b"".join((STATUS_LINE[status], *lines, b"\r\n", body))


class _AskForCertificate:
    """Lets in who has shown one. The commands of this machine come over a loopback listener without TLS, and are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_certified = scope.get("extensions", {}).get(CERTIFIED, {}).get("is", False)
        if scope["type"] == "http" and scope["scheme"] == "https" and not is_certified:
            raise Forbidden("Agents have to show a certificate here, such as by --tls-client-cert")
        await self._app(scope, receive, send)


def asking_for_certificates(routes: list[Route]) -> list[Route]:
    """The same routes, for those who have shown a certificate."""
    for route in routes:
        route.app = _AskForCertificate(route.app)
    return routes
