"""`/api/procession/v1/admin/...`: orgs, keys and the tags of hosts, for those who hold an admin key."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.administration import create_key, create_org, revoke_key
from procession.errors import InvalidParameter, InvalidRequest
from procession.hosts import HostTags
from procession.orgs import Key, KeyKind, Org
from procession.server.access.key_cache import KeyCache
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.fair_pool import Threads
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.storage import HostStore, KeyStore
from procession.whole_number import whole_number

_log = logging.getLogger(__name__)

PREFIX = "/api/procession/v1/admin"


class _OrgView(msgspec.Struct):
    id: int
    name: str

    @classmethod
    def of(cls, org: Org) -> _OrgView:
        return cls(org.id, org.name)


class _KeyView(msgspec.Struct):
    id: str
    org_id: int
    kind: str
    name: str
    created_at: int
    revoked_at: int | None

    @classmethod
    def of(cls, key: Key) -> _KeyView:
        return cls(key.id, key.org_id, key.kind.value, key.name, key.created_at, key.revoked_at)


class _HostTagsView(msgspec.Struct):
    org_id: int
    host: str
    source: str
    tags: tuple[str, ...]

    @classmethod
    def of(cls, entry: HostTags) -> _HostTagsView:
        return cls(entry.org_id, entry.host, entry.source.value, entry.tags)


class _HostTagsChange(msgspec.Struct, forbid_unknown_fields=True):
    org_id: int
    host: str
    add: list[str] = []
    remove: list[str] = []


class _NewOrg(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class _NewKey(msgspec.Struct, forbid_unknown_fields=True):
    org_id: int
    kind: KeyKind
    name: str


def admin_routes(
    *,
    store: KeyStore,
    hosts: HostStore,
    host_tags: HostTagCache,
    keys: KeyCache,
    thread: Threads,
    now: Callable[[], int],
) -> list[Route]:
    """`thread` has to be a single one: changes are made one after the other."""

    async def list_orgs(request: Request) -> Response:
        await keys.require_admin(request.headers)
        orgs = await thread.run(store.orgs)
        return json_response({"orgs": [_OrgView.of(org) for org in sorted(orgs, key=lambda org: org.id)]})

    async def add_org(request: Request) -> Response:
        await keys.require_admin(request.headers)
        body = await parsed_body(request, _NewOrg)
        org = await thread.run(lambda: create_org(store, body.name))
        _log.info("made the org %(name)r", {"event": "org-created", "org_id": org.id, "name": org.name})
        return json_response({"org": _OrgView.of(org)}, 201)

    async def list_keys(request: Request) -> Response:
        await keys.require_admin(request.headers)
        org_id = _org_id(request)
        found = [key for key in await thread.run(store.keys) if org_id in (None, key.org_id)]
        found.sort(key=lambda key: (key.created_at, key.id))
        return json_response({"keys": [_KeyView.of(key) for key in found]})

    async def add_key(request: Request) -> Response:
        await keys.require_admin(request.headers)
        body = await parsed_body(request, _NewKey)
        key, secret = await thread.run(lambda: create_key(store, body.org_id, body.kind, body.name, now()))
        _log.info("made the %(kind)s key %(key_id)s, %(name)r, of org %(org_id)d", _about("key-created", key))
        await keys.retake()
        return json_response({"key": _KeyView.of(key), "secret": secret}, 201, {"cache-control": "no-store"})

    async def drop_key(request: Request) -> Response:
        await keys.require_admin(request.headers)
        key_id = request.path_params["key_id"]
        key = await thread.run(lambda: revoke_key(store, key_id, now()))
        _log.info("revoked the %(kind)s key %(key_id)s, %(name)r, of org %(org_id)d", _about("key-revoked", key))
        await keys.retake()
        return json_response({"key": _KeyView.of(key)})

    async def list_host_tags(request: Request) -> Response:
        await keys.require_admin(request.headers)
        org_id = _org_id(request)
        found = [entry for entry in await thread.run(hosts.host_tags) if org_id in (None, entry.org_id)]
        found.sort(key=lambda entry: (entry.org_id, entry.host, entry.source.value))
        return json_response({"host_tags": [_HostTagsView.of(entry) for entry in found]})

    async def change_host_tags(request: Request) -> Response:
        await keys.require_admin(request.headers)
        body = await parsed_body(request, _HostTagsChange)
        if all(org.id != body.org_id for org in await thread.run(store.orgs)):
            raise InvalidRequest(f"There is no org {body.org_id}")
        entry = await host_tags.change(body.org_id, body.host, body.add, body.remove)
        fields = {"event": "host-tagged", "org_id": entry.org_id, "host": entry.host, "tags": list(entry.tags)}
        _log.info("the tags given to %(host)r are %(tags)s", fields)
        return json_response({"host_tags": _HostTagsView.of(entry)})

    return [
        Route(f"{PREFIX}/hosts/tags", list_host_tags, methods=["GET"]),
        Route(f"{PREFIX}/hosts/tags", change_host_tags, methods=["POST"]),
        Route(f"{PREFIX}/orgs", list_orgs, methods=["GET"]),
        Route(f"{PREFIX}/orgs", add_org, methods=["POST"]),
        Route(f"{PREFIX}/keys", list_keys, methods=["GET"]),
        Route(f"{PREFIX}/keys", add_key, methods=["POST"]),
        Route(f"{PREFIX}/keys/{{key_id}}/revoke", drop_key, methods=["POST"]),
    ]


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
