"""Errors that are answered before there is a request that the application could see."""

from __future__ import annotations

import json
from http import HTTPStatus

from procession.server.http.responses import STANDARD_HEADERS


def raw_error(status: int, reason: str, **more: str) -> bytes:
    """A whole response with one error, after which the connection is closed. `more` are headers, `-` written as `_`."""
    body = json.dumps({"errors": [reason]}).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **STANDARD_HEADERS,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{''.join(lines)}\r\n".encode("latin-1") + body
