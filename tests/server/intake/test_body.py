"""What is read of any post."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from procession.errors import PayloadTooLarge
from procession.server.intake.body import api_key_of, headers_of, read_body
from procession.server.intake.quota import MemoryQuota


def a_request(*messages: Message, headers: list[tuple[bytes, bytes]] | None = None, query: bytes = b"") -> Request:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return Request({"type": "http", "headers": headers or [], "query_string": query}, receive)


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def body_of(request: Request, max_bytes: int = 100) -> bytes:
    with MemoryQuota(1000).reserve(1) as reservation:
        return asyncio.run(read_body(request, max_bytes, reservation))


def test_of_headers_that_come_twice_the_first_counts() -> None:
    request = a_request(headers=[(b"x-dd-host", b"web-1"), (b"dd-api-key", b"k\xe9y"), (b"x-dd-host", b"web-2")])

    found = headers_of(request)

    assert found == {"x-dd-host": "web-1", "dd-api-key": "k\xe9y"}
    assert all(request.headers[name] == value for name, value in found.items())


def test_a_key_is_in_the_headers_or_else_in_the_query() -> None:
    request = a_request(query=b"api_key=of-query")

    assert api_key_of(request, {"dd-api-key": "of-header"}) == "of-header"
    assert api_key_of(request, {}) == "of-query"


def test_a_body_that_comes_in_parts_is_read_whole() -> None:
    assert body_of(a_request(part(b"one ", more=True), part(b"", more=True), part(b"two", more=False))) == b"one two"


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    with pytest.raises(PayloadTooLarge):
        body_of(a_request(part(b"x" * 60, more=True), part(b"x" * 60, more=True)))


def test_a_client_that_leaves_has_sent_no_body() -> None:
    with pytest.raises(ClientDisconnect):
        body_of(a_request(part(b"one", more=True), {"type": "http.disconnect"}))
