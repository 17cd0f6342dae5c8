"""`POST /api/procession/v1/watch`: somebody watches a host, or all of them, live."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.server.access.sessions import Sessions
from procession.server.api.routes import ApiRouter
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.runtime.watch_cache import LEASE_SECONDS, WatchCache
from procession.text.characters import encodable
from procession.wire.datadog import host_of

PATH = "/api/procession/v1/watch"


class _Watch(msgspec.Struct, forbid_unknown_fields=True):
    host: str | None = None


def watch_routes(*, api: ApiRouter, sessions: Sessions, watches: WatchCache) -> list[Route]:
    async def watch(request: Request) -> Response:
        org_id = (await sessions.visibility_of(request, Restricted.ALL)).org_id
        api.count(request, org_id)
        body = await parsed_body(request, _Watch)
        host = "" if body.host is None else host_of(encodable(body.host))
        lease = await watches.watch(org_id, host)
        return json_response({"host": body.host, "until": lease.until, "lease_seconds": LEASE_SECONDS})

    return [Route(PATH, watch, methods=["POST"])]
