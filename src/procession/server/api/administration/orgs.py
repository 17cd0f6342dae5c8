"""`/api/procession/v1/admin/orgs`: orgs, for those who hold an admin key."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.administration import create_org, remove_org
from procession.accounts.orgs import Org, RemovedOrg
from procession.errors import InvalidRequest, NotFound
from procession.process import MAX_UINT32
from procession.server.access.key_cache import KeyCache
from procession.server.audit.note import note_change
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.runtime.orgs.removal_task import RemovalTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import ErasureStore, KeyStore
from procession.text.whole_number import whole_number

_log = logging.getLogger(__name__)

PATH = "/api/procession/v1/admin/orgs"


class _OrgItem(msgspec.Struct):
    id: int
    name: str

    @classmethod
    def of(cls, org: Org) -> _OrgItem:
        return cls(org.id, org.name)


class _RemovedOrgItem(msgspec.Struct):
    id: int
    name: str
    removed_at: int
    is_erased: bool

    @classmethod
    def of(cls, org: RemovedOrg) -> _RemovedOrgItem:
        return cls(org.id, org.name, org.removed_at, org.is_erased)


class _NewOrg(msgspec.Struct, forbid_unknown_fields=True):
    name: str


def org_routes(
    *,
    store: KeyStore,
    keys: KeyCache,
    erasure: ErasureStore,
    removals: RemovalTask,
    thread: ThreadPool,
    counting: ThreadPool,
    now: Callable[[], int],
) -> list[Route]:
    """`thread`: that on which keys are changed, too. `counting`: for what takes seconds."""
    admin = OrgAdministration(store, keys, erasure, removals, thread, counting, now)
    return [
        Route(PATH, admin.list_orgs, methods=["GET"]),
        Route(PATH, admin.add_org, methods=["POST"]),
        Route(f"{PATH}/{{org_id}}", admin.show_org, methods=["GET"]),
        Route(f"{PATH}/{{org_id}}", admin.drop_org, methods=["DELETE"]),
    ]


class OrgAdministration:
    """Each handler wants an admin key, and logs what it changed."""

    def __init__(
        self,
        store: KeyStore,
        keys: KeyCache,
        erasure: ErasureStore,
        removals: RemovalTask,
        thread: ThreadPool,
        counting: ThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._keys = keys
        self._erasure = erasure
        self._removals = removals
        self._thread = thread
        self._counting = counting
        self._now = now

    async def list_orgs(self, request: Request) -> Response:
        await self._keys.require_admin(request.headers)
        orgs, removed = await self._thread.run(lambda: (self._store.orgs(), self._store.removed_orgs()))
        return json_response(
            {
                "orgs": [_OrgItem.of(org) for org in sorted(orgs, key=lambda org: org.id)],
                "removed": [_RemovedOrgItem.of(org) for org in sorted(removed, key=lambda org: org.id)],
            }
        )

    async def add_org(self, request: Request) -> Response:
        await self._keys.require_admin(request.headers)
        body = await parsed_body(request, _NewOrg)
        org = await self._thread.run(lambda: create_org(self._store, body.name))
        note_change("org", str(org.id), "created", org_id=org.id, after={"name": org.name})
        _log.info("made the org %(name)r", {"event": "org-created", "org_id": org.id, "name": org.name})
        return json_response({"org": _OrgItem.of(org)}, 201)

    async def show_org(self, request: Request) -> Response:
        await self._keys.require_admin(request.headers)
        org_id = _org_id(request)
        org = next((org for org in await self._thread.run(self._store.orgs) if org.id == org_id), None)
        if org is None:
            raise NotFound(f"There is no org {org_id}")
        rows = await self._counting.run(lambda: self._erasure.rows_of_org(org_id))
        return json_response({"org": _OrgItem.of(org), "rows": rows})

    async def drop_org(self, request: Request) -> Response:
        """From the answer on nobody gets in; what it has left is erased in the background."""
        key = await self._keys.require_admin(request.headers)
        org_id = _org_id(request)
        if key.org_id == org_id:
            raise InvalidRequest("This admin key is of the org itself; use one of another org")
        org = await self._thread.run(lambda: remove_org(self._store, org_id, self._now()))
        note_change("org", str(org.id), "deleted", org_id=org.id, before={"name": org.name})
        await self._keys.reload()
        _log.info("removed the org %(name)r", {"event": "org-removed", "org_id": org.id, "name": org.name})
        self._removals.begin()
        return json_response({"removed": _RemovedOrgItem.of(org)}, 202)


def _org_id(request: Request) -> int:
    """Raises NotFound for what no org has as its number."""
    org_id = whole_number(request.path_params["org_id"], 0, MAX_UINT32)
    if org_id is None:
        raise NotFound("There is no such org: its number is a whole number")
    return org_id
