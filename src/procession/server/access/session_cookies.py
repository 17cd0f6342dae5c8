"""What the cookies of the page are called, and which of them a request may show.

Under https their names begin with `__Host-`: browsers take such a cookie only over https and from this host alone. Any
other name somebody may have planted, over plain http or from a host beside this one, and would then be who the browser
is signed in as. So under https nothing else is read.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from procession.config import ServerSettings
from procession.errors import Forbidden
from procession.server.http.host_names import is_address

_NAME = "procession"


class SessionCookies:
    """Of one server."""

    def __init__(self, settings: ServerSettings) -> None:
        # A browser that asks for something to read does not say how it talks to a proxy in front of us.
        self._is_under_https = settings.behind_proxy or urlsplit(settings.page_url).scheme == "https"

    def is_secure(self, request: Request) -> bool:
        """Whether the browser talks https, be it to a proxy in front of us: settings say so, or its `Origin`."""
        origin = request.headers.get("origin", "")
        return self._is_under_https or request.url.scheme == "https" or origin.startswith("https://")

    def refuse_http(self, request: Request) -> None:
        """Raises Forbidden for a page that was opened over http, where cookies are for https: the browser would throw
        them away, and nobody could see why. Except on this machine, which browsers trust as they trust https."""
        origin = request.headers.get("origin", "")
        if self.is_secure(request) and origin.startswith("http://") and not _is_this_machine(origin):
            raise Forbidden("Open the page by https: over http a browser does not keep the session")

    def name(self, request: Request, what: str = "session") -> str:
        """Of a cookie that is set now."""
        under_https, plain = names(request, what)
        return under_https if self.is_secure(request) else plain

    def shown(self, request: Request, what: str = "session") -> list[str]:
        """The values of the cookies that may count, the better one first. One that only https can have set always
        may."""
        under_https, plain = names(request, what)
        found = [under_https] if self.is_secure(request) else [under_https, plain]
        return [request.cookies[name] for name in found if request.cookies.get(name)]


def _is_this_machine(origin: str) -> bool:
    try:
        name = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or (is_address(name) and ip_address(name).is_loopback)


def names(request: Request, what: str = "session") -> tuple[str, str]:
    """Under https, and else. Browsers keep one jar for all ports of a host, so the port is in the name."""
    port = request.headers.get("host", "").rpartition("]")[2].partition(":")[2]
    name = f"{_NAME}_{what}" + (f"_{port}" if port.isdecimal() else "")
    return f"__Host-{name}", name
