"""From processes that agents posted to a receiver of webhooks: a monitor is evaluated, and who is named in it hears."""

from __future__ import annotations

import json

from procession.accounts.orgs import Org
from procession.config import ServerSettings
from procession.monitors.monitor import Creator, new_monitor
from procession.notifications.channels import Webhook
from procession.server.runtime.metrics import Metrics
from procession.server.services import Services
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.notifying import a_transition, receiving
from tests.support.served import Clock, StoreSink
from tests.support.stores.oracle import OracleStore
from tests.support.stores.stores import oracle_stores

ORG = 1
MESSAGE = (
    "{{#is_alert}}{{value}} of {{threshold}}: {{reason}} @webhook-oncall{{/is_alert}}"
    "{{#is_recovery}}back @webhook-oncall{{/is_recovery}}"
)


def test_a_process_that_is_gone_and_comes_back_is_told_of_once_each() -> None:
    store, clock = OracleStore(), Clock(NOON // 60 * 60)
    store.put_org(Org(ORG, "main"))
    stores = oracle_stores(store)
    settings = ServerSettings(notification_networks=("127.0.0.0/8",))
    services = Services.made_from(stores, StoreSink(store), settings, Metrics(), clock)
    query = "processes('nginx').rollup('count_now') < 1"
    body = {"type": "process alert", "name": "nginx is gone", "query": query, "message": MESSAGE}
    made_at = (clock.now - 3600) * 1_000_000
    stores.monitors.put_monitor(
        new_monitor(ORG, 7, body, creator=Creator(1, "", "", ""), changed_by="", now_us=made_at)
    )

    with receiving() as receiver:
        stores.notification_settings.put_channel(ORG, Webhook("oncall", receiver.url))
        for commands in (["nginx"], [], [], ["nginx"], ["nginx"]):
            for taken_at in range(clock.now, clock.now + 60, 10):
                sightings = [
                    a_sighting(number, cmdline=one, command=one, exe="")
                    for number, one in enumerate(["init", *commands], 1)
                ]
                store.add([(ORG, a_snapshot(*sightings, taken_at=taken_at, chunk_count=1))])
            clock.now += 60
            services.monitors.evaluate()
            services.notifications.dispatcher.send_due()
            services.notifications.dispatcher.wait_until_idle()

    bodies = [json.loads(posted.body) for posted in receiver.posted]
    assert [body["title"] for body in bodies] == ["[Triggered] nginx is gone", "[Recovered] nginx is gone"]
    assert bodies[0]["body"] == "0 of 1: process gone @webhook-oncall"
    cycles = {posted.headers["x-procession-cycle-key"] for posted in receiver.posted}
    assert len(cycles) == 1
    services.threads.close()


def test_a_channel_that_fails_shows_in_the_metrics_until_something_gets_through() -> None:
    store, clock, metrics = OracleStore(), Clock(NOON), Metrics()
    store.put_org(Org(ORG, "main"))
    stores = oracle_stores(store)
    settings = ServerSettings(notification_networks=("127.0.0.0/8",))
    services = Services.made_from(stores, StoreSink(store), settings, metrics, clock)
    services.show_in_metrics()
    shown = []

    with receiving(400, 200) as receiver:
        stores.notification_settings.put_channel(ORG, Webhook("oncall", receiver.url))
        for cycle in ("c1", "c2"):
            services.notifications.notifier.put([a_transition(at=clock.now, cycle_key=cycle)])
            services.notifications.dispatcher.send_due()
            services.notifications.dispatcher.wait_until_idle()
            lines = metrics.render().splitlines()
            shown += [line for line in lines if line.startswith("procession_failing_channels ")]

    assert shown == ["procession_failing_channels 1", "procession_failing_channels 0"]
    services.threads.close()
