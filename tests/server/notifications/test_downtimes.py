"""How many downtimes an org may have, and where they are worked out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from procession.notifications.downtimes.downtime import MAX_LIVE_DOWNTIMES, OneTime
from procession.server.notifications.downtime_body import downtime_item
from tests.delivery.test_downtimes import a_downtime
from tests.server.notifications.test_webhooks import client_of
from tests.support.builders import NOON
from tests.support.served import ORG, READER, Client
from tests.support.stores.notification_oracle import OracleNotifications

PATH = "/api/v2/downtime"
WEEKLY = {"timezone": "UTC", "recurrences": [{"duration": "2h", "rrule": "FREQ=WEEKLY;BYDAY=SA"}]}


@pytest.fixture
def store() -> OracleNotifications:
    return OracleNotifications()


@pytest.fixture
def client(store: OracleNotifications) -> Iterator[Client]:
    client = client_of(store)
    yield client
    client.close()


def put(client: Client, method: str, path: str, status: int, **attributes: Any) -> str:
    body = {"data": {"type": "downtime", "attributes": attributes}}
    answer = client.request(method, path, json=body, headers=READER)
    assert answer.status_code == status, answer.text
    return str(answer.json()["data"]["id"]) if status == 200 else ""


def test_only_downtimes_that_are_not_over_count(client: Client, store: OracleNotifications) -> None:
    new = {"scope": "*", "monitor_identifier": {"monitor_tags": ["*"]}}
    for n in range(MAX_LIVE_DOWNTIMES):
        store.put_downtime(ORG, a_downtime(id=f"live-{n}", schedule=OneTime(NOON - 60)))
        store.put_downtime(ORG, a_downtime(id=f"over-{n}", schedule=OneTime(NOON - 60, NOON - 30)))

    put(client, "POST", PATH, 400, **new)
    put(client, "PATCH", f"{PATH}/over-1", 400, schedule={"start": None, "end": None})
    put(client, "PATCH", f"{PATH}/live-1", 200, message="deploy")
    assert client.request("DELETE", f"{PATH}/live-1", headers=READER).status_code == 204

    put(client, "POST", PATH, 200, **new)
    put(client, "POST", PATH, 400, **new)


def test_a_rule_that_its_start_never_comes_to_is_refused_and_not_kept(
    client: Client, store: OracleNotifications
) -> None:
    rule = {"duration": "1h", "rrule": "FREQ=HOURLY;INTERVAL=2;BYHOUR=2", "start": "2026-01-05T01:00:00"}
    schedule = {"timezone": "UTC", "recurrences": [rule]}

    put(client, "POST", PATH, 400, scope="*", monitor_identifier={"monitor_tags": ["*"]}, schedule=schedule)

    assert store.downtimes(ORG) == ()


def test_no_downtime_is_worked_out_on_the_event_loop(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set[str]()

    def noting(*values: Any) -> dict[str, Any]:
        threads.add(threading.current_thread().name.partition("_")[0])
        return downtime_item(*values)

    monkeypatch.setattr("procession.server.notifications.downtimes.downtime_item", noting)
    made = put(client, "POST", PATH, 200, scope="*", monitor_identifier={"monitor_tags": ["*"]}, schedule=WEEKLY)
    put(client, "PATCH", f"{PATH}/{made}", 200, message="deploy")
    for path in (PATH, f"{PATH}?current_only=true", f"{PATH}/{made}"):
        assert client.get(path, headers=READER).status_code == 200

    assert threading.current_thread().name not in threads
    assert len(threads) >= 1
