from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import Counter as Counts
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from starlette.applications import Starlette

from procession.config import ServerSettings
from procession.server.access.key_cache import KeyCache
from procession.server.intake.agents import Agents
from procession.server.intake.ignored import UNKEPT_PATHS
from procession.server.intake.intake import Intake
from procession.server.intake.payloads import PayloadHandler
from procession.server.intake.quota import MemoryQuota
from procession.server.intake.refusal_log import RefusalLog
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.server.runtime.hosts.host_notices import HostNotices
from procession.server.runtime.metrics import Counter
from procession.server.runtime.thread_pools import FairThreadPool, T, ThreadPool
from procession.server.runtime.watch_cache import WatchCache
from procession.wire.datadog import MessageType, frame
from tests.support.agents.posting import COLLECTOR, ListSink, a_payload, app_over, post
from tests.support.agents.vectors import vector
from tests.support.builders import a_sighting, a_snapshot
from tests.support.served import API_KEY, READER, Client, Served


class CountingThreads(FairThreadPool):
    calls = 0

    async def run(self, org_id: int, call: Callable[[], T]) -> T:
        self.calls += 1
        return await super().run(org_id, call)


def test_a_payload_larger_than_allowed_is_refused(served: Served, sink: ListSink) -> None:
    served.settings = ServerSettings(max_body_bytes=100, max_message_bytes=10_000)
    client = Client(app_over(served, sink))

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10

    declared = post(client, b"x" * 101)
    streamed = client.post(COLLECTOR, content=in_pieces(), headers={"dd-api-key": API_KEY})
    bomb = post(client, frame.encode(MessageType.PROCESSES, bytes(10_001)))
    small = post(client, vector("proc_min_enc2"))
    client.close()

    assert [response.status_code for response in (declared, streamed, bomb, small)] == [413, 413, 413, 200]


def test_whatever_is_posted_is_taken_or_refused_for_good(agent: Client) -> None:
    chance = random.Random(1)
    statuses = Counts[int]()

    for _ in range(1500):
        payload = bytearray(vector(chance.choice(("proc_v3_enc0_protobuf", "proc_full_enc4", "proc_v3_enc1_json"))))
        for _ in range(chance.randrange(1, 5)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        statuses[post(agent, bytes(payload)).status_code] += 1

    assert statuses.keys() <= {200, 400, 413}
    assert statuses[200] > 10
    assert statuses[400] > 10


def test_only_what_is_large_leaves_the_event_loop(served: Served, sink: ListSink) -> None:
    threads = CountingThreads(1, "decode")
    intake = Intake(
        sink=sink,
        store=served.store,
        containers=served.store.containers,
        store_threads=ThreadPool(1, "events"),
        keys=KeyCache(served.store, ThreadPool(1, "keys")),
        settings=served.settings,
        now=served.clock,
        decode_threads=threads,
        quota=MemoryQuota(2**30),
        dropped=Counter("dropped", "", ("reason",)),
        notices=HostNotices(served.store, ThreadPool(1, "notices"), served.clock),
        host_tags=HostTagCache(served.store, ThreadPool(1, "hosts"), FairThreadPool(1, "tags"), served.clock),
        watches=WatchCache(served.store, ThreadPool(1, "hosts"), served.clock),
        agents=Agents(),
        refusal_log=RefusalLog(served.clock),
    )
    client = Client(Starlette(routes=PayloadHandler(intake).routes))
    calls = []

    for size in (1, 300_000, 2_000_000):
        assert post(client, a_payload(a_snapshot(a_sighting(cmdline="x" * size)))).status_code == 200
        calls.append(threads.calls)
    client.close()
    threads.close()

    assert calls == [0, 1, 2]
    assert [len(snapshot.sightings[0].description.cmdline) for _, snapshot in sink.taken] == [1, 300_000, 2_000_000]


def test_the_log_names_a_host_that_is_refused_once_a_minute(
    agent: Client, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(host: str) -> None:
        assert post(agent, vector("bad_protobuf"), x_dd_hostname=host).status_code == 400

    with caplog.at_level(logging.WARNING):
        refuse("web-1")
        refuse("web-1")
        refuse("web-2")
        served.clock.now += 60
        refuse("web-1")

    lines = [record.getMessage() for record in caplog.records]
    assert [line.split("'")[1] for line in lines] == ["web-1", "web-2", "web-1"]
    assert "damaged" in lines[0]


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/api/v2/proclcycle", b"\xff", API_KEY),
        ("/api/v2/proclcycle", b"", "x"),
        ("/intake/", b"", "x"),
        ("/intake/", json.dumps({"internalHostname": "web-1", "host-tags": {"s": ["a"] * 1001}}).encode(), API_KEY),
        ("/api/v2/series", b"", "x"),
    ],
)
def test_the_log_says_so_on_every_path(
    agent: Client, caplog: pytest.LogCaptureFixture, path: str, body: bytes, key: str
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert post(agent, body, path, key=key, x_dd_hostname="web-1").status_code in (400, 403, 413)

    (line,) = [record.getMessage() for record in caplog.records]
    assert "web-1" in line


def test_the_log_stays_short_whatever_names_are_made_up(agent: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(1100):
            post(agent, b"", key="wrong", x_dd_hostname=f"made-up-{number}")

    assert len(caplog.records) == 1000


# All else that agents say


@pytest.mark.parametrize(
    "path", ["/intake", "/intake/", "/api/v1/metadata", "/api/v2/orchmanif", "/api/v2/series", *UNKEPT_PATHS]
)
def test_what_is_not_kept_is_accepted_so_that_no_agent_sends_it_for_ever(agent: Client, path: str) -> None:
    assert post(agent, vector("procevent_unframed"), path).status_code == 202
    assert post(agent, b"", path, key="wrong").status_code == 403


def test_an_agent_can_ask_whether_its_key_is_good(agent: Client) -> None:
    by_query = agent.get(f"/api/v1/validate?api_key={API_KEY}")
    by_header = agent.get("/api/v1/validate", headers={"dd-api-key": API_KEY})
    wrong = agent.get("/api/v1/validate?api_key=x")

    assert (by_query.status_code, by_query.json()) == (200, {"valid": True})
    assert by_header.status_code == 200
    assert (wrong.status_code, wrong.json()) == (403, {"errors": ["Forbidden"]})


# Over a socket


def test_a_refused_agent_gets_its_answer_however_much_it_is_still_sending(served: Served) -> None:
    with served.server() as url:
        response = httpx.post(url + COLLECTOR, content=bytes(20 * 2**20), headers={"dd-api-key": API_KEY}, timeout=30)
        forbidden = httpx.post(url + COLLECTOR, content=bytes(2**20), headers={"dd-api-key": "x"}, timeout=30)

    assert response.status_code == 413
    assert forbidden.status_code == 403


def test_many_agents_at_once_are_all_taken(served: Served) -> None:
    async def run(url: str) -> list[int]:
        async with httpx.AsyncClient(timeout=30) as agents:

            async def agent(number: int) -> int:
                payload = a_payload(a_snapshot(a_sighting(1), a_sighting(2), host=f"host-{number}"))
                return (
                    await agents.post(url + COLLECTOR, content=payload, headers={"dd-api-key": API_KEY})
                ).status_code

            return await asyncio.gather(*(agent(number) for number in range(100)))

    with served.server() as url:
        statuses = asyncio.run(run(url))
        shown = served.get(f"{url}/api/v2/processes", READER).json()

    assert statuses == [200] * 100
    assert shown["meta"]["page"]["size"] == 200
