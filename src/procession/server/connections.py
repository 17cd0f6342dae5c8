"""What the server asks of a connection beyond HTTP: a certificate, where agents have to have one."""

from __future__ import annotations

import json

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from procession.errors import Forbidden
from procession.server.responses import STANDARD_HEADERS

CERTIFIED = "procession.certified"
"""Of a request's scope: whether the client has shown a certificate that the server trusts."""


class Protocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, which tells the application about certificates, and whose own errors look as ours."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        connection = self.transport.get_extra_info("ssl_object")
        # Verified, or the handshake had failed: an empty one is that of a client that has none.
        self.scope["extensions"] = {CERTIFIED: {"is": bool(connection and connection.getpeercert())}}

    def send_400_response(self, msg: str) -> None:
        body = json.dumps({"errors": [msg]}).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            **STANDARD_HEADERS,
        }
        lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()]
        self.transport.write(b"".join((STATUS_LINE[400], *lines, b"\r\n", body)))
        self.transport.close()


class _AskForCertificate:
    """Lets in who has shown one. The commands of this machine come over a loopback listener without TLS, and are."""

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
