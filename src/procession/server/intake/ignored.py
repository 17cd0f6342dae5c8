"""What else agents post, of which nothing is kept: answered so that none of them sends it again for ever."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.server.http.responses import json_response
from procession.server.intake.intake import Intake

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


class IgnoredPostHandler:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @property
    def routes(self) -> list[Route]:
        return [
            *(Route(path, self.accept, methods=["POST"]) for path in UNKEPT_PATHS),
            Route(VALIDATE_PATH, self.validate_key, methods=["GET"]),
        ]

    async def accept(self, request: Request) -> Response:
        await self._intake.org_of(request)
        return json_response({"status": "ok"}, 202)

    async def validate_key(self, request: Request) -> Response:
        """An agent with a key that is not valid says so in its log and goes on."""
        await self._intake.org_of(request)
        return json_response({"valid": True})
