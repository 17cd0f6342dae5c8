"""Chunks from the event loop: each is acknowledged once it is safe on disk and seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from procession.errors import Unavailable
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessDescription, ProcessKey, Sighting, Snapshot, host_key
from procession.query import ProcessQuery
from procession.storage.embedded.log_sink import LogSink
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.stores.reopened_store import Reopened

AT = 1_700_000_000


def a_snapshot(sightings: int, request_id: int) -> Snapshot:
    described = ProcessDescription(cmdline="sleep 9", command="sleep")
    return Snapshot(
        host="web-1",
        taken_at=AT,
        sightings=tuple(Sighting(request_id * 10_000 + n, AT, described) for n in range(sightings)),
        request_id=request_id,
    )


def pids_in(store: EmbeddedStore, org: int) -> int:
    query = ProcessQuery(org, Window(AT - 60, AT), limit=10_000)
    return len(store.find(query).processes)


def test_chunks_of_any_size_are_seen_once_they_are_acknowledged(embedded: EmbeddedStore, org: int) -> None:
    async def post() -> list[int]:
        sink = LogSink(embedded)
        await sink.start()
        found = []
        for request_id, size in enumerate((0, 1, 300, 2000), 1):
            await sink.add(org, a_snapshot(size, request_id))
            found.append(pids_in(embedded, org))
        await sink.stop()
        return found

    assert asyncio.run(post()) == [0, 1, 301, 2301]


def test_many_at_once_are_all_seen(embedded: EmbeddedStore, org: int) -> None:
    async def post() -> None:
        sink = LogSink(embedded)
        await asyncio.gather(*(sink.add(org, a_snapshot(10, number)) for number in range(1, 101)))
        await sink.stop()

    asyncio.run(post())

    assert pids_in(embedded, org) == 1000


def exits_of(*pids: int) -> ProcessExits:
    described = ProcessDescription()
    return ProcessExits(
        "web-1", tuple(ProcessExit(pid=pid, at=AT + 1, exit_code=3, description=described) for pid in pids)
    )


@pytest.mark.parametrize("count", [1, 100])
def test_exits_are_seen_once_they_are_acknowledged(embedded: EmbeddedStore, org: int, count: int) -> None:
    pids = range(10_000, 10_000 + count)

    async def post() -> None:
        sink = LogSink(embedded)
        await sink.add(org, a_snapshot(count, 1))
        await sink.add_exits(org, exits_of(*pids))
        await sink.stop()

    asyncio.run(post())

    seen = [(ProcessKey(AT, host_key("web-1"), pid), AT) for pid in pids]
    assert [one.exit_code for one in embedded.endings(org, AT + 10, seen)] == [3] * count


def test_whose_exits_they_are_is_told_at_once_of_a_few(embedded: EmbeddedStore, org: int) -> None:
    async def post() -> tuple[ProcessExits | None, ProcessExits | None]:
        sink = LogSink(embedded)
        await sink.add(org, a_snapshot(2, 1))
        found = sink.unknown_at_once(org, exits_of(10_000)), sink.unknown_at_once(org, exits_of(*range(10_000, 11_000)))
        await sink.stop()
        return found

    assert asyncio.run(post()) == (exits_of(), None)


def test_a_store_that_is_closed_refuses(clickhouse: ClickHouseStore, tmp_path: Path) -> None:
    store = Reopened(clickhouse, tmp_path).store
    store.close()

    async def post() -> None:
        sink = LogSink(store)
        try:
            await sink.add(1, a_snapshot(1, 1))
        finally:
            await sink.stop()

    with pytest.raises(Unavailable):
        asyncio.run(post())
