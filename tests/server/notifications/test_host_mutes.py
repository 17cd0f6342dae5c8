"""Hosts are muted and unmuted by Datadog's older API; downtimes keep it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v1.api.hosts_api import HostsApi
from datadog_api_client.v1.model.host_mute_settings import HostMuteSettings

from procession.notifications.downtimes.downtime import MAX_LIVE_DOWNTIMES, OneTime
from tests.delivery.test_downtimes import a_downtime
from tests.server.notifications.test_webhooks import client_of
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import API_KEY, APPLICATION_KEY, ORG, READER, Client, Served, a_store
from tests.support.stores.notification_oracle import OracleNotifications


@pytest.fixture
def store() -> OracleNotifications:
    return OracleNotifications()


@pytest.fixture
def client(store: OracleNotifications) -> Iterator[Client]:
    client = client_of(store)
    yield client
    client.close()


def ask(client: Client, path: str, **body: Any) -> httpx.Response:
    return client.post(f"/api/v1/host/{path}", json=body, headers=READER)


def test_a_mute_is_a_downtime_of_the_host_for_all_monitors(client: Client, store: OracleNotifications) -> None:
    answer = ask(client, "web-1/mute", message="deploy", end=NOON + 60)

    assert (answer.status_code, answer.json()) == (
        200,
        {"action": "Muted", "hostname": "web-1", "message": "deploy", "end": NOON + 60},
    )
    (downtime,) = store.downtimes(ORG)
    assert (downtime.scope, downtime.monitor_tags, downtime.message) == ("host:web-1", ("*",), "deploy")
    assert (downtime.schedule, downtime.status(NOON)) == (OneTime(NOON, NOON + 60), "active")


def test_a_muted_host_is_muted_again_only_to_change_its_end(client: Client, store: OracleNotifications) -> None:
    assert client.post("/api/v1/host/web-1/mute", headers=READER).json() == {"action": "Muted", "hostname": "web-1"}

    again = ask(client, "web-1/mute", end=NOON + 60)
    assert (again.status_code, again.json()["errors"]) == (
        400,
        ["Host web-1 is muted already; override changes when that ends"],
    )
    assert ask(client, "web-1/mute", end=NOON + 60, override=True).status_code == 200
    assert [one.schedule for one in store.downtimes(ORG)] == [OneTime(NOON, NOON + 60)]


def test_an_unmuted_host_has_no_mute_any_more_and_other_downtimes_stay(
    client: Client, store: OracleNotifications
) -> None:
    for_all = {"monitor_id": None, "monitor_tags": ("*",)}
    store.put_downtime(ORG, a_downtime(id="a", schedule=OneTime(NOON - 60), **for_all))
    store.put_downtime(ORG, a_downtime(id="b", schedule=OneTime(NOON - 60, NOON + 60), **for_all))
    store.put_downtime(ORG, a_downtime(id="other host", scope="host:web-2", schedule=OneTime(NOON - 60), **for_all))
    store.put_downtime(ORG, a_downtime(id="one monitor", schedule=OneTime(NOON - 60)))

    answer = ask(client, "web-1/unmute")

    assert (answer.status_code, answer.json()) == (200, {"action": "Unmuted", "hostname": "web-1"})
    held = {one.id for one in store.downtimes(ORG) if one.status(NOON) == "active"}
    assert held == {"other host", "one monitor"}
    assert ask(client, "web-1/unmute").json()["errors"] == ["Host web-1 is not muted"]


@pytest.mark.parametrize(
    ("host", "body"),
    [
        ("web-*", {}),
        ("web 1", {}),
        ("web-1)", {}),
        ("h" * 256, {}),
        ("web-1", {"end": NOON}),
        ("web-1", {"end": -1}),
        ("web-1", {"end": "soon"}),
        ("web-1", {"message": 7}),
        ("web-1", {"message": "a" * 4_001}),
        ("web-1", {"override": "yes"}),
    ],
)
def test_what_is_bad_mutes_nothing(client: Client, store: OracleNotifications, host: str, body: dict[str, Any]) -> None:
    answer = ask(client, f"{host}/mute", **body)

    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)
    assert store.downtimes(ORG) == ()


def test_mutes_count_as_downtimes(client: Client, store: OracleNotifications) -> None:
    for n in range(MAX_LIVE_DOWNTIMES):
        store.put_downtime(ORG, a_downtime(id=f"live-{n}", schedule=OneTime(NOON - 60)))

    assert ask(client, "web-1/mute").status_code == 400


def test_the_official_client_mutes_a_host_and_sees_that_it_is() -> None:
    served = Served(a_store())
    served.store.add([(ORG, a_snapshot(a_sighting(), host="web-1", taken_at=NOON))])
    with served.server() as url:
        configuration = Configuration(host=url)
        configuration.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APPLICATION_KEY}
        with ApiClient(configuration) as official:
            api = HostsApi(official)

            muted = api.mute_host("web-1", HostMuteSettings(message="deploy", end=NOON + 60))
            (host,) = api.list_hosts().host_list
            unmuted = api.unmute_host("web-1")
            (after,) = api.list_hosts().host_list

    assert (muted.action, muted.hostname, muted.end) == ("Muted", "web-1", NOON + 60)
    assert (host.is_muted, host.mute_timeout) == (True, NOON + 60)
    assert (unmuted.action, after.is_muted, after.mute_timeout) == ("Unmuted", False, None)
