"""Procession's API, `/api/procession/v1/…`: what all of its calls have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.accounts.visibility import Visibility
from procession.paging import Page
from procession.query import ProcessQuery
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.access.shared_answers import EncodedAnswer, SharedAnswers, SharedQuestion, accepted_age
from procession.server.api.request import ApiRequest
from procession.server.audit.note import note_answer, note_rows, noted_rows
from procession.server.http.compression import takes_gzip
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.thread_pools import FairThreadPool

PREFIX = "/api/procession/v1"
RATE_LIMIT_NAME = "procession"

_ENCODER = msgspec.json.Encoder()


def _with_hints(request: ApiRequest, found: Any) -> Any:
    """The answer with hints in its `meta`, if there are any. An answer of bytes has them already."""
    if isinstance(found, dict) and "meta" in found and (hints := request.hints(_is_anything_in(found))):
        return {**found, "meta": {**found["meta"], "hints": hints}}
    return found


def _is_anything_in(found: Mapping[str, Any]) -> bool:
    """Whether an answer has anything in it; a comparison must have something on both sides."""
    meta = found["meta"]
    if "left" in meta:
        return bool(meta["left"]["total"] and meta["right"]["total"])
    if "series" in found:
        return any(any(one.count) for one in found["series"])
    if "starts" in found:
        return any(found["starts"]) or any(found["ends"])
    if "trends" in found:
        return any(any(one.count.max) for one in found["trends"])
    return bool(meta.get("total", True))


class ApiRouter:
    """Makes routes of handlers: authenticate, count, parse, answer on a thread, encode."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        retention_hours: int,
        sighting_retention_hours: int,
        now: Callable[[], int],
        blind_hosts: Callable[[int], Mapping[str, int]],
        find_processes: Callable[[ProcessQuery], Page],
    ) -> None:
        """`blind_hosts` gives those of an org whose agents can read none of their processes, and how many those are."""
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads
        self._retention_hours = retention_hours
        self._sighting_retention_hours = sighting_retention_hours
        self._now = now
        self._blind_hosts = blind_hosts
        self._find_processes = find_processes
        self._shared = SharedAnswers()

    def route(self, path: str, answer: Callable[[ApiRequest], Any], honours: Restricted = Restricted.NOTHING) -> Route:
        """`answer` gives what is to be encoded, or bytes that are already. Readers who are restricted in more than it
        `honours` are refused."""

        async def respond(request: Request) -> Response:
            seconds = accepted_age(request.headers.get("cache-control", ""))
            if seconds:
                return await self._respond_shared(request, answer, seconds, honours)
            admitted = await self.admit(request, honours)
            return await self.respond(admitted.org_id, lambda: _with_hints(admitted, answer(admitted)))

        return Route(PREFIX + path, respond, methods=["GET"])

    async def _respond_shared(
        self, request: Request, answer: Callable[[ApiRequest], Any], seconds: float, honours: Restricted
    ) -> Response:
        """With what another reader who may see the same got so short a time ago. Only who makes the server work is
        counted."""
        visibility = await self._sessions.visibility_of(request, honours)
        question = SharedQuestion(visibility, request.url.path, request.scope["query_string"])
        found = self._shared.find(question, seconds)
        if found is None:
            self.count(request, visibility.org_id)
            asked = self._request_of(request, visibility)

            def encoded() -> EncodedAnswer:
                body = _encoded(_with_hints(asked, answer(asked)))
                return EncodedAnswer.of(body, noted_rows())

            found = self._shared.begin(question, lambda: self._threads.run(visibility.org_id, encoded))
        # The answer is for the others as well, if this reader goes away.
        shared = await asyncio.shield(found)
        note_rows(shared.rows)
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers = {"content-encoding": "gzip", "vary": "Accept-Encoding"}
            return Response(shared.compressed, headers=headers, media_type="application/json")
        return Response(shared.body, media_type="application/json")

    async def admit(self, request: Request, honours: Restricted = Restricted.NOTHING) -> ApiRequest:
        """Whose request it is, and its parameters. Raises Forbidden, TooManyRequests."""
        visibility = await self._sessions.visibility_of(request, honours)
        self.count(request, visibility.org_id)
        return self._request_of(request, visibility)

    async def admit_editor(self, request: Request) -> ApiRequest:
        """The same for what changes views. Raises Forbidden for a user who may not."""
        await self._sessions.refuse_viewers(request)
        return await self.admit(request)

    def _request_of(self, request: Request, visibility: Visibility) -> ApiRequest:
        return ApiRequest(
            visibility,
            parse_parameters(request.scope["query_string"]),
            request.path_params,
            self._now(),
            self._retention_hours,
            self._sighting_retention_hours,
            self._blind_hosts,
            self._find_processes,
        )

    def count(self, request: Request, org_id: int) -> None:
        """Raises TooManyRequests where it is one too many."""
        self._limiter.admit(request, org_id, RATE_LIMIT_NAME)

    async def respond(self, org_id: int, answer: Callable[[], Any]) -> Response:
        body = await self._threads.run(org_id, lambda: _encoded(answer()))
        return Response(body, media_type="application/json")


def _encoded(found: Any) -> bytes:
    note_answer(found)
    return found if isinstance(found, bytes) else _ENCODER.encode(found)
