"""Who changed monitors, channels, downtimes and keys, for keys that may read that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.change import Change, ChangeKind
from procession.accounts.scopes import Scope
from procession.errors import InvalidParameter
from procession.server.access.sessions import Sessions
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.responses import json_response
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import ChangeStore
from procession.text.whole_number import moment_parameter, number_parameter
from procession.window import Window

MAX_CHANGES = 1000
DEFAULT_SECONDS = 7 * 86400


class _Author(msgspec.Struct):
    key_id: str
    name: str


class _ChangeItem(msgspec.Struct):
    id: str
    at: int
    kind: str
    subject: str
    action: str
    by: _Author
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @classmethod
    def of(cls, one: Change) -> _ChangeItem:
        by = _Author(one.author.key_id, one.author.name)
        return cls(one.id, one.at, str(one.kind), one.subject, str(one.action), by, one.before, one.after)


class ChangeList:
    def __init__(
        self, api: ApiRouter, sessions: Sessions, store: ChangeStore, threads: FairThreadPool, now: Callable[[], int]
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._store = store
        self._threads = threads
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [Route(f"{PREFIX}/changes", self.list_all, methods=["GET"])]

    async def list_all(self, request: Request) -> Response:
        """The newest first."""
        key = await self._sessions.key_with(Scope.AUDIT_LOGS_READ, request)
        self._api.count(request, key.org_id)
        parameters = parse_parameters(request.scope["query_string"])
        window = self._window(parameters)
        limit = number_parameter("limit", parameters.get("limit", "100"), least=1, most=MAX_CHANGES)
        kind, subject = _kind(parameters), parameters.get("subject")
        found = await self._threads.run(
            key.org_id, lambda: self._store.changes(key.org_id, window, limit, kind, subject)
        )
        return json_response({"changes": [_ChangeItem.of(one) for one in found]})

    def _window(self, parameters: Mapping[str, str]) -> Window:
        """The last week, unless it is said."""
        now = self._now()
        from_at = moment_parameter("from", parameters.get("from", str(now - DEFAULT_SECONDS)))
        to_at = moment_parameter("to", parameters.get("to", str(now)))
        if from_at > to_at:
            raise InvalidParameter("from", "it is after to")
        return Window(min(max(from_at, 0), now), min(max(to_at, 0), now))


def _kind(parameters: Mapping[str, str]) -> ChangeKind | None:
    text = parameters.get("kind")
    if text is not None and text not in tuple(ChangeKind):
        raise InvalidParameter("kind", f"it is none of {', '.join(ChangeKind)}")
    return None if text is None else ChangeKind(text)
