"""What else agents post, of which nothing is kept: answered so that none of them sends it again for ever."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.server.access.key_cache import KeyCache
from procession.server.http.responses import json_response
from procession.server.intake.body import api_key_of
from procession.server.intake.refusal_log import RefusalLog

VALIDATE_PATH = "/api/v1/validate"

UNKEPT_PATHS = (
    # Setting `process_dd_url` brings these along, on older agents,
    "/api/v1/orchestrator",
    "/api/v2/orch",
    "/api/v2/orchmanif",
    # and setting `dd_url` all that an agent says.
    "/api/v1/check_run",
    "/api/v1/events",
    "/api/v1/events_batch",
    "/api/v1/metadata",
    "/api/v1/series",
    "/api/v1/sketches",
    "/api/v2/events",
    "/api/v2/host_metadata",
    "/api/v2/metadata",
    "/api/v2/series",
    "/api/v2/service_checks",
    "/api/beta/sketches",
    "/api/intake/metrics/v3/series",
    "/api/intake/metrics/v3/sketches",
    "/api/intake/metrics/v3beta/series",
    "/api/intake/metrics/v3beta/sketches",
)


def rest_routes(*, keys: KeyCache, refusal_log: RefusalLog) -> list[Route]:
    async def accept(request: Request) -> Response:
        with refusal_log.refusals_of(request):
            await keys.org_of_api_key(api_key_of(request))
        return json_response({"status": "ok"}, 202)

    async def validate(request: Request) -> Response:
        """An agent with a key that is not valid says so in its log and goes on."""
        with refusal_log.refusals_of(request):
            await keys.org_of_api_key(api_key_of(request))
        return json_response({"valid": True})

    return [
        *(Route(path, accept, methods=["POST"]) for path in UNKEPT_PATHS),
        Route(VALIDATE_PATH, validate, methods=["GET"]),
    ]
