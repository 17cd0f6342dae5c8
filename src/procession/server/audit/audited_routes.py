"""Routes whose requests leave a record in the audit trail."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response

from procession.audit import AuditEntry, AuditWriter, Who
from procession.errors import RequestError, TooManyRequests, Unavailable
from procession.server.access.trusted_proxies import TrustedProxies
from procession.server.audit.note import CURRENT, AuditNote

QUESTIONS = frozenset(
    (
        "/api/v1/monitor/validate",
        "/api/v1/monitor/{monitor_id}/validate",
        "/api/v2/query/scalar",
        "/api/v2/query/timeseries",
        "/api/procession/v1/monitors/backtest",
        "/api/procession/v1/watch",
    )
)
"""Routes that take a question as a body, by POST, and change nothing."""

SIGN_IN_BY_PROVIDER = "/signin/oidc/{provider}/callback"
"""To where a browser is sent back by GET: it begins a session, and may make a user."""

SIGN_OUT = ("DELETE", "/api/procession/v1/session")
"""To end a session takes a right away, so that it is never refused."""

EXPORTED_ROWS = 1000
"""A page of Procession's API with so many rows or more is an export: no screen shows them. Clients of Datadog's API,
and `procession ps` among them, read in pages of any size."""

CHANGES_PER_MINUTE = 1000
"""By one key."""

CLIENT_LEFT = 499
"""In place of a status, as proxies write it."""

WRITE_SECONDS = 10.0
"""How long a change or an export waits for its record."""

_LIMIT = re.compile(rb"(?:^|&)(?:page%5[Bb]limit%5[Dd]|page\[limit\])=0*([1-9][0-9]{3,8})(?=&|$)")

Endpoint = Callable[[Request], Awaitable[Response]]


def audited(routes: Sequence[Route], writer: AuditWriter | None, *, proxies: TrustedProxies) -> Sequence[Route]:
    """The same routes. Without a writer nothing is recorded."""
    if writer is not None:
        changes = _Changes()
        for route in routes:
            audit = _Audit(writer, changes, route.path, route.endpoint, proxies)
            route.app = request_response(audit.answer)
    return routes


def changes_something(method: str, path: str) -> bool:
    return path == SIGN_IN_BY_PROVIDER or (method not in ("GET", "HEAD") and path not in QUESTIONS)


class _Changes:
    """Counts the changes that each key asks for: each makes two records and a sync, also where it is refused then."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts = Counter[Who | None]()

    def count(self, who: Who | None, at: float) -> None:
        """Raises TooManyRequests for one too many."""
        if (minute := int(at // 60)) != self._minute:
            self._minute, self._counts = minute, Counter()
        self._counts[who] += 1
        if self._counts[who] > CHANGES_PER_MINUTE:
            raise TooManyRequests(f"More than {CHANGES_PER_MINUTE} changes in a minute by one key")


class _Audit:
    """Of one route."""

    def __init__(
        self, writer: AuditWriter, changes: _Changes, path: str, endpoint: Endpoint, proxies: TrustedProxies
    ) -> None:
        self._writer = writer
        self._changes = changes
        self._path = path
        self._endpoint = endpoint
        self._proxies = proxies

    async def answer(self, request: Request) -> Response:
        at = time.time()
        if changes_something(request.method, self._path):
            return await self._change(request, at)
        note = AuditNote()
        is_export = _is_export(request, self._path)
        if is_export:
            self._writer.require_writable()
        response = await self._answer(request, note, at, is_noted=not is_export)
        if is_export:
            await self._written(self._entry(request, note, at, response.status_code, is_question=False))
        return response

    async def _change(self, request: Request, at: float) -> Response:
        """What is about to be done, and by whom, is on the disk before it is done."""

        async def on_identified(note: AuditNote) -> None:
            self._changes.count(note.who, at)
            note.intent = await self._written(self._entry(request, note, at, None, is_question=False))

        if (request.method, self._path) == SIGN_OUT:
            return await self._answer(request, AuditNote(), at, is_noted=True)
        self._writer.require_writable()
        return await self._answer(request, AuditNote(on_identified), at, is_noted=True)

    async def _answer(self, request: Request, note: AuditNote, at: float, *, is_noted: bool) -> Response:
        """`is_noted`: also where all went well; else whoever calls sees to that."""
        token = CURRENT.set(note)
        status = 500
        try:
            response = await self._endpoint(request)
        except RequestError as error:
            status = error.status
            raise
        except asyncio.CancelledError:
            status = CLIENT_LEFT
            raise
        else:
            status = response.status_code
            return response
        finally:
            CURRENT.reset(token)
            if is_noted or status >= 300:
                # What was refused before anything was done may be asked a thousand times.
                is_question = note.intent is None and not note.changes
                self._writer.note(self._entry(request, note, at, status, is_question=is_question))

    async def _written(self, entry: AuditEntry) -> int:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._writer.write(entry)), WRITE_SECONDS)
        except TimeoutError:
            raise Unavailable(f"The audit trail was not written within {WRITE_SECONDS:.0f} s; try again") from None

    def _entry(
        self, request: Request, note: AuditNote, at: float, status: int | None, *, is_question: bool
    ) -> AuditEntry:
        return AuditEntry(
            at=at,
            who=note.who,
            address=self._proxies.name_of_client(request),
            method=request.method,
            route=self._path,
            path=request.path_params,
            query=request.scope["query_string"],
            body=note.body if self._path in QUESTIONS else b"",
            status=status,
            rows=None if changes_something(request.method, self._path) else note.rows,
            changes=note.changes,
            intent=note.intent,
            is_question=is_question,
        )


def _is_export(request: Request, path: str) -> bool:
    if not path.startswith("/api/procession/"):
        return False
    found = _LIMIT.search(request.scope["query_string"])
    return found is not None and int(found[1]) >= EXPORTED_ROWS
