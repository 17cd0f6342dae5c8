"""Routes for clients with a certificate."""

from __future__ import annotations

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from procession.errors import Forbidden
from procession.server.http.connection import CERTIFIED


class _AskForCertificate:
    """Lets in clients that have shown a certificate, and those without TLS: the loopback listener for commands of this
    machine has none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_certified = scope.get("extensions", {}).get(CERTIFIED, {}).get("is", False)
        if scope["type"] == "http" and scope["scheme"] == "https" and not is_certified:
            raise Forbidden("Agents have to show a certificate here, such as by --tls-client-cert")
        await self._app(scope, receive, send)


def asking_for_certificates(routes: list[Route]) -> list[Route]:
    """The same routes, for those who have shown a certificate."""
    for route in routes:
        route.app = _AskForCertificate(route.app)
    return routes
