"""`/api/procession/v1/sessions`: who is signed in where, and how somebody ends what they began or no longer trust."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.orgs import Key
from procession.accounts.restriction import Restricted
from procession.accounts.scopes import Scope
from procession.accounts.sessions import Session
from procession.accounts.users import Role, is_user
from procession.errors import Forbidden, NotFound
from procession.server.access.sessions import Sessions, has_keys
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.responses import json_response

_ID_DIGITS = 16
"""So many of the hash of a token name its session; the token cannot be told from them."""


class _SessionItem(msgspec.Struct):
    id: str
    name: str
    """Of the user, or of the key that it comes from."""
    is_user: bool
    created_at: int
    expires_at: int
    is_this: bool
    """Whether it is the one that asks."""


def session_list_routes(api: ApiRouter, sessions: Sessions) -> list[Route]:
    listed = SessionList(api, sessions)
    path = f"{PREFIX}/sessions"
    return [
        Route(path, listed.show, methods=["GET"]),
        Route(f"{path}/{{session_id}}", listed.end, methods=["DELETE"]),
    ]


class SessionList:
    """Everybody has those of the same key or user; a user who is an admin has all of the org, but ends none of who
    watches admins."""

    def __init__(self, api: ApiRouter, sessions: Sessions) -> None:
        self._api = api
        self._sessions = sessions

    async def show(self, request: Request) -> Response:
        found = await self._of_reader(await self._reader(request))
        own = None if has_keys(request.headers) else await self._sessions.find(request)
        items = [
            _SessionItem(
                _id_of(session), key.name, is_user(key), session.created_at, session.expires_at, session == own
            )
            for session, key in found
        ]
        return json_response({"sessions": items})

    async def end(self, request: Request) -> Response:
        wanted = request.path_params["session_id"]
        reader = await self._reader(request)
        found = next((one for one in await self._of_reader(reader) if _id_of(one[0]) == wanted), None)
        if found is None:
            raise NotFound("There is no such session")
        session, key = found
        if key.id != reader.id and Scope.AUDIT_READ in key.scopes:
            raise Forbidden("Forbidden: who watches admins is not signed out by them")
        await self._sessions.end(session)
        return Response(status_code=204)

    async def _reader(self, request: Request) -> Key:
        reader = await self._sessions.reader(request, Restricted.ALL)
        self._api.count(request, reader.org_id)
        return reader

    async def _of_reader(self, reader: Key) -> list[tuple[Session, Key]]:
        """The oldest first."""
        is_admin = is_user(reader) and reader.scopes == Role.ADMIN.scopes
        return [
            (session, key)
            for session, key in await self._sessions.in_force()
            if key.org_id == reader.org_id and (is_admin or key.id == reader.id)
        ]


def _id_of(session: Session) -> str:
    return session.token_hash.hex()[:_ID_DIGITS]
