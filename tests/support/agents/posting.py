"""Posting as an agent does, and a place for what was posted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.applications import Starlette

from procession.packed import AnySnapshot
from procession.process import Snapshot
from procession.server import create_app
from procession.wire.datadog import MessageType, SnapshotEncoder, frame
from tests.support.served import API_KEY, Client, Served
from tests.support.stores.stores import oracle_stores
from tests.support.stores.unpacked import unpack

COLLECTOR = "/api/v1/collector"


@dataclass
class ListSink:
    """Keeps what it is given, or refuses it."""

    taken: list[tuple[int, Snapshot]] = field(default_factory=list)
    error: Exception | None = None

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.taken.append((org_id, unpack(snapshot)))

    @property
    def snapshot(self) -> Snapshot:
        ((_, snapshot),) = self.taken
        return snapshot


def app_over(served: Served, sink: ListSink, **settings: Any) -> Starlette:
    return create_app(
        oracle_stores(served.store),
        sink=sink,
        settings=replace(served.settings, **settings),
        host_names=("procession.test",),
        now=served.clock,
    )


def post(client: Client, payload: bytes, path: str = COLLECTOR, key: str = API_KEY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, content=payload, headers={"dd-api-key": key} | named)


def a_payload(snapshot: Snapshot) -> bytes:
    return frame.encode(MessageType.PROCESSES, SnapshotEncoder().encode(snapshot)[0])
