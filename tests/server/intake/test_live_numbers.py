"""Numbers that agents send while somebody watches, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from procession.process import ProcessNumbers
from procession.wire.datadog import LiveEncoder, MessageType, frame
from tests.support.agents.posting import a_payload, post
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import OTHER_API_KEY, READER, Client, Served

DETAILS = "/api/procession/v1/processes"
STARTED = NOON - 100
ALL = {"x_procession_live": "all"}


def live_payload(*pids: int, rss: int = 2, starts: int = STARTED) -> bytes:
    sightings = [a_sighting(pid, starts, ProcessNumbers(rss_bytes=rss, state="S")) for pid in pids]
    (body,) = LiveEncoder().encode("web-1", sightings, split_id=9)
    return frame.encode(MessageType.REAL_TIME, body)


def post_live(client: Client, at: int, *pids: int, **options: Any) -> int:
    return post(client, live_payload(*pids), x_dd_agent_timestamp=str(at), **options).status_code


def post_whole(client: Client, at: int, *pids: int, **options: Any) -> None:
    payload = a_payload(a_snapshot(*(a_sighting(pid, STARTED) for pid in pids), split_id=at % 1000))
    assert post(client, payload, x_dd_agent_timestamp=str(at), **options).status_code == 200


def shown(client: Client) -> dict[int, dict[str, Any]]:
    items = client.get(DETAILS, headers=READER).json()["data"]
    return {item["attributes"]["pid"]: item["attributes"] for item in items}


def test_numbers_alone_move_no_sighting_and_end_nothing(client: Client) -> None:
    post_whole(client, NOON - 10, 1, 2)

    assert post_live(client, NOON - 8, 1) == 200

    found = shown(client)
    assert {one["timestamp"] for one in found.values()} == {"2023-11-14T22:13:10"}
    assert (found[1]["numbers"]["rss_bytes"], found[2]["ended"]) == (2, None)


@pytest.mark.parametrize("value", ["", "some", "true", "all of them"])
def test_another_value_of_the_header_is_none(client: Client, value: str) -> None:
    post_whole(client, NOON - 10, 1, 2)

    post_live(client, NOON - 8, 1, x_procession_live=value)

    assert shown(client)[2]["ended"] is None


def test_a_live_group_of_all_processes_counts_as_sightings(client: Client) -> None:
    post_whole(client, NOON - 10, 1, 2)

    assert post_live(client, NOON - 8, 1, **ALL) == 200

    found = shown(client)
    assert (found[1]["timestamp"], found[1]["ended"]) == ("2023-11-14T22:13:12", None)
    assert (found[1]["cmdline"], found[1]["numbers"]["rss_bytes"]) == ("/usr/sbin/nginx -g daemon off;", 2)
    assert (found[2]["timestamp"], found[2]["ended"]) == ("2023-11-14T22:13:10", "2023-11-14T22:13:12")


def test_the_group_may_reach_another_server(client: Client, served: Served) -> None:
    other = Client(served.app())
    post_whole(client, NOON - 10, 1, 2)

    post_live(other, NOON - 8, 1, **ALL)
    other.close()

    assert shown(client)[2]["ended"] == "2023-11-14T22:13:12"


def test_processes_that_nobody_knows_are_counted_and_not_listed(client: Client) -> None:
    post_whole(client, NOON - 10, 1)

    assert post_live(client, NOON - 8, 1, 5, 6, **ALL) == 200

    assert sorted(shown(client)) == [1]
    metrics = client.get("/metrics", headers=READER).text
    assert 'procession_dropped_sightings_total{reason="unknown"} 2' in metrics
    assert "procession_sightings_total 2" in metrics


def test_another_org_knows_nothing_of_the_processes(client: Client) -> None:
    post_whole(client, NOON - 10, 1)

    post_live(client, NOON - 8, 1, key=OTHER_API_KEY, **ALL)

    assert shown(client)[1]["timestamp"] == "2023-11-14T22:13:10"


@pytest.mark.parametrize("headers", [{}, ALL])
def test_live_numbers_older_than_the_retention_are_dropped_and_counted(
    client: Client, served: Served, headers: dict[str, str]
) -> None:
    too_old = NOON - served.settings.retention_hours * 3600 - 1

    assert post_live(client, too_old, 1, 2, **headers) == 200

    assert 'procession_dropped_sightings_total{reason="too old"} 2' in client.get("/metrics", headers=READER).text


def test_a_snapshot_with_the_live_header_is_a_snapshot(client: Client) -> None:
    post_whole(client, NOON - 10, 1, 2, **ALL)

    assert sorted(shown(client)) == [1, 2]
