"""`GET /api/v2/processes`: authenticate, parse, find, render. And what other lists of processes share with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.errors import TooManyRequests
from procession.paging import Cursor, Page
from procession.process import ProcessKey, ProcessSummary
from procession.query import ProcessQuery
from procession.server.access.key_cache import KeyCache
from procession.server.access.rate_limit import RateLimiter
from procession.server.http.responses import add_headers
from procession.server.public.parameters import filter_fingerprint, parse_parameters, parse_query
from procession.server.runtime.fair_pool import FairThreads
from procession.storage import ProcessStore

PATH = "/api/v2/processes"


class Attributes(msgspec.Struct):
    """The order of the fields is that of the keys, here and below."""

    cmdline: str
    timestamp: str
    start: str
    user: str
    pid: int
    ppid: int
    host: str
    tags: tuple[str, ...]


class _Item(msgspec.Struct):
    type: Literal["process"]
    id: str
    attributes: Attributes


class _PageMeta(msgspec.Struct):
    after: str
    size: int


class _Meta(msgspec.Struct, omit_defaults=True):
    page: _PageMeta
    known: bool | None = None
    """Whether anything is known of the window; not said by the public API."""
    hints: tuple[str, ...] = ()
    """Likewise."""


class _Answer(msgspec.Struct):
    meta: _Meta
    data: list[_Item]


_ENCODER = msgspec.json.Encoder()


def process_routes(
    *,
    store: ProcessStore,
    keys: KeyCache,
    limiter: RateLimiter,
    threads: FairThreads,
    retention_hours: int,
    now: Callable[[], int],
) -> list[Route]:
    def answer(query: ProcessQuery, filters: bytes) -> bytes:
        return render_page(store.find(replace(query, is_brief=True)), query, filters)

    return [
        list_route(
            PATH,
            "processes_get_all",
            answer,
            keys=keys,
            limiter=limiter,
            threads=threads,
            retention_hours=retention_hours,
            now=now,
        )
    ]


def list_route(
    path: str,
    rate_limit_name: str,
    answer: Callable[[ProcessQuery, bytes], bytes],
    *,
    keys: KeyCache,
    limiter: RateLimiter,
    threads: FairThreads,
    retention_hours: int,
    now: Callable[[], int],
) -> Route:
    """A list of processes for readers. `answer` makes its body from the query and the fingerprint of its filters; it
    runs on a thread, since rendering thousands of rows takes long enough to keep it off the event loop, too."""

    async def list_processes(request: Request) -> Response:
        org_id = await keys.org_of_reader(request.headers)
        allowance = limiter.count(org_id)
        if allowance is not None:
            add_headers(request, allowance.headers(rate_limit_name))
            if allowance.is_exceeded:
                raise TooManyRequests
        parameters = parse_parameters(request.scope["query_string"])
        query = parse_query(org_id, parameters, now=now(), retention_hours=retention_hours)
        filters = filter_fingerprint(parameters, org_id)
        body = await threads.run(org_id, lambda: answer(query, filters))
        return Response(body, media_type="application/json")

    return Route(path, list_processes, methods=["GET"])


def render_page(
    page: Page,
    query: ProcessQuery,
    filters: bytes,
    attributes: Iterable[Attributes] | None = None,
    *,
    is_known: bool | None = None,
    hints: tuple[str, ...] = (),
) -> bytes:
    """The body of the answer. `attributes`, one for each process, are those of the public API if not given, and it does
    not say whether anything `is_known` of the window, nor has it `hints`."""
    if attributes is None:
        attributes = map(attributes_of, page.processes)
    items = [
        _Item("process", ProcessKey.of(process.identity).id_of(query.org_id).hex(), shown)
        for process, shown in zip(page.processes, attributes, strict=True)
    ]
    meta = _Meta(_PageMeta(_cursor_after(page, query, filters), len(items)), is_known, hints)
    return _ENCODER.encode(_Answer(meta, items))


def attributes_of(process: ProcessSummary) -> Attributes:
    return Attributes(
        process.description.cmdline,
        render_moment(process.seen_at),
        render_moment(process.identity.started_at),
        process.description.user,
        process.identity.pid,
        process.description.ppid,
        process.identity.host,
        process.tags,
    )


def _cursor_after(page: Page, query: ProcessQuery, filters: bytes) -> str:
    """The way on. Empty only where the page is: each official client either stops or starts over at an empty one."""
    if not page.processes:
        return ""
    return Cursor(query.window, ProcessKey.of(page.processes[-1].identity), filters).encode()


@lru_cache(maxsize=65536)
def render_moment(moment: int) -> str:
    """UTC to the second, without saying so: `2021-02-04T11:51:47`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
