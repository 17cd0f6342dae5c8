"""`GET /api/procession/v1/processes`: the pages of `/api/v2/processes`, and how each process does or did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.errors import TooManyRequests
from procession.paging import Page
from procession.process import ProcessDetail, ProcessKey, ProcessNumbers
from procession.query import ProcessQuery
from procession.server.auth import KeyRing
from procession.server.parameters import filters_of, parse_parameters, parse_query
from procession.server.processes import cursor_after, render_moment
from procession.server.rate_limit import RateLimiter
from procession.server.responses import add_headers
from procession.server.threads import Threads
from procession.storage import DetailStore, ProcessStore

PATH = "/api/procession/v1/processes"


class Store(ProcessStore, DetailStore, Protocol):
    """Finds processes and knows their details."""


class _Attributes(msgspec.Struct):
    """The order of the fields is that of the keys, here and below."""

    cmdline: str
    timestamp: str
    start: str
    user: str
    pid: int
    ppid: int
    host: str
    tags: tuple[str, ...]
    exe: str
    cwd: str
    container_id: str
    ended: str | None
    exit_code: int | None
    numbers: ProcessNumbers


class _Item(msgspec.Struct):
    type: Literal["process"]
    id: str
    attributes: _Attributes


class _PageMeta(msgspec.Struct):
    after: str
    size: int


class _Meta(msgspec.Struct):
    page: _PageMeta


class _Answer(msgspec.Struct):
    meta: _Meta
    data: list[_Item]


_ENCODER = msgspec.json.Encoder()


def process_detail_routes(
    *,
    store: Store,
    keys: KeyRing,
    limiter: RateLimiter,
    threads: Threads,
    retention_hours: int,
    now: Callable[[], int],
) -> list[Route]:
    async def list_processes(request: Request) -> Response:
        org_id = await keys.org_of_reader(request.headers)
        allowance = limiter.count(org_id)
        if allowance is not None:
            add_headers(request, allowance.headers("procession_processes"))
            if allowance.is_exceeded:
                raise TooManyRequests
        parameters = parse_parameters(request.scope["query_string"])
        query = parse_query(org_id, parameters, now=now(), retention_hours=retention_hours)
        filters = filters_of(parameters, org_id)

        def find_and_render() -> bytes:
            page = store.find(query)
            return _render(page, store.details(org_id, query.window, page.processes), query, filters)

        return Response(await threads.run(find_and_render), media_type="application/json")

    return [Route(PATH, list_processes, methods=["GET"])]


def _render(page: Page, details: Sequence[ProcessDetail], query: ProcessQuery, filters: bytes) -> bytes:
    items = [
        _Item(
            "process",
            ProcessKey.of(process.identity).id_of(query.org_id).hex(),
            _Attributes(
                process.description.cmdline,
                render_moment(process.seen_at),
                render_moment(process.identity.started_at),
                process.description.user,
                process.identity.pid,
                process.description.ppid,
                process.identity.host,
                process.tags,
                process.description.exe,
                process.description.cwd,
                process.description.container_id,
                None if detail.ended_at is None else render_moment(detail.ended_at),
                detail.exit_code,
                detail.numbers,
            ),
        )
        for process, detail in zip(page.processes, details, strict=True)
    ]
    return _ENCODER.encode(_Answer(_Meta(_PageMeta(cursor_after(page, query, filters), len(items))), items))
