"""Channels of Procession's API: kept by those who may, without their secrets, and with how they do."""

from __future__ import annotations

from dataclasses import replace

from procession.notifications.notification import Delivery, Notification
from tests.support.builders import NOON
from tests.support.notifying import a_transition
from tests.support.served import ORG, READER, Client, Served, a_store
from tests.support.stores.notification_oracle import OracleNotifications

CHANNELS = "/api/procession/v1/channels"


def put(client: Client, path: str, body: object, status: int = 200) -> object:
    answer = client.request("PUT", f"{CHANNELS}/{path}", json=body, headers=READER)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_channels_are_kept_and_their_secrets_are_not_shown(client: Client) -> None:
    put(client, "email/ops", {"addresses": ["ops@example.org"]})
    put(client, "slack/ops", {"url": "https://hooks.slack.test/s3cret"})
    put(client, "pagerduty/night", {"routing_key": "s3cret"})
    put(client, "alertmanager/main", {"url": "http://alertmanager.test:9093"})

    shown = client.get(CHANNELS, headers=READER)
    assert "s3cret" not in shown.text
    assert [one["handle"] for one in shown.json()["channels"]] == [
        "@alertmanager-main",
        "@email-ops",
        "@pagerduty-night",
        "@slack-ops",
    ]
    left = client.request("DELETE", f"{CHANNELS}/slack/ops", headers=READER).json()["channels"]
    assert [one["kind"] for one in left] == ["alertmanager", "email", "pagerduty"]


def test_what_is_no_channel_is_refused(client: Client) -> None:
    for path, body in (
        ("email/x", {"addresses": ["no address"]}),
        ("email/x", {"addresses": ["a@b.test\r\nBcc: c@d.test"]}),
        ("email/x", {"addresses": []}),
        ("slack/x", {"url": "file:///etc/passwd"}),
        ("slack/x", {"url": "https://e.test", "name": "other"}),
        ("pagerduty/x", {}),
        ("alertmanager/x%20y", {"url": "https://e.test"}),
    ):
        put(client, path, body, 400)
    put(client, "fax/x", {}, 404)


def test_a_channel_that_fails_is_shown_so(served: Served) -> None:
    from procession.config import ServerSettings
    from procession.server import create_app
    from tests.support.served import StoreSink
    from tests.support.stores.stores import oracle_stores

    store = a_store()
    stores = oracle_stores(store)
    notifications = stores.outbox
    assert isinstance(notifications, OracleNotifications)
    app = create_app(
        stores, sink=StoreSink(store), settings=ServerSettings(), host_names=("procession.test",), now=lambda: NOON
    )
    client = Client(app)
    put(client, "email/ops", {"addresses": ["ops@example.org"]})
    sent = Notification(
        "a" * 32, ORG, "email-ops", NOON - 60, a_transition(), delivery=Delivery.SENT, attempts=1, changed_at=NOON - 60
    )
    failed = replace(sent, id="b" * 32, delivery=Delivery.FAILED, error="answered 550", changed_at=NOON - 5)
    notifications.put_notifications([sent, failed])

    (channel,) = client.get(CHANNELS, headers=READER).json()["channels"]
    assert (channel["is_failing"], channel["error"], channel["tried_at"]) == (True, "answered 550", NOON - 5)
    listed = client.get("/api/procession/v1/notifications", headers=READER).json()["notifications"]
    assert [(one["delivery"], one["title"][:10]) for one in listed] == [
        ("sent", "[Triggered"),
        ("failed", "[Triggered"),
    ]
    metrics = client.get("/metrics", headers=READER).text
    assert "procession_failing_channels 0" in metrics
    client.close()
