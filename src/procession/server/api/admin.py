"""`/api/procession/v1/admin/...`: keys and the tags of hosts, for those who hold an admin key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.administration import create_key, revoke_key
from procession.accounts.hosts import HostTags
from procession.accounts.key_owners import owner_kind, owner_name, owner_named
from procession.accounts.orgs import SERVICE_ACCOUNT, Key, KeyKind
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.errors import InvalidParameter, InvalidRequest
from procession.server.access.key_cache import KeyCache
from procession.server.audit.note import note_change
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import HostStore, KeyStore, UserStore
from procession.text.whole_number import whole_number

_log = logging.getLogger(__name__)

PREFIX = "/api/procession/v1/admin"


class _KeyItem(msgspec.Struct):
    id: str
    org_id: int
    kind: str
    name: str
    created_at: int
    revoked_at: int | None
    scopes: list[str]
    owner: str
    owner_kind: str
    expires_at: int | None
    last_used_at: int | None
    rows: str
    without_arguments: bool

    @classmethod
    def of(cls, key: Key, last_used_at: int | None = None) -> _KeyItem:
        return cls(
            key.id,
            key.org_id,
            key.kind.value,
            key.name,
            key.created_at,
            key.revoked_at,
            sorted(key.scopes),
            owner_name(key),
            owner_kind(key),
            key.expires_at,
            last_used_at,
            *key.restriction,
        )


class _HostTagsItem(msgspec.Struct):
    org_id: int
    host: str
    source: str
    tags: tuple[str, ...]

    @classmethod
    def of(cls, entry: HostTags) -> _HostTagsItem:
        return cls(entry.org_id, entry.host, entry.source.value, entry.tags)


class _HostTagsChange(msgspec.Struct, forbid_unknown_fields=True):
    org_id: int
    host: str
    add: list[str] = []
    remove: list[str] = []


class _NewKey(msgspec.Struct, forbid_unknown_fields=True):
    org_id: int
    kind: KeyKind
    name: str
    scopes: list[Scope] = []
    owner: str = SERVICE_ACCOUNT
    expires_at: int | None = None
    rows: str = ""
    without_arguments: bool = False


def admin_routes(
    *,
    store: KeyStore,
    users: UserStore,
    hosts: HostStore,
    host_tags: HostTagCache,
    keys: KeyCache,
    changes: ChangeRecorder,
    thread: ThreadPool,
    now: Callable[[], int],
) -> list[Route]:
    """`thread` has to be a single one: changes are made one after the other."""
    admin = Administration(store, users, hosts, host_tags, keys, changes, thread, now)
    return [
        Route(f"{PREFIX}/hosts/tags", admin.list_host_tags, methods=["GET"]),
        Route(f"{PREFIX}/hosts/tags", admin.change_host_tags, methods=["POST"]),
        Route(f"{PREFIX}/keys", admin.list_keys, methods=["GET"]),
        Route(f"{PREFIX}/keys", admin.add_key, methods=["POST"]),
        Route(f"{PREFIX}/keys/{{key_id}}/revoke", admin.drop_key, methods=["POST"]),
    ]


class Administration:
    """Each handler wants an admin key, and logs what it changed."""

    def __init__(
        self,
        store: KeyStore,
        users: UserStore,
        hosts: HostStore,
        host_tags: HostTagCache,
        keys: KeyCache,
        changes: ChangeRecorder,
        thread: ThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._users = users
        self._hosts = hosts
        self._host_tags = host_tags
        self._keys = keys
        self._changes = changes
        self._thread = thread
        self._now = now

    async def list_keys(self, request: Request) -> Response:
        await self._keys.require_admin(request.headers)
        org_id = _org_id(request)
        found = [key for key in await self._thread.run(self._store.keys) if org_id in (None, key.org_id)]
        found.sort(key=lambda key: (key.created_at, key.id))
        uses = await self._keys.uses.last()
        return json_response({"keys": [_KeyItem.of(key, uses.get(key.id)) for key in found]})

    async def add_key(self, request: Request) -> Response:
        admin = await self._keys.require_admin(request.headers)
        body = await parsed_body(request, _NewKey)
        record = partial(self._changes.record_key, admin)
        restriction = Restriction.parse(body.rows, without_arguments=body.without_arguments)

        def create() -> tuple[Key, str]:
            return create_key(
                self._store,
                body.org_id,
                body.kind,
                body.name,
                self._now(),
                scopes=body.scopes,
                owner=owner_named(body.owner, body.org_id, self._users.users()),
                expires_at=body.expires_at,
                restriction=restriction,
                record=record,
            )

        key, secret = await self._thread.run(create)
        _log.info("made the %(kind)s key %(key_id)s, %(name)r, of org %(org_id)d", _about("key-created", key))
        await self._keys.reload()
        return json_response({"key": _KeyItem.of(key), "secret": secret}, 201, {"cache-control": "no-store"})

    async def drop_key(self, request: Request) -> Response:
        admin = await self._keys.require_admin(request.headers)
        key_id = request.path_params["key_id"]
        record = partial(self._changes.record_key, admin)
        key = await self._thread.run(lambda: revoke_key(self._store, key_id, self._now(), record=record))
        _log.info("revoked the %(kind)s key %(key_id)s, %(name)r, of org %(org_id)d", _about("key-revoked", key))
        await self._keys.reload()
        return json_response({"key": _KeyItem.of(key)})

    async def list_host_tags(self, request: Request) -> Response:
        await self._keys.require_admin(request.headers)
        org_id = _org_id(request)
        found = [entry for entry in await self._thread.run(self._hosts.host_tags) if org_id in (None, entry.org_id)]
        found.sort(key=lambda entry: (entry.org_id, entry.host, entry.source.value))
        return json_response({"host_tags": [_HostTagsItem.of(entry) for entry in found]})

    async def change_host_tags(self, request: Request) -> Response:
        await self._keys.require_admin(request.headers)
        body = await parsed_body(request, _HostTagsChange)
        if all(org.id != body.org_id for org in await self._thread.run(self._store.orgs)):
            raise InvalidRequest(f"There is no org {body.org_id}")
        entry = await self._host_tags.change(body.org_id, body.host, body.add, body.remove)
        note_change("host_tags", entry.host, "changed", org_id=entry.org_id, after={"tags": list(entry.tags)})
        fields = {"event": "host-tagged", "org_id": entry.org_id, "host": entry.host, "tags": list(entry.tags)}
        _log.info("the tags given to %(host)r are %(tags)s", fields)
        return json_response({"host_tags": _HostTagsItem.of(entry)})


def _about(event: str, key: Key) -> dict[str, object]:
    return {"event": event, "key_id": key.id, "kind": key.kind.value, "name": key.name, "org_id": key.org_id}


def _org_id(request: Request) -> int | None:
    text = parse_parameters(request.scope["query_string"]).get("org_id")
    if text is None:
        return None
    org_id = whole_number(text)
    if org_id is None:
        raise InvalidParameter("org_id", "it is not a whole number")
    return org_id
