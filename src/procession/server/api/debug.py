"""`GET /api/procession/v1/admin/debug`: what helps to find a fault, for `procession debug bundle`. Without secrets."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession import __version__
from procession.config import ServerSettings
from procession.errors import Unavailable
from procession.scrubbing.redaction import shown_settings, without_secrets
from procession.server.access.key_cache import KeyCache
from procession.server.api.store import StoreSize
from procession.server.http.responses import json_response

PATH = "/api/procession/v1/admin/debug"


class _EngineError(msgspec.Struct):
    name: str
    count: int
    last_at: int


class _Debug(msgspec.Struct):
    version: str
    python: str
    pid: int
    started_at: int
    settings: dict[str, Any]
    memory_bytes: int | None
    threads: list[str]
    store_problem: str
    engine_errors: list[_EngineError]
    log: list[str]


def debug_routes(
    *,
    keys: KeyCache,
    size: StoreSize,
    settings: ServerSettings,
    log_lines: Callable[[], Sequence[str]],
    now: Callable[[], int],
) -> list[Route]:
    started_at = now()

    async def show(request: Request) -> Response:
        await keys.require_admin(request.headers)
        problem, errors = "", []
        try:
            errors = [_EngineError(error.name, error.count, error.last_at) for error in (await size.get()).errors]
        except Unavailable as error:
            problem = without_secrets(str(error))
        return json_response(
            _Debug(
                version=__version__,
                python=platform.python_version(),
                pid=os.getpid(),
                started_at=started_at,
                settings=shown_settings(settings),
                memory_bytes=_memory_bytes(),
                threads=sorted(thread.name for thread in threading.enumerate()),
                store_problem=problem,
                engine_errors=errors,
                log=[without_secrets(line) for line in log_lines()],
            ),
            headers={"cache-control": "no-store"},
        )

    return [Route(PATH, show, methods=["GET"])]


def _memory_bytes() -> int | None:
    """Resident memory of this process; None where it is not known."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
