"""By which names clients may call this server.

A page of a stranger can have its own name lead to this machine (DNS rebinding), and then a browser takes what it reads
here for the stranger's. It cannot choose what the browser says in `Host`, though: that is the stranger's name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from procession.server.http.responses import error_response

MISDIRECTED = 421


class AllowedHosts:
    """Names by which clients may call a server, in lower case: `example.org`, `.example.org` for any below it, `*` for
    all.

    Addresses and `localhost` always are: nobody can have them lead elsewhere.
    """

    def __init__(self, names: Iterable[str]) -> None:
        whole = {name.lower().rstrip(".") for name in names if name}
        self._any = "*" in whole
        self._endings = tuple(name for name in whole if name.startswith("."))
        self._names = whole | {"localhost"}

    def allows(self, host: str) -> bool:
        """Whether a `Host` header is allowed, with or without a port. An empty one is: no browser sends that."""
        name = name_of(host).lower().rstrip(".")
        if self._any or not host or name in self._names or is_address(name):
            return True
        return name.endswith((".localhost", *self._endings))


def name_of(host: str) -> str:
    """`example.org:7171` -> `example.org`, `[::1]:7171` -> `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class CheckHost:
    """Answers requests for another server with 421. Doors where only programs come, and bring all that they need, are
    `open_paths`: agents call by whatever name their balancer has."""

    def __init__(self, app: ASGIApp, *, allowed: AllowedHosts, open_paths: Collection[str]) -> None:
        self._app = app
        self._allowed = allowed
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) > 1 or not all(map(self._allowed.allows, hosts)):
                # Not the name itself: what a stranger makes up has no place in an answer.
                text = "This server goes by another name; whoever runs it can add this one with --allowed-hosts"
                await error_response(MISDIRECTED, text)(scope, receive, send)
                return
        await self._app(scope, receive, send)
