from __future__ import annotations

import pytest

from procession.config import ServerSettings
from procession.errors import TooManyRequests, Unavailable
from procession.wire.datadog import MessageType, RequestId, SnapshotEncoder, frame
from tests.support.agents.posting import COLLECTOR, ListSink, a_payload, app_over, post
from tests.support.agents.vectors import FRAMED, REFUSED, Vector, vector
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY, OTHER_API_KEY, OTHER_APPLICATION_KEY, READER, Client, Served

IDLE = vector("res_idle")
POSTED = tuple(recorded for recorded in FRAMED if not recorded.name.startswith("res_"))


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
        MessageType.PROCESSES, SnapshotEncoder().encode(a_snapshot(*sightings), max_processes=5000, max_bytes=2**30)[0]
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


def test_processes_sent_for_service_discovery_end_no_others(served: Served) -> None:
    served.settings = ServerSettings(discovered_processes=True)
    client = Client(served.app())
    whole = a_snapshot(a_sighting(1), a_sighting(2), split_id=1, chunk_count=1)
    services = a_snapshot(a_sighting(1), split_id=2, chunk_count=1)

    post(client, a_payload(whole), x_dd_agent_timestamp=str(NOON - 10))
    post(client, a_payload(services), x_dd_agent_timestamp=str(NOON - 5), x_dd_processes_enabled="false")
    found = client.get("/api/procession/v1/processes", headers=READER).json()["data"]
    client.close()

    assert [item["attributes"]["ended"] for item in found] == [None, None]


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
    assert "retry-after" not in response.headers


def test_whoever_has_to_come_again_later_hears_when(agent: Client, sink: ListSink) -> None:
    sink.error = TooManyRequests("Beyond its share", retry_after_seconds=2)

    response = post(agent, vector("proc_v3_enc4_zstd1x"))

    assert (response.status_code, response.json()) == (429, {"errors": ["Beyond its share"]})
    assert response.headers["retry-after"] == "2"


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
