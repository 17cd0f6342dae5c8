"""`/api/procession/v1/admin/users`: users who sign in with a password, for those who hold an admin key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.administration import revoke_keys_of
from procession.accounts.passwords import MAX_BYTES, checked_password
from procession.accounts.restriction import Restriction
from procession.accounts.users import (
    Role,
    User,
    change_user,
    create_user,
    remove_user,
    user_name,
)
from procession.server.access.key_cache import KeyCache
from procession.server.access.user_cache import UserCache
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import KeyStore, UserStore

_log = logging.getLogger(__name__)

PATH = "/api/procession/v1/admin/users"

_Text = Annotated[str, msgspec.Meta(max_length=MAX_BYTES)]


class _UserItem(msgspec.Struct):
    name: str
    org_id: int
    role: str
    created_at: int
    rows: str
    without_arguments: bool

    @classmethod
    def of(cls, user: User) -> _UserItem:
        return cls(user.name, user.org_id, str(user.role), user.created_at, *user.restriction)


class RestrictionBody(msgspec.Struct, forbid_unknown_fields=True):
    """A restriction as it is given in a request."""

    rows: _Text = ""
    without_arguments: bool = False

    def parsed(self) -> Restriction:
        return Restriction.parse(self.rows, without_arguments=self.without_arguments)


class _NewUser(RestrictionBody, forbid_unknown_fields=True, kw_only=True):
    org_id: int
    name: _Text
    role: Role
    password: _Text


class _UserChange(msgspec.Struct, forbid_unknown_fields=True):
    role: Role | None = None
    password: _Text | None = None
    restriction: RestrictionBody | None = None


def user_routes(
    *,
    store: UserStore,
    orgs: KeyStore,
    users: UserCache,
    keys: KeyCache,
    changes: ChangeRecorder,
    thread: ThreadPool,
    now: Callable[[], int],
) -> list[Route]:
    """`thread` has to be a single one: changes are made one after the other."""
    admin = UserAdministration(store, orgs, users, keys, changes, thread, now)
    return [
        Route(PATH, admin.list_users, methods=["GET"]),
        Route(PATH, admin.add_user, methods=["POST"]),
        Route(f"{PATH}/{{name}}", admin.change_user, methods=["PATCH"]),
        Route(f"{PATH}/{{name}}", admin.drop_user, methods=["DELETE"]),
    ]


class UserAdministration:
    """Each handler wants an admin key, and logs what it changed."""

    def __init__(
        self,
        store: UserStore,
        orgs: KeyStore,
        users: UserCache,
        keys: KeyCache,
        changes: ChangeRecorder,
        thread: ThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._orgs = orgs
        self._users = users
        self._keys = keys
        self._changes = changes
        self._thread = thread
        self._now = now

    async def list_users(self, request: Request) -> Response:
        await self._keys.require_admin(request.headers)
        return json_response({"users": [_UserItem.of(user) for user in await self._thread.run(self._store.users)]})

    async def add_user(self, request: Request) -> Response:
        admin = await self._keys.require_admin(request.headers)
        body = await parsed_body(request, _NewUser)
        name = user_name(body.name)
        password_hash = await self._users.hashed(checked_password(body.password))
        record = partial(self._changes.record_user, admin)

        restriction = body.parsed()

        def create() -> User:
            return create_user(
                self._store,
                self._orgs.orgs(),
                body.org_id,
                name,
                body.role,
                password_hash,
                self._now(),
                restriction=restriction,
                record=record,
            )

        user = await self._thread.run(create)
        _log_change("user-created", "made the user %(name)s", user)
        return await self._answer(user, 201)

    async def change_user(self, request: Request) -> Response:
        """Whose sessions end on this server at once, and within 5 s on others."""
        admin = await self._keys.require_admin(request.headers)
        name = request.path_params["name"]
        body = await parsed_body(request, _UserChange)
        password_hash = None
        if body.password is not None:
            password_hash = await self._users.hashed(checked_password(body.password))
        restriction = None if body.restriction is None else body.restriction.parsed()
        record = partial(self._changes.record_user, admin)

        def change() -> User:
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
        return await self._answer(user)

    async def drop_user(self, request: Request) -> Response:
        """The same for one who was removed, whose keys end likewise."""
        admin = await self._keys.require_admin(request.headers)
        name = request.path_params["name"]

        def remove() -> User:
            user = remove_user(self._store, name, self._now(), record=partial(self._changes.record_user, admin))
            revoke_keys_of(self._orgs, user, self._now(), record=partial(self._changes.record_key, admin))
            return user

        user = await self._thread.run(remove)
        _log_change("user-removed", "removed the user %(name)s", user)
        return await self._answer(user)

    async def _answer(self, user: User, status: int = 200) -> Response:
        """Once this server knows."""
        await self._users.reload()
        await self._keys.reload()
        return json_response({"user": _UserItem.of(user)}, status)


def _log_change(event: str, message: str, user: User) -> None:
    _log.info(message, {"event": event, "name": user.name, "role": str(user.role), "org_id": user.org_id})
