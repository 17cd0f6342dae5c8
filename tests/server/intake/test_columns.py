"""Columns, as agents of ours post them."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from procession.config import ServerSettings
from procession.errors import Unavailable
from procession.process import ProcessNumbers, Snapshot
from procession.wire.columns.encoder import ColumnFrames, ColumnsEncoder
from procession.wire.columns.offer import MEDIA_TYPE, OFFER_HEADER, PATH, processes_offered
from tests.support.agents.posting import ListSink, a_payload, app_over, post
from tests.support.agents.vectors import vector
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import ADMIN, API_KEY, ORG, OTHER_API_KEY, READER, Client, Served


def put(client: Client, body: bytes | None, *, key: str = API_KEY, **headers: str) -> httpx.Response:
    more = {"content_type": MEDIA_TYPE, "x_dd_agent_timestamp": str(NOON - 10), "x_dd_request_id": "77"}
    return post(client, body or b"", PATH, key, **more | headers)


def two_frames(*, run: int = 1) -> tuple[ColumnFrames, ColumnFrames]:
    encoder = ColumnsEncoder(run)
    quiet = a_sighting(1)
    first = encoder.encode(a_snapshot(quiet, a_sighting(2)))
    return first, encoder.encode(a_snapshot(quiet, a_sighting(2, numbers=ProcessNumbers(threads=9)), a_sighting(3)))


def in_order(snapshot: Snapshot) -> list[tuple[int, int | None]]:
    return [(one.pid, one.numbers.threads) for one in snapshot.sightings]


def test_answers_to_snapshots_offer_columns(agent: Client) -> None:
    answer = post(agent, a_payload(a_snapshot(a_sighting(1))))

    assert processes_offered(answer.headers[OFFER_HEADER]) == ServerSettings().max_message_processes


def test_what_comes_in_columns_is_what_the_api_shows(client: Client) -> None:
    first, then = two_frames()

    answers = [
        put(client, first.whole),
        put(client, then.changes, x_dd_agent_timestamp=str(NOON), x_dd_request_id="78"),
    ]

    assert [(one.status_code, one.content) for one in answers] == [(200, vector("res_idle"))] * 2
    items = [item["attributes"] for item in client.processes().json()["data"]]
    assert {item["pid"] for item in items} == {1, 2, 3}
    assert {item["timestamp"] for item in items} == {"2023-11-14T22:13:20"}


TRAFFIC = ("net_received_bytes_per_second", "net_sent_bytes_per_second", "connections")


def test_traffic_is_shown_alike_whatever_the_format_and_is_null_where_it_is_not_known(client: Client) -> None:
    """None at all; not known; rates not known yet; all known."""
    told = ((0.0, 0.0, 0), (None, None, None), (None, None, 3), (1536.5, 0.25, 2**31 - 1))
    sightings = [
        a_sighting(
            pid,
            numbers=ProcessNumbers(
                net_received_bytes_per_second=received,
                net_sent_bytes_per_second=sent,
                connections=connections,
                rss_bytes=4096,
            ),
        )
        for pid, (received, sent, connections) in enumerate(told, start=1)
    ]
    quiet = [a_sighting(one.pid, numbers=ProcessNumbers(rss_bytes=4096)) for one in sightings]
    encoder = ColumnsEncoder(2)
    in_columns = a_snapshot(*sightings, host="columns")
    put(client, encoder.encode(a_snapshot(*quiet, host="columns")).whole)
    changes = encoder.encode(in_columns).changes

    answers = [
        post(client, a_payload(a_snapshot(*sightings, host="frames")), x_dd_agent_timestamp=str(NOON)),
        put(client, changes, x_dd_agent_timestamp=str(NOON), x_dd_request_id="78"),
        put(client, ColumnsEncoder(3).encode(a_snapshot(*sightings, host="whole")).whole, x_dd_request_id="79"),
    ]

    assert [one.status_code for one in answers] == [200] * 3
    for host in ("frames", "columns", "whole"):
        items = client.get(f"/api/procession/v1/processes?tags=host:{host}", headers=READER).json()["data"]
        found = {one["attributes"]["pid"]: one["attributes"]["numbers"] for one in items}
        assert [tuple(found[pid][name] for name in TRAFFIC) for pid in (1, 2, 3, 4)] == list(told)


def test_changes_become_a_whole_snapshot_of_their_moment(agent: Client, sink: ListSink) -> None:
    first, then = two_frames()
    put(agent, first.whole)

    put(agent, then.changes, x_dd_agent_timestamp=str(NOON - 3), x_dd_request_id="78")

    (org_id, snapshot) = sink.taken[1]
    assert (org_id, snapshot.host, snapshot.taken_at, snapshot.request_id) == (ORG, "web-1", NOON - 3, 78)
    assert snapshot.chunk_count == 1
    assert in_order(snapshot) == [(1, None), (2, 9), (3, None)]


def test_a_server_that_was_started_again_asks_for_the_whole(served: Served, sink: ListSink) -> None:
    first, then = two_frames()
    before, after = Client(app_over(served, sink)), Client(app_over(served, sink))
    put(before, first.whole)

    refused = put(after, then.changes)
    taken = put(after, then.whole)
    before.close()
    after.close()

    assert refused.status_code == 409
    assert refused.json() == {"errors": ["The frame before is not known here; send the whole"]}
    assert processes_offered(refused.headers[OFFER_HEADER])
    assert taken.status_code == 200
    assert len(sink.taken) == 2


def test_hosts_for_which_there_is_no_memory_are_offered_no_columns(served: Served, sink: ListSink) -> None:
    client = Client(app_over(served, sink, max_columns_bytes=6200))
    (first, then), (other, _) = two_frames(run=1), two_frames(run=2)

    answers = [
        post(client, a_payload(a_snapshot(a_sighting(1)))),
        put(client, first.whole),
        put(client, other.whole),
        post(client, a_payload(a_snapshot(a_sighting(1)))),
        put(client, then.changes),
    ]
    client.close()

    assert [one.status_code for one in answers] == [200] * 5
    assert [OFFER_HEADER in one.headers for one in answers] == [True, True, True, False, True]


def test_what_could_not_be_stored_can_be_sent_again(agent: Client, sink: ListSink) -> None:
    first, then = two_frames()
    put(agent, first.whole)

    sink.error = Unavailable("full")
    failed = put(agent, then.changes)
    sink.error = None
    again, twice = put(agent, then.changes), put(agent, then.changes)

    assert [one.status_code for one in (failed, again, twice)] == [503, 200, 200]
    assert in_order(sink.taken[1][1]) == in_order(sink.taken[2][1]) == [(1, None), (2, 9), (3, None)]


def test_changes_of_one_org_never_follow_a_frame_of_another(agent: Client, sink: ListSink) -> None:
    first, then = two_frames()
    put(agent, first.whole)

    assert put(agent, then.changes, key=OTHER_API_KEY).status_code == 409
    assert len(sink.taken) == 1


@pytest.mark.parametrize("key", ["", "x" * 32])
def test_columns_need_an_api_key(agent: Client, sink: ListSink, key: str) -> None:
    assert put(agent, two_frames()[0].whole, key=key).status_code == 403
    assert sink.taken == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PCOL",
        vector("proc_v3_enc4_zstd1x"),
        b"PCOL\x01\x04\x55\x00" + bytes(60),
        b"PCOL\x02\x04\x61\x00" + bytes(60),
        b"PCOL\x03\x04\x69\x00" + bytes(60),
    ],
)
def test_what_is_no_message_of_columns_is_refused(agent: Client, body: bytes) -> None:
    answer = put(agent, body)

    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)


def test_a_message_of_columns_has_the_limits_of_others(served: Served, sink: ListSink) -> None:
    served.settings = ServerSettings(max_message_processes=1, max_body_bytes=5000)
    client = Client(app_over(served, sink))

    statuses = [put(client, body).status_code for body in (two_frames()[0].whole, bytes(6000))]
    client.close()

    assert statuses == [413, 413]
    assert sink.taken == []


def test_host_tags_and_hidden_secrets_are_those_of_other_payloads(client: Client) -> None:
    snapshot = a_snapshot(a_sighting(1, cmdline="mysql --password=hunter2 shop"))
    tags = {"org_id": ORG, "host": "web-1", "add": ["team:shop"]}
    assert client.post("/api/procession/v1/admin/hosts/tags", json=tags, headers=ADMIN).status_code == 200

    assert put(client, ColumnsEncoder(1).encode(snapshot).whole).status_code == 200

    (item,) = client.processes().json()["data"]
    assert "hunter2" not in item["attributes"]["cmdline"]
    assert "team:shop" in item["attributes"]["tags"]


def test_a_clock_that_is_ahead_is_now(agent: Client, sink: ListSink) -> None:
    put(agent, two_frames()[0].whole, x_dd_agent_timestamp=str(NOON + 5000))

    assert sink.snapshot.taken_at == NOON


def test_what_is_too_old_is_counted_and_not_kept(agent: Client, sink: ListSink) -> None:
    assert put(agent, two_frames()[0].whole, x_dd_agent_timestamp="1000").status_code == 200

    assert sink.taken == []
    assert 'procession_dropped_sightings_total{reason="too old"} 2' in agent.get("/metrics", headers=READER).text


def test_a_large_host_is_decoded_on_a_thread(agent: Client, sink: ListSink) -> None:
    encoder = ColumnsEncoder(1)
    sightings = [a_sighting(pid, cmdline=f"worker {pid} " + "x" * 300) for pid in range(1, 3001)]
    first = encoder.encode(a_snapshot(*sightings))
    then = encoder.encode(a_snapshot(*sightings[1:]))

    assert put(agent, first.whole).status_code == put(agent, then.changes).status_code == 200
    assert [len(snapshot.sightings) for _, snapshot in sink.taken] == [3000, 2999]


def test_many_hosts_post_at_once(served: Served) -> None:
    async def run(url: str) -> list[int]:
        async with httpx.AsyncClient(timeout=60) as agents:

            async def post_two(number: int) -> list[int]:
                encoder = ColumnsEncoder(number)
                statuses = []
                for moment in range(2):
                    frames = encoder.encode(a_snapshot(a_sighting(1), a_sighting(2 + moment), host=f"host-{number}"))
                    headers = {"dd-api-key": API_KEY, "x-dd-agent-timestamp": str(NOON + moment)}
                    body = frames.changes or frames.whole
                    statuses.append((await agents.post(url + PATH, content=body, headers=headers)).status_code)
                return statuses

            found = await asyncio.gather(*(post_two(number) for number in range(30)))
            return [status for statuses in found for status in statuses]

    with served.server() as url:
        assert asyncio.run(run(url)) == [200] * 60
