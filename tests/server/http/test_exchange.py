"""What of a response is written, and when."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from procession.server.http.exchange import WHEN_LEFT, Exchange


class Writes:
    """A Wire that remembers what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    async def drain(self) -> None:
        """Whoever reads is quick."""

    def pause_reading(self) -> None:
        """There is nothing to read."""

    resume_reading = pause_reading

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def response_ended(self, exchange: Exchange) -> None:
        """The next request may be answered."""


def written_for(*messages: dict[str, object], method: str = "GET") -> Writes:
    """By an application that sends these, and then ends."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    wire = Writes()
    scope = {"method": method, "path": "/", "http_version": "1.1"}
    asyncio.run(Exchange(scope, wire, keep_alive=True, expects_continue=False).run(app))
    return wire


def start(*headers: tuple[bytes, bytes]) -> dict[str, object]:
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


def body(data: bytes, *, more: bool = False) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def test_a_head_is_written_together_with_a_body_of_known_length() -> None:
    wire = written_for(start((b"Content-Length", b"5")), body(b"he", more=True), body(b"llo"))

    assert [data[-9:] for data in wire.written] == [b": 5\r\n\r\nhe", b"llo"]
    assert wire.written[0].startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_head_without_a_length_does_not_wait_for_its_body() -> None:
    wire = written_for(start(), body(b"hello"))

    assert wire.written[0].endswith(b"transfer-encoding: chunked\r\n\r\n")
    assert wire.written[1:] == [b"5\r\nhello\r\n0\r\n\r\n"]


def test_a_head_alone_is_written_where_nothing_else_was_asked_for() -> None:
    (head,) = written_for(start((b"content-length", b"5")), body(b"hello"), method="HEAD").written

    assert head.endswith(b"content-length: 5\r\n\r\n")


def test_a_head_whose_body_does_not_come_is_written_before_the_end() -> None:
    wire = written_for(start((b"content-length", b"5")))

    assert [data.endswith(b"content-length: 5\r\n\r\n") for data in wire.written] == [True]
    assert wire.is_closed


@pytest.mark.parametrize("_turn", range(2))
def test_a_header_that_cannot_be_one_is_refused_each_time(_turn: int) -> None:
    wire = written_for(start((b"x-a", b"1\r\nx-b: 2")), body(b""))

    assert [data[:12] for data in wire.written] == [b"HTTP/1.1 500"]
    assert wire.is_closed


def left_while(*, is_read: bool, before: bool = False) -> tuple[bool, list[str]]:
    """Whether somebody who asks for it is told that the client disconnects, and what happens then: before he asks, or
    while the application works."""
    happened: list[str] = []
    answers: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if before:
            exchange.disconnect()
        answers.append(scope[WHEN_LEFT](lambda: happened.append("left")))
        await asyncio.sleep(0)
        exchange.disconnect()
        await asyncio.sleep(0)

    exchange = Exchange({"method": "GET", "path": "/"}, Writes(), keep_alive=True, expects_continue=False)
    if is_read:
        exchange.end_body()
    asyncio.run(exchange.run(app))
    return answers[0], happened


def test_who_asks_is_told_that_the_client_has_left() -> None:
    assert left_while(is_read=True) == (True, ["left"])


def test_who_asks_when_the_client_has_left_is_told_at_once() -> None:
    told, happened = left_while(is_read=True, before=True)

    assert told
    assert happened[0] == "left"


def test_nobody_is_told_while_there_is_more_to_read() -> None:
    assert left_while(is_read=False) == (False, [])


def test_who_takes_it_back_is_not_told() -> None:
    happened: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope[WHEN_LEFT](lambda: happened.append("left"))
        scope[WHEN_LEFT](None)
        exchange.disconnect()
        await asyncio.sleep(0)

    exchange = Exchange({"method": "GET", "path": "/"}, Writes(), keep_alive=True, expects_continue=False)
    exchange.end_body()
    asyncio.run(exchange.run(app))

    assert happened == []
