"""`/api/v2/validate` and `/api/v2/validate_keys`: whether keys are good. (`/api/v1/validate` is asked by agents.)"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.server.access.key_cache import KeyCache
from procession.server.http.responses import json_response


class KeyValidation:
    def __init__(self, keys: KeyCache) -> None:
        self._keys = keys

    @property
    def api_key_routes(self) -> list[Route]:
        return [Route("/api/v2/validate", self.validate, methods=["GET"])]

    @property
    def routes(self) -> list[Route]:
        return [Route("/api/v2/validate_keys", self.validate_keys, methods=["GET"])]

    async def validate(self, request: Request) -> Response:
        key = await self._keys.api_key(request.headers.get("dd-api-key", ""))
        # Of an API key nothing but what agents post is decided here, and it needs no scope for that.
        attributes = {"api_key_id": key.id, "api_key_scopes": [], "valid": True}
        return json_response({"data": {"attributes": attributes, "id": str(key.org_id), "type": "validate_v2"}})

    async def validate_keys(self, request: Request) -> Response:
        await self._keys.reader(request.headers)
        return json_response({"status": "ok"})
