"""A webhook or variable that is renamed is there at every moment."""

from __future__ import annotations

from dataclasses import replace

from procession.config import ServerSettings
from procession.errors import Unavailable
from procession.notifications.channels import Channel, CustomVariable, Webhook
from procession.server import create_app
from tests.support.builders import NOON
from tests.support.served import ORG, READER, Client, StoreSink, a_store
from tests.support.stores.notification_oracle import OracleNotifications
from tests.support.stores.stores import oracle_stores

PREFIX = "/api/v1/integration/webhooks/configuration"


def client_of(notifications: OracleNotifications) -> Client:
    store = a_store()
    stores = replace(oracle_stores(store), notification_settings=notifications, outbox=notifications)
    settings = ServerSettings(own_rate_limit=0)
    app = create_app(
        stores, sink=StoreSink(store), settings=settings, host_names=("procession.test",), now=lambda: NOON
    )
    return Client(app)


class Full(OracleNotifications):
    """Takes nothing more once it is full."""

    is_full = False

    def put_channel(self, org_id: int, channel: Channel) -> None:
        if self.is_full:
            raise Unavailable("the disk is full")
        super().put_channel(org_id, channel)

    def put_variable(self, org_id: int, variable: CustomVariable) -> None:
        if self.is_full:
            raise Unavailable("the disk is full")
        super().put_variable(org_id, variable)


def test_a_rename_that_fails_leaves_the_old_name() -> None:
    store = Full()
    client = client_of(store)
    store.put_channel(ORG, Webhook("oncall", "https://a.test"))
    store.put_variable(ORG, CustomVariable("TOKEN", "x"))
    paths = (("webhooks/oncall", "night"), ("custom-variables/TOKEN", "KEY"))

    store.is_full = True
    for path, name in paths:
        assert client.request("PUT", f"{PREFIX}/{path}", json={"name": name}, headers=READER).status_code == 503
    assert (store.channels(ORG), store.variables(ORG)) == (
        (Webhook("oncall", "https://a.test"),),
        (CustomVariable("TOKEN", "x"),),
    )

    store.is_full = False
    for path, name in paths:
        assert client.request("PUT", f"{PREFIX}/{path}", json={"name": name}, headers=READER).status_code == 200
    assert (store.channels(ORG), store.variables(ORG)) == (
        (Webhook("night", "https://a.test"),),
        (CustomVariable("KEY", "x"),),
    )
    client.close()
