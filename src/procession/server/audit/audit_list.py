"""`GET /api/procession/v1/audit`: the audit trail of this server, for auditors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.scopes import Scope
from procession.audit import AuditFolder
from procession.audit.reading import AuditFilter, AuditPage, newest_records
from procession.errors import InvalidParameter, NotFound, Unavailable
from procession.server.access.sessions import Sessions
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.responses import json_response
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.thread_pools import FairThreadPool
from procession.text.whole_number import moment_parameter, number_parameter, whole_number

MAX_RECORDS = 1000
MAX_CHARACTERS = 1000
"""Of a text that is looked for."""


class AuditList:
    """Whoever has the scope sees what was asked and changed by keys of his org, what was changed of his org by others,
    and what befell the trail."""

    def __init__(self, api: ApiRouter, sessions: Sessions, folder: AuditFolder | None, threads: FairThreadPool) -> None:
        """`folder`: None where no trail is written."""
        self._api = api
        self._sessions = sessions
        self._folder = folder
        self._threads = threads

    @property
    def routes(self) -> list[Route]:
        return [Route(f"{PREFIX}/audit", self.list_records, methods=["GET"])]

    async def list_records(self, request: Request) -> Response:
        """The newest first."""
        key = await self._sessions.key_with(Scope.AUDIT_READ, request)
        self._api.count(request, key.org_id)
        parameters = parse_parameters(request.scope["query_string"])
        wanted = AuditFilter(
            since=_moment("from", parameters),
            until=_moment("to", parameters),
            who=_text("who", parameters),
            route=_text("route", parameters),
            text=_text("text", parameters),
            org_id=key.org_id,
        )
        limit = number_parameter("limit", parameters.get("limit", "100"), least=1, most=MAX_RECORDS)
        find = self._finder(wanted, _cursor(parameters), limit)
        page = await self._threads.run(key.org_id, find)
        after = "" if page.after is None else str(page.after)
        return json_response({"meta": {"page": {"after": after, "size": len(page.records)}}, "data": page.records})

    def _finder(self, wanted: AuditFilter, before: int | None, limit: int) -> Callable[[], AuditPage]:
        folder = self._folder
        if folder is None:
            raise NotFound("There is no audit trail: this server was started with --no-audit")

        def find() -> AuditPage:
            try:
                return newest_records(folder, wanted, before, limit)
            except OSError as error:
                raise Unavailable(f"The audit trail cannot be read: {(error.strerror or str(error)).lower()}") from None

        return find


def _moment(name: str, parameters: Mapping[str, str]) -> int | None:
    return moment_parameter(name, parameters[name]) if name in parameters else None


def _text(name: str, parameters: Mapping[str, str]) -> str:
    text = parameters.get(name, "")
    if len(text) > MAX_CHARACTERS:
        raise InvalidParameter(name, f"it has more than {MAX_CHARACTERS} characters")
    return text


def _cursor(parameters: Mapping[str, str]) -> int | None:
    """The number of the record before which the page begins."""
    text = parameters.get("page[cursor]", "")
    if not text:
        return None
    number = whole_number(text, 1, 10**15)
    if number is None:
        raise InvalidParameter("page[cursor]", "it is not from an answer of this route")
    return number
