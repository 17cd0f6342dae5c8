"""HTTP to the intake for many agents in one process: a connection each, kept open, one request at a time.

Apart from `http_client`, whose connections block a thread each: here hundreds share one event loop, and what an answer
costs is to be as little as can be, since the server often runs on the same cores.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import httptools

from procession.errors import UsageError
from procession.http_client import Endpoint, InvalidUrl

ANSWER_SECONDS = 20.0
"""As long as agents wait."""


class _Answers(asyncio.Protocol):
    """What comes back on one connection."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # of a socket, which can be written to

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._lose("it does not speak HTTP")

    def on_message_complete(self) -> None:
        """The parser's own name for the end of an answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())
        if not self._parser.should_keep_alive():
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(str(exc) if exc else "it closed the connection")

    def _lose(self, reason: str) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(reason))

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> int:
        if self._transport is None:
            raise ConnectionError("it closed the connection")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._transport = None


def endpoint_of(url: str) -> Endpoint:
    """Raises UsageError for what is no address of a server."""
    try:
        return Endpoint.of(url)
    except InvalidUrl:
        raise UsageError(f"{url!r} is no URL of a server; it looks like http://127.0.0.1:7171") from None


class Connection:
    """Posts to one server."""

    def __init__(self, server: Endpoint, headers: Mapping[str, str]) -> None:
        """`headers` go with every request."""
        self._server = server
        self._headers = {"Host": f"{server.host}:{server.port}", **headers}
        self._answers: _Answers | None = None

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status that it is answered with. Raises OSError where no answer comes."""
        return await self.send(self.request(path, body, headers))

    def request(self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> bytes:
        """The bytes to `send`."""
        lines = [f"{method} {self._server.prefix}{path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (self._headers | dict(headers)).items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body

    async def send(self, request: bytes) -> int:
        if self._answers is not None and self._answers.is_open:
            # One that was idle for long may have been closed under way.
            with contextlib.suppress(ConnectionError):
                return await self._ask(self._answers, request)
        server = self._server
        async with asyncio.timeout(ANSWER_SECONDS):
            _, self._answers = await asyncio.get_running_loop().create_connection(
                _Answers, server.host, server.port, ssl=server.is_secure or None
            )
        return await self._ask(self._answers, request)

    async def _ask(self, answers: _Answers, request: bytes) -> int:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answers.ask(request)
        except TimeoutError:
            self.close()
            raise

    def close(self) -> None:
        if self._answers is not None:
            self._answers.close()
        self._answers = None
