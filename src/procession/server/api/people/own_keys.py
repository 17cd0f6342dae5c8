"""`/api/procession/v1/keys`: the keys of the user who is signed in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.administration import create_key, revoke_key
from procession.accounts.key_owners import keys_of_user
from procession.accounts.orgs import Key, KeyKind
from procession.accounts.scopes import Scope
from procession.accounts.users import User
from procession.errors import NotFound
from procession.server.access.key_cache import KeyCache
from procession.server.access.sessions import Sessions
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import KeyStore

_log = logging.getLogger(__name__)

PATH = f"{PREFIX}/keys"


class _OwnKeyItem(msgspec.Struct):
    id: str
    name: str
    scopes: list[str]
    """Those that it has now."""
    created_at: int
    expires_at: int | None
    last_used_at: int | None

    @classmethod
    def of(cls, key: Key, user: User, last_used_at: int | None = None) -> _OwnKeyItem:
        scopes = sorted(str(scope) for scope in key.scopes & user.as_key().scopes)
        return cls(key.id, key.name, scopes, key.created_at, key.expires_at, last_used_at)


class _NewOwnKey(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    scopes: list[Scope] = []
    expires_at: int | None = None


class OwnKeys:
    """Each handler wants a user who has signed in: what a key makes would outlive it."""

    def __init__(
        self,
        api: ApiRouter,
        sessions: Sessions,
        store: KeyStore,
        keys: KeyCache,
        changes: ChangeRecorder,
        thread: ThreadPool,
        now: Callable[[], int],
    ) -> None:
        """`thread` has to be a single one: changes are made one after the other."""
        self._api = api
        self._sessions = sessions
        self._store = store
        self._keys = keys
        self._changes = changes
        self._thread = thread
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.list_keys, methods=["GET"]),
            Route(PATH, self.add_key, methods=["POST"]),
            Route(f"{PATH}/{{key_id}}", self.drop_key, methods=["DELETE"]),
        ]

    async def list_keys(self, request: Request) -> Response:
        """Those that were not revoked, the oldest first."""
        user = await self._user(request)
        found = keys_of_user(await self._thread.run(self._store.keys), user)
        uses = await self._keys.uses.last()
        ordered = sorted(found, key=lambda key: (key.created_at, key.id))
        return json_response({"keys": [_OwnKeyItem.of(key, user, uses.get(key.id)) for key in ordered]})

    async def add_key(self, request: Request) -> Response:
        user = await self._user(request)
        body = await parsed_body(request, _NewOwnKey)
        record = partial(self._changes.record_key, user.as_key())

        def create() -> tuple[Key, str]:
            return create_key(
                self._store,
                user.org_id,
                KeyKind.APPLICATION,
                body.name,
                self._now(),
                scopes=body.scopes,
                owner=user,
                expires_at=body.expires_at,
                record=record,
            )

        key, secret = await self._thread.run(create)
        _log.info("made the %(kind)s key %(key_id)s, %(name)r, of org %(org_id)d", _about("key-created", key))
        await self._keys.reload()
        body_of_answer = {"key": _OwnKeyItem.of(key, user), "secret": secret}
        return json_response(body_of_answer, 201, {"cache-control": "no-store"})

    async def drop_key(self, request: Request) -> Response:
        user = await self._user(request)
        key_id = request.path_params["key_id"]
        record = partial(self._changes.record_key, user.as_key())

        def revoke() -> Key:
            if all(key.id != key_id for key in keys_of_user(self._store.keys(), user)):
                raise NotFound("You have no such key")
            return revoke_key(self._store, key_id, self._now(), record=record)

        key = await self._thread.run(revoke)
        _log.info("revoked the %(kind)s key %(key_id)s, %(name)r, of org %(org_id)d", _about("key-revoked", key))
        await self._keys.reload()
        return Response(status_code=204)

    async def _user(self, request: Request) -> User:
        user = await self._sessions.signed_in(request)
        self._api.count(request, user.org_id)
        return user


def _about(event: str, key: Key) -> dict[str, object]:
    return {"event": event, "key_id": key.id, "kind": key.kind.value, "name": key.name, "org_id": key.org_id}
