from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.types import ASGIApp

from procession.config import ServerSettings
from procession.errors import Unavailable
from procession.process import Snapshot
from procession.server import create_app
from procession.wire import MessageType, RequestId, encode_snapshot, frame
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY, OTHER_API_KEY, OTHER_APPLICATION_KEY, READER, Client, Served
from tests.support.vectors import FRAMED, REFUSED, Vector, vector

COLLECTOR = "/api/v1/collector"
IDLE = vector("res_idle")
POSTED = tuple(recorded for recorded in FRAMED if not recorded.name.startswith("res_"))


@dataclass
class ListSink:
    """Keeps what it is given, or refuses it."""

    taken: list[tuple[int, Snapshot]] = field(default_factory=list)
    error: Exception | None = None

    async def add(self, org_id: int, snapshot: Snapshot) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.taken.append((org_id, snapshot))

    @property
    def snapshot(self) -> Snapshot:
        ((_, snapshot),) = self.taken
        return snapshot


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


def app_over(served: Served, sink: ListSink) -> ASGIApp:
    return create_app(store=served.store, keys=served.store, sink=sink, settings=served.settings, now=served.clock)


@pytest.fixture
def agent(served: Served, sink: ListSink) -> Iterator[Client]:
    """Talks to an application that puts what it takes into `sink`."""
    client = Client(app_over(served, sink))
    yield client
    client.close()


def post(client: Client, payload: bytes, path: str = COLLECTOR, key: str = API_KEY, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, content=payload, headers={"dd-api-key": key} | named)


def a_payload(snapshot: Snapshot) -> bytes:
    return frame.encode(MessageType.PROCESSES, encode_snapshot(snapshot)[0])


# Answers


@pytest.mark.parametrize("recorded", POSTED, ids=str)
def test_every_payload_of_an_agent_gets_the_answer_that_it_understands(agent: Client, recorded: Vector) -> None:
    response = post(agent, recorded.data)

    assert (response.status_code, response.content) == (200, IDLE)
    assert response.headers["content-type"] == "application/x-protobuf"
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("recorded", REFUSED, ids=str)
def test_what_can_never_be_read_is_refused_for_good(agent: Client, sink: ListSink, recorded: Vector) -> None:
    response = post(agent, recorded.data)

    assert response.status_code in (400, 413)
    assert len(response.json()["errors"]) == 1
    assert sink.taken == []


@pytest.mark.parametrize("name", ["res_idle", "procevent_unframed"])
def test_a_type_that_agents_do_not_post_is_refused(agent: Client, name: str) -> None:
    assert post(agent, vector(name)).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/collector", "/api/v1/container", "/api/v1/discovery", "/api/v1/connections"])
def test_a_payload_is_told_by_its_type_and_not_by_its_path(agent: Client, sink: ListSink, path: str) -> None:
    assert post(agent, vector("proc_v3_enc2_zstd05"), path).content == IDLE
    assert len(sink.snapshot.sightings) == 2


# What is stored


@pytest.mark.parametrize(
    "name", ["proc_v3_enc0_protobuf", "proc_v3_enc1_json", "proc_v3_enc2_zstd05", "proc_v3_enc4_zstd1x"]
)
def test_what_an_agent_posts_is_what_the_api_shows(client: Client, name: str) -> None:
    assert post(client, vector(name)).status_code == 200

    init, nginx = (item["attributes"] for item in client.processes().json()["data"])
    assert (init["pid"], init["cmdline"], init["start"]) == (1, "/sbin/init", "2023-11-14T19:26:40")
    assert nginx == {
        "cmdline": "nginx: worker process",
        "timestamp": "2023-11-14T22:13:20",
        "start": "2023-11-14T22:13:20",
        "user": "www-data",
        "pid": 4242,
        "ppid": 4240,
        "host": "web-1",
        "tags": [
            "container_name:web",
            "image_name:nginx",
            "kube_namespace:shop",
            "pod_name:web-7d9f",
            "service:shop-web",
            "host:web-1",
            "user:www-data",
            "command:nginx",
            "state_zombie:false",
        ],
    }


def test_a_large_snapshot_is_stored_whole(agent: Client, sink: ListSink) -> None:
    sightings = [a_sighting(pid, cmdline=f"worker {pid} " + "x" * 300) for pid in range(5000)]
    payload = frame.encode(
        MessageType.PROCESSES, encode_snapshot(a_snapshot(*sightings), max_processes=5000, max_bytes=2**30)[0]
    )

    assert post(agent, payload).status_code == 200
    assert [sighting.pid for sighting in sink.snapshot.sightings] == list(range(5000))


