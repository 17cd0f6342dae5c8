"""`/api/procession/v1/admin/frozen`: files of the store that stand still, so that a command can copy them.

The server writes no backup itself: it gives names of files, which the command reads with the rights of its user.
"""

from __future__ import annotations

import logging

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.errors import InvalidRequest
from procession.inventory import FrozenStore
from procession.server.access.key_cache import KeyCache
from procession.server.api.admin import PREFIX
from procession.server.http.responses import json_response
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import BackupStore

_log = logging.getLogger(__name__)


class _FrozenItem(msgspec.Struct):
    name: str
    taken_at: int
    schema: int
    schema_name: str
    folders: dict[str, str]

    @classmethod
    def of(cls, frozen: FrozenStore) -> _FrozenItem:
        return cls(frozen.name, frozen.taken_at, frozen.schema, frozen.schema_name, dict(frozen.folders))


def backup_routes(*, store: BackupStore | None, keys: KeyCache, thread: ThreadPool) -> list[Route]:
    """`store`: None where it is on servers of its own. `thread` has to be a single one."""

    def of_folder() -> BackupStore:
        if store is None:
            raise InvalidRequest("The store is on ClickHouse servers; back it up there")
        return store

    async def freeze(request: Request) -> Response:
        await keys.require_admin(request.headers)
        frozen = await thread.run(of_folder().freeze)
        _log.info("the store of %(at)d stands still for a backup", {"event": "frozen", "at": frozen.taken_at})
        return json_response({"frozen": _FrozenItem.of(frozen)}, 201)

    async def release(request: Request) -> Response:
        await keys.require_admin(request.headers)
        name = request.path_params["name"]
        await thread.run(lambda: of_folder().release(name))
        return Response(status_code=204)

    return [
        Route(f"{PREFIX}/frozen", freeze, methods=["POST"]),
        Route(f"{PREFIX}/frozen/{{name}}", release, methods=["DELETE"]),
    ]
