"""`/api/procession/v1/users`: the users of an org, for its admins."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.administration import revoke_keys_of
from procession.accounts.orgs import Key
from procession.accounts.passwords import MAX_BYTES, checked_password
from procession.accounts.scopes import Scope
from procession.accounts.users import (
    Role,
    User,
    change_user,
    create_user,
    end_sessions,
    find_user,
    remove_user,
    user_name,
)
from procession.errors import Forbidden, InvalidRequest, NotFound
from procession.server.access.key_cache import KeyCache
from procession.server.access.sessions import Sessions
from procession.server.access.user_cache import UserCache
from procession.server.api.administration.users import RestrictionBody
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.audit.note import note_change
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import KeyStore, UserStore

_log = logging.getLogger(__name__)

PATH = f"{PREFIX}/users"

_Text = Annotated[str, msgspec.Meta(max_length=MAX_BYTES)]


class _OrgUserItem(msgspec.Struct):
    name: str
    role: str
    created_at: int
    sessions: int
    """How many the user has."""
    is_you: bool
    rows: str
    without_arguments: bool
    issuer: str | None
    """Of the provider by which the user signs in, who then has no password here."""


class _NewOrgUser(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text
    role: Role
    password: _Text


class _OrgUserChange(msgspec.Struct, forbid_unknown_fields=True):
    role: Role | None = None
    password: _Text | None = None
    restriction: RestrictionBody | None = None


class OrgUsers:
    """Each handler wants the scope, sees the users of the reader's org alone, and lets auditors be."""

    def __init__(
        self,
        api: ApiRouter,
        sessions: Sessions,
        store: UserStore,
        orgs: KeyStore,
        users: UserCache,
        keys: KeyCache,
        changes: ChangeRecorder,
        thread: ThreadPool,
        now: Callable[[], int],
    ) -> None:
        """`thread` has to be a single one: changes are made one after the other."""
        self._api = api
        self._sessions = sessions
        self._store = store
        self._orgs = orgs
        self._users = users
        self._keys = keys
        self._changes = changes
        self._thread = thread
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.list_users, methods=["GET"]),
            Route(PATH, self.add_user, methods=["POST"]),
            Route(f"{PATH}/{{name}}", self.change_user, methods=["PATCH"]),
            Route(f"{PATH}/{{name}}", self.drop_user, methods=["DELETE"]),
            Route(f"{PATH}/{{name}}/sessions", self.end_sessions, methods=["DELETE"]),
        ]

    async def list_users(self, request: Request) -> Response:
        """By name, auditors too."""
        reader = await self._admin(request)
        found = [user for user in await self._thread.run(self._store.users) if user.org_id == reader.org_id]
        counts = Counter(key.id for _, key in await self._sessions.in_force())
        return json_response({"users": [_item(user, reader, counts[user.id]) for user in found]})

    async def add_user(self, request: Request) -> Response:
        admin = await self._admin(request)
        body = await parsed_body(request, _NewOrgUser)
        _refuse_auditor(body.role)
        name = user_name(body.name)
        password_hash = await self._users.hashed(checked_password(body.password))
        record = partial(self._changes.record_user, admin)

        def create() -> User:
            orgs = self._orgs.orgs()
            return create_user(
                self._store, orgs, admin.org_id, name, body.role, password_hash, self._now(), record=record
            )

        user = await self._thread.run(create)
        _log_change("user-created", "made the user %(name)s", user)
        return await self._answer(user, admin, 201)

    async def change_user(self, request: Request) -> Response:
        """Whose sessions end on this server at once, and within 5 s on others."""
        admin = await self._admin(request)
        name = request.path_params["name"]
        body = await parsed_body(request, _OrgUserChange)
        if body.role is None and body.password is None and body.restriction is None:
            raise InvalidRequest("Give another role, password or restriction, or several of them")
        if body.role is not None:
            _refuse_auditor(body.role)
        restriction = None if body.restriction is None else body.restriction.parsed()
        await self._thread.run(lambda: self._found(admin, name))
        password_hash = None
        if body.password is not None:
            password_hash = await self._users.hashed(checked_password(body.password))
        record = partial(self._changes.record_user, admin)

        def change() -> User:
            self._found(admin, name)
            return change_user(
                self._store,
                name,
                role=body.role,
                restriction=restriction,
                password_hash=password_hash,
                record=record,
            )

        user = await self._thread.run(change)
        _log_change("user-changed", "changed the user %(name)s", user)
        return await self._answer(user, admin)

    async def drop_user(self, request: Request) -> Response:
        """The same for one who was removed, whose keys end likewise."""
        admin = await self._admin(request)
        name = request.path_params["name"]

        def remove() -> User:
            self._found(admin, name)
            user = remove_user(self._store, name, self._now(), record=partial(self._changes.record_user, admin))
            revoke_keys_of(self._orgs, user, self._now(), record=partial(self._changes.record_key, admin))
            return user

        user = await self._thread.run(remove)
        _log_change("user-removed", "removed the user %(name)s", user)
        await self._reload()
        return Response(status_code=204)

    async def end_sessions(self, request: Request) -> Response:
        """Of a user, wherever they were begun; keys stay."""
        admin = await self._admin(request)
        name = request.path_params["name"]

        def end() -> None:
            user = self._found(admin, name)
            note_change("sessions", user.name, "ended", org_id=user.org_id)
            end_sessions(self._store, name)

        await self._thread.run(end)
        await self._reload()
        return Response(status_code=204)

    async def _admin(self, request: Request) -> Key:
        key = await self._sessions.key_with(Scope.USER_ACCESS_MANAGE, request)
        self._api.count(request, key.org_id)
        return key

    def _found(self, admin: Key, name: str) -> User:
        """A user who may be changed. Raises NotFound, Forbidden."""
        user = find_user(self._store, name)
        if user.org_id != admin.org_id:
            raise NotFound(f"There is no user {name[:100]}")
        _refuse_auditor(user.role)
        return user

    async def _answer(self, user: User, admin: Key, status: int = 200) -> Response:
        """Once this server knows."""
        await self._reload()
        return json_response({"user": _item(user, admin, 0)}, status)

    async def _reload(self) -> None:
        await self._users.reload()
        await self._keys.reload()


def _item(user: User, reader: Key, sessions: int) -> _OrgUserItem:
    issuer = None if user.identity is None else user.identity.issuer
    is_you = user.id == reader.id
    return _OrgUserItem(user.name, str(user.role), user.created_at, sessions, is_you, *user.restriction, issuer)


def _refuse_auditor(role: Role) -> None:
    if role is Role.AUDITOR:
        raise Forbidden(
            "Auditors watch admins, who can neither make nor change them: call `procession users` on the machine of the"
            " server"
        )


def _log_change(event: str, message: str, user: User) -> None:
    _log.info(message, {"event": event, "name": user.name, "role": str(user.role), "org_id": user.org_id})
