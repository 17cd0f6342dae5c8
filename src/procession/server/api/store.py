"""`GET /api/procession/v1/store`: how large the store is and how far back it reaches; the same in `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.inventory import Inventory, TableSize
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.responses import json_response
from procession.server.runtime.metrics import Metrics
from procession.server.runtime.refreshing_cache import RefreshingCache
from procession.server.runtime.thread_pools import ThreadPool
from procession.storage import SizedStore

REFRESH_SECONDS = 15.0


class StoreSize:
    """As it was at most 15 seconds ago."""

    def __init__(self, store: SizedStore, thread: ThreadPool, now: Callable[[], int]) -> None:
        self._inventory = RefreshingCache(store.inventory, thread, REFRESH_SECONDS)
        self._now = now

    async def get(self) -> Inventory:
        return await self._inventory.get()

    def show_in(self, metrics: Metrics) -> None:
        """As far as it was asked for."""
        metrics.store_bytes.read = lambda: self._of_tables(lambda table: table.stored_bytes)
        metrics.store_rows.read = lambda: self._of_tables(lambda table: table.rows)
        metrics.store_parts.read = lambda: self._of_tables(lambda table: table.parts)
        metrics.store_free_bytes.read = lambda: self._single(lambda found: found.free_bytes)
        metrics.oldest_sighting_seconds.read = lambda: self._single(lambda found: self._age(found.oldest_sighting_at))
        metrics.oldest_seen_seconds.read = lambda: self._single(lambda found: self._age(found.oldest_seen_at))

    def _of_tables(self, number: Callable[[TableSize], int]) -> Mapping[tuple[str, ...], float]:
        found = self._inventory.last
        return {} if found is None else {(table.name,): number(table) for table in found.tables}

    def _single(self, number: Callable[[Inventory], int | None]) -> Mapping[tuple[str, ...], float]:
        found = self._inventory.last
        value = None if found is None else number(found)
        return {} if value is None else {(): value}

    def _age(self, at: int | None) -> int | None:
        return None if at is None else max(0, self._now() - at)


class _Table(msgspec.Struct):
    name: str
    rows: int
    parts: int
    stored_bytes: int


class _Store(msgspec.Struct):
    stored_bytes: int
    free_bytes: int
    oldest_sighting_at: int | None
    oldest_seen_at: int | None
    tables: list[_Table]


def store_routes(api: ApiRouter, size: StoreSize) -> list[Route]:
    async def show(request: Request) -> Response:
        await api.admit(request)
        found = await size.get()
        return json_response(
            _Store(
                found.stored_bytes,
                found.free_bytes,
                found.oldest_sighting_at,
                found.oldest_seen_at,
                [_Table(table.name, table.rows, table.parts, table.stored_bytes) for table in found.tables],
            )
        )

    return [Route(f"{PREFIX}/store", show, methods=["GET"])]
