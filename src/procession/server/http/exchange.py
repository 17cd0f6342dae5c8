"""One request and its response: what ASGI calls `receive` and `send`, over the connection that they travel on."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol

from starlette.types import ASGIApp, Message, Scope

from procession.server.http.raw_response import raw_error

BODY_BUFFER_BYTES = 64 * 1024
"""How much of a body may wait for the application; reading pauses above it."""

WHEN_LEFT = "procession.when_left"
"""The key of a request's scope that has its `Exchange.when_left`."""

_NO_HEADER_NAME = re.compile(rb'[\x00-\x20\x7f()<>@,;:\\\[\]={}"]')
_NO_HEADER_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_WITHOUT_BODY = frozenset((204, 304))

_log = logging.getLogger(__name__)


class Wire(Protocol):
    """What an exchange needs of its connection."""

    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None:
        """Wait until the client has read enough for more to be written."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_closing(self) -> bool: ...
    def close(self) -> None:
        """Once everything is written."""

    def response_ended(self, exchange: Exchange) -> None:
        """All of it was handed over to be written."""


class Exchange:
    """Made when the head of a request is there; its body may still be on the way."""

    def __init__(self, scope: Scope, wire: Wire, *, keep_alive: bool, expects_continue: bool) -> None:
        self.keep_alive = keep_alive
        """Whether the connection goes on after the response."""
        self.awaits_continue = expects_continue
        """Whether the client waits to be told that its body is wanted."""
        self.has_begun = self.has_ended = False
        """Whether the response has begun, and whether it has ended."""
        self._scope = scope
        self._wire = wire
        self._body = bytearray()
        self._more_body = True
        self._is_disconnected = False
        self._changed = asyncio.Event()
        """Something has changed that `receive` may wait for."""
        self._when_left: Callable[[], None] | None = None
        self._is_chunked = self._has_length = False
        self._bytes_left = 0
        """How much of the response is still to come, by its content-length."""
        self._head = b""
        """What is to be written with the first of the body."""

    def add_body(self, data: bytes) -> None:
        if self.has_ended:
            return
        self._body += data
        if len(self._body) > BODY_BUFFER_BYTES:
            self._wire.pause_reading()
        self._changed.set()

    def end_body(self) -> None:
        self._more_body = False
        self._changed.set()

    def disconnect(self) -> None:
        """The client has gone: `receive` says so, and what is sent is dropped."""
        self._is_disconnected = True
        self._changed.set()
        if self._when_left is not None:
            self._when_left()

    def when_left(self, call: Callable[[], None] | None) -> bool:
        """Have this called if the client disconnects before it is answered, which costs less than a task that waits for
        it; None: nothing any more. Whether it will be: not as long as there may be more to read of the request."""
        if self._more_body or self.awaits_continue:
            return False
        self._when_left = call
        if call is not None:
            self._wire.resume_reading()  # else nobody hears that it ends
            if self._is_disconnected:
                asyncio.get_running_loop().call_soon(call)
        return True

    async def run(self, app: ASGIApp) -> None:
        """Have the application answer. What it fails to answer gets a 500, or the end of the connection."""
        self._scope[WHEN_LEFT] = self.when_left
        try:
            await app(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            self._give_up(503, "The server stops; try again")
            raise
        except Exception:
            _log.exception("cannot answer %s %r", self._scope["method"], self._scope["path"])
            self._give_up(500, "Internal Server Error")
        else:
            if not self.has_ended and not self._is_disconnected:
                _log.error("left %s %r without a whole answer", self._scope["method"], self._scope["path"])
                self._give_up(500, "Internal Server Error")
        finally:
            self._scope.pop(WHEN_LEFT, None)  # each would hold the other for longer

    def _give_up(self, status: int, reason: str) -> None:
        said = self._head if self.has_begun else raw_error(status, reason)
        if said and not self._is_disconnected:
            self._wire.write(said)
        self._wire.close()

    async def _receive(self) -> Message:
        if self.awaits_continue and not self._wire.is_closing():
            self._wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.awaits_continue = False
        if not (self._is_disconnected or self.has_ended):
            self._wire.resume_reading()
            await self._changed.wait()
            self._changed.clear()
        if self._is_disconnected or self.has_ended:
            return {"type": "http.disconnect"}
        body, self._body = bytes(self._body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self._more_body}

    async def _send(self, message: Message) -> None:
        if not self._is_disconnected:
            await self._wire.drain()
        if self._is_disconnected:
            return
        expected = "http.response.body" if self.has_begun else "http.response.start"
        if self.has_ended or message["type"] != expected:
            raise RuntimeError(f"{message['type']} was sent where the response has {self._stage()}")
        if self.has_begun:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            self._send_head(message["status"], message.get("headers", ()))

    def _write_with_head(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head or data:
            self._wire.write(head + data)

    def _stage(self) -> str:
        return "ended" if self.has_ended else "begun" if self.has_begun else "not begun"

    def _send_head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        lines = _lines_of(tuple(map(tuple, headers)))
        parts = [_status_line(status), b"date: ", _date(int(time.time())), b"\r\n", lines.text]
        if lines.length is not None:
            self._bytes_left = lines.length
        has_length = lines.length is not None
        if not has_length and status not in _WITHOUT_BODY and self._scope["method"] != "HEAD":
            # The end has to show: by a last chunk, or for an old client by that of the connection.
            self._is_chunked = self._scope["http_version"] != "1.0"
            self.keep_alive = self.keep_alive and self._is_chunked
            parts += (b"transfer-encoding: chunked\r\n",) if self._is_chunked else ()
        self.keep_alive = self.keep_alive and not lines.says_close
        if not self.keep_alive and not lines.says_close:
            parts.append(b"connection: close\r\n")
        self.has_begun = True
        self.awaits_continue = False
        self._has_length = has_length
        parts.append(b"\r\n")
        head = b"".join(parts)
        if has_length:
            self._head = head  # its body comes at once, and one packet has both
        else:
            self._wire.write(head)

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self._scope["method"] == "HEAD":
            self._bytes_left = 0
            self._write_with_head(b"")
        elif self._is_chunked:
            data = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._wire.write(data if more else data + b"0\r\n\r\n")
        else:
            if self._has_length and len(body) > self._bytes_left:
                raise RuntimeError("the response is longer than its content-length says")
            self._bytes_left -= len(body) if self._has_length else 0
            self._write_with_head(body)
        if more:
            return
        if self._bytes_left:
            raise RuntimeError("the response is shorter than its content-length says")
        self.has_ended = True
        self._changed.set()
        if not self.keep_alive:
            self._wire.close()
        self._wire.response_ended(self)


class _HeaderLines(NamedTuple):
    text: bytes
    length: int | None
    """What the content-length says."""
    says_close: bool


@lru_cache(maxsize=256)
def _lines_of(headers: tuple[tuple[bytes, bytes], ...]) -> _HeaderLines:
    """Remembered: most responses have the same headers as the one before. Raises ValueError for what is none."""
    lines: list[bytes] = []
    length, says_close = None, False
    for name, value in headers:
        lower = name.lower()
        if _NO_HEADER_NAME.search(lower) or _NO_HEADER_VALUE.search(value):
            raise ValueError(f"{name!r} cannot be sent as a header with {value!r}")
        if lower == b"content-length":
            length = int(value)
        elif lower == b"connection" and b"close" in value.lower():
            says_close = True
        lines += (lower, b": ", value, b"\r\n")
    return _HeaderLines(b"".join(lines), length, says_close)


@lru_cache(maxsize=100)
def _status_line(status: int) -> bytes:
    known = {one.value: one.phrase for one in HTTPStatus}
    return f"HTTP/1.1 {status} {known.get(status, '')}\r\n".encode()


@lru_cache(maxsize=2)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
