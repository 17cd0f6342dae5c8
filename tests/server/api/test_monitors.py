"""Groups with their reasons, what happened to monitors, and the back-test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from procession.config import ServerSettings
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.transition import Transition
from procession.notifications.channels import Webhook
from procession.server.api.monitors import history
from procession.server.app import create_app
from procession.server.runtime.metrics import Metrics
from procession.server.runtime.monitor_task import MonitorTask
from procession.server.runtime.thread_pools import ThreadPool
from procession.server.services import Services
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import (
    ORG,
    OTHER_API_KEY,
    OTHER_APPLICATION_KEY,
    READER,
    Client,
    Clock,
    Served,
    StoreSink,
    a_store,
)
from tests.support.stores.stores import oracle_stores

PREFIX = "/api/procession/v1/monitors"
OTHER = {"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}
MINUTE = NOON // 60 * 60
MONITOR = {
    "type": "process alert",
    "name": "nginx is gone",
    "query": "processes('nginx').by('host').rollup('count_now') < 1",
    "options": {"new_host_delay": 0},
}


class Untold:
    """Nobody is told."""

    def put(self, transitions: Sequence[Transition]) -> None:
        pass


@pytest.fixture
def watched() -> tuple[Client, int]:
    """A monitor whose process went away in the third minute."""
    store, clock = a_store(), Clock(MINUTE)
    stores = oracle_stores(store)
    served = Served(store, clock)
    client = Client(
        create_app(stores, sink=StoreSink(store), settings=served.settings, host_names=("procession.test",), now=clock)
    )
    task = MonitorTask(
        stores.monitors, store, stores.analysis, stores.hosts, Untold(), ThreadPool(1, "m"), clock, is_only_server=True
    )
    monitor = client.post("/api/v1/monitor", json=MONITOR, headers=READER).json()["id"]
    for minute in range(5):
        for taken_at in range(clock.now, clock.now + 60, 10):
            nginx = [a_sighting(7, started_at=MINUTE - 900)] if minute < 2 else []
            init = a_sighting(1, command="init", cmdline="init", exe="", started_at=MINUTE - 9000)
            store.add([(ORG, a_snapshot(init, *nginx, taken_at=taken_at, chunk_count=1))])
        clock.now += 60
        task.evaluate()
    return client, monitor


def test_groups_say_why_they_are_as_they_are(watched: tuple[Client, int]) -> None:
    client, monitor = watched

    answer = client.get(f"{PREFIX}/groups?monitor_id={monitor}", headers=READER).json()

    (group,) = answer["groups"]
    assert (group["group"], group["tags"]) == ("host:web-1", {"host": "web-1"})
    assert (group["state"], group["reason"], group["since"]) == ("Alert", "process gone", MINUTE + 180)
    assert (group["hosts"], group["processes"]) == (["web-1"], ["nginx (pid 7 on web-1)"])
    shown = client.get(f"/api/v1/monitor/{monitor}?group_states=all", headers=READER).json()
    assert shown["overall_state"] == shown["state"]["groups"]["host:web-1"]["status"] == "Alert"


def test_what_happened_is_listed_with_the_processes_behind_it(watched: tuple[Client, int]) -> None:
    client, monitor = watched

    def found(query: str = "", **options: Any) -> list[dict[str, Any]]:
        answer = client.get(f"{PREFIX}/transitions?{query}", **({"headers": READER} | options))
        assert answer.status_code == 200
        transitions: list[dict[str, Any]] = answer.json()["transitions"]
        return transitions

    (transition,) = found()
    assert (transition["at"], transition["kind"], transition["state"]) == (MINUTE + 180, "triggered", "Alert")
    assert transition["processes"] == ["nginx (pid 7 on web-1)"]
    assert found(f"monitor_id={monitor}&limit=1") == [transition]
    assert found("monitor_id=7") == found(f"to={MINUTE}&from=0") == found(headers=OTHER) == []


def test_a_monitor_is_tried_before_it_is_saved(watched: tuple[Client, int]) -> None:
    client, _ = watched
    body = {"monitor": MONITOR, "from": MINUTE + 60, "to": MINUTE + 300}

    answer = client.post(f"{PREFIX}/backtest", json=body, headers=READER).json()

    assert answer["step_seconds"] == 60
    assert [(one["at"], one["state"]) for one in answer["transitions"]] == [(MINUTE + 120, "Alert")]
    assert len(client.get("/api/v1/monitor", headers=READER).json()) == 1


def test_a_backtest_that_takes_too_long_is_refused(
    watched: tuple[Client, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = watched
    monkeypatch.setattr(history, "BACKTEST_DEADLINE_SECONDS", -1.0)

    answer = client.post(f"{PREFIX}/backtest", json={"monitor": MONITOR}, headers=READER)

    assert answer.status_code == 400
    assert "The back-test takes too long" in answer.json()["errors"][0]


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("GET", "/groups", None, "Invalid query parameter monitor_id: it is missing"),
        ("GET", "/groups?monitor_id=x", None, "monitor_id: it is not a whole number"),
        ("GET", "/transitions?limit=0", None, "limit: it is not a whole number from 1 to 1000"),
        ("GET", "/transitions?from=5&to=4", None, "from: it is after to"),
        ("POST", "/backtest", {}, "monitor is not an object"),
        ("POST", "/backtest", {"monitor": MONITOR | {"query": "x"}}, "expected processes('...') at character 1"),
        ("POST", "/backtest", {"monitor": MONITOR, "from": 0}, "at most 604800 s apart"),
        ("POST", "/backtest", {"monitor": MONITOR, "to": "now"}, "to is not a whole number"),
    ],
)
def test_what_is_wrong_is_said(client: Client, method: str, path: str, body: Any, message: str) -> None:
    answer = client.request(method, PREFIX + path, json=body, headers=READER)

    assert answer.status_code == 400
    assert message in answer.json()["errors"][0]


def test_what_a_monitor_says_waits_in_the_outbox_for_its_channels() -> None:
    store, clock = a_store(), Clock(MINUTE)
    stores = oracle_stores(store)
    services = Services.made_from(stores, StoreSink(store), ServerSettings(), Metrics(), clock)
    stores.notification_settings.put_channel(ORG, Webhook("ops", "https://example.com/"))
    body = MONITOR | {"query": "processes('').rollup('count_now') > 0", "message": "there @webhook-ops"}
    creator = Creator(1, "", "", "")
    stores.monitors.put_monitor(new_monitor(ORG, 7, body, creator=creator, changed_by="", now_us=0))
    store.add([(ORG, a_snapshot(a_sighting(7), taken_at=MINUTE - 5, chunk_count=1))])

    services.monitors.evaluate()

    (waiting,) = stores.outbox.notifications(ORG, 0, 10)
    assert waiting.transition.processes == ("nginx (pid 7 on web-1)",)
    services.threads.close()
