"""`GET /api/v2/processes`: authenticate, parse, find, render."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.accounts.visibility import Visibility
from procession.paging import Cursor, Page
from procession.process import ProcessKey
from procession.process_item import ProcessItem
from procession.query import ProcessQuery
from procession.server.access.key_cache import KeyCache
from procession.server.access.rate_limit import RateLimiter
from procession.server.audit.note import note_rows
from procession.server.public.parameters import filter_fingerprint, parse_parameters, parse_query
from procession.server.public.remembered_items import RememberedItems
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import ProcessStore

PATH = "/api/v2/processes"
RATE_LIMIT_NAME = "processes_get_all"

_ENCODER = msgspec.json.Encoder()


class PublicProcesses:
    """The list of processes that Datadog's clients read."""

    def __init__(
        self,
        store: ProcessStore,
        *,
        keys: KeyCache,
        limiter: RateLimiter,
        threads: FairThreadPool,
        retention_hours: int,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._keys = keys
        self._limiter = limiter
        self._threads = threads
        self._retention_hours = retention_hours
        self._now = now
        self._items = RememberedItems()

    @property
    def routes(self) -> list[Route]:
        return [Route(PATH, self.list_processes, methods=["GET"])]

    async def list_processes(self, request: Request) -> Response:
        visibility = await self._keys.visibility_of_reader(request.headers, Restricted.ALL)
        self._limiter.admit(request, visibility.org_id, RATE_LIMIT_NAME)
        parameters = parse_parameters(request.scope["query_string"])
        query = parse_query(visibility, parameters, now=self._now(), retention_hours=self._retention_hours)
        fingerprint = filter_fingerprint(parameters, visibility)
        # Rendering thousands of processes takes long enough to keep that off the event loop, too.
        body = await self._threads.run(visibility.org_id, lambda: self._find(visibility, query, fingerprint))
        return Response(body, media_type="application/json")

    def _find(self, visibility: Visibility, query: ProcessQuery, fingerprint: bytes) -> bytes:
        page = self._store.find(replace(query, is_brief=True))
        return render_page(page, visibility, query, fingerprint, self._items)


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
    data: Sequence[ProcessItem | msgspec.Raw]


def render_page(
    page: Page, visibility: Visibility, query: ProcessQuery, fingerprint: bytes, remembered: RememberedItems
) -> bytes:
    """The body of the public API's answer. `fingerprint`: of the filters of the query."""
    items = [remembered.of(visibility, process) for process in page.processes]
    return render_items(items, cursor_after(page, query, fingerprint))


def render_items(
    items: Sequence[ProcessItem | msgspec.Raw], after: str, *, is_known: bool | None = None, hints: tuple[str, ...] = ()
) -> bytes:
    """The body of a page. `after`: the cursor of the next one; what is not given is not in it."""
    note_rows(len(items))
    return _ENCODER.encode(_Answer(_Meta(_PageMeta(after, len(items)), is_known, hints), items))


def cursor_after(page: Page, query: ProcessQuery, fingerprint: bytes) -> str:
    """The way on. Empty only where the page is: each official client either stops or starts over at an empty one."""
    if not page.processes:
        return ""
    return Cursor(query.window, ProcessKey.of(page.processes[-1].identity), fingerprint).encode()
