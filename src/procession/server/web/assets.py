"""The page: what the build has put into `page/`, with headers under which nothing else can run in it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from procession.errors import NotFound
from procession.server.http.compression import takes_gzip

FOLDER = Path(__file__).parents[1] / "page"
NONCE = "__CSP_NONCE__"
"""What stands for it in index.html."""

NOT_BUILT = """\
The page is not built in this installation.

In a checkout, `make page` builds it (with Node.js 20 or newer, or one that it gets by itself); then start the server
again. Everything else works without it: /docs describes the API, and `procession top` is the same in a terminal.
"""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        "microphone=(), midi=(), payment=(), usb=()"
    ),
}
ASSET_HEADERS = {
    # Each has a hash of what is in it in its name.
    "cache-control": "public, max-age=31536000, immutable",
    "cross-origin-resource-policy": "same-origin",
    "vary": "accept-encoding",
}
ICON_HEADERS = ASSET_HEADERS | {
    "cache-control": "public, max-age=86400",
    # An SVG that is opened by itself is a document.
    "content-security-policy": "default-src 'none'",
}

# Not from the machine's own table: a wrong line in it, and the browser refuses the script.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}

_ASSET_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Asset:
    media_type: str
    body: bytes
    gzipped: bytes | None


class WebPage:
    """All files of a build, in memory: they stay together while the server runs, whatever is built anew."""

    def __init__(self, folder: Path) -> None:
        self._index = _read(folder / "index.html")
        self._account = _read(folder / "account" / "account.html")
        self._icon = _asset(folder / "icon.svg")
        assets = sorted((*folder.glob("assets/*"), *folder.glob("account/assets/*"))) if self._index is not None else []
        found = {path.name: _asset(path) for path in assets if path.suffix != ".gz"}
        self._assets = {name: asset for name, asset in found.items() if asset and _ASSET_NAME.fullmatch(name)}

    def index(self) -> Response:
        return _document(self._index)

    def account(self) -> Response:
        """The small page of the own keys, and of users and the audit trail for those who may."""
        return _document(self._account)

    def icon(self, request: Request) -> Response:
        return _answer(self._icon, request, ICON_HEADERS)

    def asset(self, name: str, request: Request) -> Response:
        return _answer(self._assets.get(name), request, ASSET_HEADERS)


def page_routes(folder: Path = FOLDER) -> list[Route]:
    page = WebPage(folder)

    async def show_index(_: Request) -> Response:
        return page.index()

    async def show_account(_: Request) -> Response:
        return page.account()

    async def show_icon(request: Request) -> Response:
        return page.icon(request)

    async def show_asset(request: Request) -> Response:
        return page.asset(request.path_params["name"], request)

    return [
        Route("/", show_index, methods=["GET"]),
        Route("/account", show_account, methods=["GET"]),
        Route("/icon.svg", show_icon, methods=["GET"]),
        Route("/assets/{name}", show_asset, methods=["GET"]),
    ]


def _document(html: bytes | None) -> Response:
    if html is None:
        return PlainTextResponse(NOT_BUILT, 404)
    nonce = secrets.token_urlsafe(16)
    headers = PAGE_HEADERS | {"content-security-policy": CONTENT_SECURITY_POLICY.format(nonce=nonce)}
    return Response(html.replace(NONCE.encode(), nonce.encode()), 200, headers, "text/html; charset=utf-8")


def _answer(asset: Asset | None, request: Request, headers: dict[str, str]) -> Response:
    if asset is None:
        raise NotFound
    if asset.gzipped is not None and takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(asset.gzipped, 200, headers | {"content-encoding": "gzip"}, asset.media_type)
    return Response(asset.body, 200, headers, asset.media_type)


def _asset(path: Path) -> Asset | None:
    body = _read(path)
    if body is None:
        return None
    media_type = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    return Asset(media_type, body, _read(path.with_name(path.name + ".gz")))


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