def test_the_same_host_and_pid_of_two_orgs_are_two_processes(client: Client) -> None:
    post(client, a_payload(a_snapshot(a_sighting(7, cmdline="ours"))))
    post(client, a_payload(a_snapshot(a_sighting(7, cmdline="theirs"))), key=OTHER_API_KEY)

    ours = client.processes().json()["data"]
    theirs = client.processes(
        headers={"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}
    ).json()["data"]

    assert [item["attributes"]["cmdline"] for item in ours] == ["ours"]
    assert [item["attributes"]["cmdline"] for item in theirs] == ["theirs"]
    assert ours[0]["id"] != theirs[0]["id"]


def test_a_host_without_processes_is_stored_too(agent: Client, sink: ListSink) -> None:
    post(agent, vector("proc_container_only_enc4"))

    assert (sink.snapshot.host, sink.snapshot.sightings) == ("web-1", ())


@pytest.mark.parametrize("scrub_again", [True, False])
def test_secrets_that_an_agent_has_left_are_hidden_unless_told_otherwise(
    served: Served, sink: ListSink, scrub_again: bool
) -> None:
    served.settings = ServerSettings(scrub_again=scrub_again)
    client = Client(app_over(served, sink))

    post(client, a_payload(a_snapshot(a_sighting(cmdline="mysql --password=hunter2 shop"))))
    client.close()

    shown = "mysql --password=******** shop" if scrub_again else "mysql --password=hunter2 shop"
    assert sink.snapshot.sightings[0].description.cmdline == shown


@pytest.mark.parametrize(("kept", "sent", "count"), [(False, "false", 0), (False, "true", 2), (True, "false", 2)])
def test_processes_sent_for_service_discovery_alone_are_kept_only_if_told(
    served: Served, sink: ListSink, kept: bool, sent: str, count: int
) -> None:
    served.settings = ServerSettings(discovered_processes=kept)
    client = Client(app_over(served, sink))

    response = post(client, vector("proc_v3_enc4_zstd1x"), x_dd_processes_enabled=sent)
    metrics = client.get("/metrics", headers=READER).text
    client.close()

    assert response.content == IDLE
    assert sum(len(snapshot.sightings) for _, snapshot in sink.taken) == count
    assert ('{reason="discovered"} 2' in metrics) is (count == 0)


def test_the_org_is_that_of_the_key(agent: Client, sink: ListSink) -> None:
    post(agent, vector("proc_v3_enc0_full_header"), key=OTHER_API_KEY)

    assert [org_id for org_id, _ in sink.taken] == [2]


@pytest.mark.parametrize("key", ["", "x", APPLICATION_KEY])
def test_without_an_api_key_nothing_is_taken(agent: Client, sink: ListSink, key: str) -> None:
    response = post(agent, vector("proc_v3_enc4_zstd1x"), key=key)

    assert (response.status_code, response.json()) == (403, {"errors": ["Forbidden"]})
    assert sink.taken == []


def test_what_is_not_safe_is_not_acknowledged(agent: Client, sink: ListSink) -> None:
    sink.error = Unavailable("The disk is full")

    response = post(agent, vector("proc_v3_enc4_zstd1x"))

    assert (response.status_code, response.json()) == (503, {"errors": ["The disk is full"]})


# Moments and request ids


@pytest.mark.parametrize(
    ("sent", "taken_at"),
    [
        (str(NOON - 3600), NOON - 3600),
        (str(NOON + 60), NOON + 60),
        (str(NOON + 61), NOON),
        (str(2**32 - 1), NOON),
        (str(10**30), NOON),
        ("0", NOON),
        ("-5", NOON),
        ("soon", NOON),
        ("١٢٣", NOON),
    ],
)
def test_a_snapshot_is_of_the_moment_its_agent_says_unless_that_is_yet_to_come(
    agent: Client, sink: ListSink, sent: str, taken_at: int
) -> None:
    payload = vector("proc_v3_enc4_zstd1x")
    agent.post(
        COLLECTOR,
        content=payload,
        headers=[(b"dd-api-key", API_KEY.encode()), (b"x-dd-agent-timestamp", sent.encode())],
    )

    assert sink.snapshot.taken_at == taken_at


def test_without_a_moment_it_is_now(agent: Client, sink: ListSink) -> None:
    post(agent, vector("proc_v3_enc0_full_header"))

    assert sink.snapshot.taken_at == NOON


def test_what_is_older_than_retention_is_acknowledged_and_counted_but_not_stored(
    agent: Client, sink: ListSink, served: Served
) -> None:
    oldest = NOON - served.settings.retention_hours * 3600

    kept = post(agent, vector("proc_v3_enc4_zstd1x"), x_dd_agent_timestamp=str(oldest))
    dropped = post(agent, vector("proc_v3_enc4_zstd1x"), x_dd_agent_timestamp=str(oldest - 1))

    assert (kept.content, dropped.content) == (IDLE, IDLE)
    assert sink.snapshot.taken_at == oldest
    assert 'procession_dropped_sightings_total{reason="too old"} 2' in agent.get("/metrics", headers=READER).text


def test_the_request_id_of_the_agent_is_kept(agent: Client, sink: ListSink) -> None:
    number = RequestId.of("web-1", 1234, NOON, 3).pack()

    post(agent, vector("proc_v3_enc4_zstd1x"), x_dd_request_id=str(number))

    assert sink.snapshot.request_id == number


@pytest.mark.parametrize("sent", ["", "-1", str(2**64), "x"])
def test_without_a_request_id_the_payload_itself_tells_it_from_others(agent: Client, sink: ListSink, sent: str) -> None:
    for name in ("group_2002_chunk0", "group_2002_chunk1", "group_2002_chunk0"):
        post(agent, vector(name), x_dd_request_id=sent)

    first, second, again = (snapshot.request_id for _, snapshot in sink.taken)
    assert first == again != second


# Limits


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


def test_the_log_stays_short_whatever_names_are_made_up(agent: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for number in range(1100):
            post(agent, b"", key="wrong", x_dd_hostname=f"made-up-{number}")

    assert len(caplog.records) == 1000


# All else that agents say


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/proclcycle",
        "/api/v1/orchestrator",
        "/api/v2/orch",
        "/api/v2/orchmanif",
        "/intake/",
        "/api/v1/check_run",
        "/api/v1/metadata",
        "/api/v1/series",
        "/api/v2/series",
        "/api/beta/sketches",
    ],
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
