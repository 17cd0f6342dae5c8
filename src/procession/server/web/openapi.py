"""`/openapi.json`, the description of the API that is written by hand, and `/docs`, the same to read."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from procession import __version__
from procession.server.http.responses import json_response
from procession.server.web.api_reference import CONTENT_SECURITY_POLICY, render_docs


def load_document() -> dict[str, Any]:
    """The document, with the version that is running."""
    text = resources.files("procession.server").joinpath("openapi.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    document["info"]["version"] = __version__
    return document


@cache
def _document() -> bytes:
    return bytes(json_response(load_document()).body)


@cache
def _docs() -> str:
    return render_docs(load_document())


def openapi_routes() -> list[Route]:
    """What they show is made when it is first asked for: few ever ask, and to make it takes a good part of a start."""

    async def show_document(_: Request) -> Response:
        return Response(_document(), media_type="application/json")

    async def show_docs(_: Request) -> Response:
        return HTMLResponse(_docs(), headers={"content-security-policy": CONTENT_SECURITY_POLICY})

    return [
        Route("/openapi.json", show_document, methods=["GET"]),
        Route("/docs", show_docs, methods=["GET"]),
    ]
