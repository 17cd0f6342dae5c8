from __future__ import annotations

import threading
import time

from procession.errors import Unavailable
from procession.inventory import EngineError, Inventory, TableSize
from procession.server.api import health
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import APPLICATION_KEY, READER, Client, Served

PATH = "/api/procession/v1/store"
BEARER = {"authorization": f"Bearer {APPLICATION_KEY}"}
INVENTORY = Inventory(
    (TableSize("presence", 5, 2, 700), TableSize("snapshots", 3, 1, 300)),
    free_bytes=9000,
    oldest_sighting_at=NOON - 50,
    oldest_seen_at=NOON - 500,
    errors=(EngineError("MEMORY_LIMIT_EXCEEDED", 1, NOON),),
)


def test_the_size_and_the_reach_of_the_store_are_told(client: Client, served: Served) -> None:
    served.store.inventory = lambda: INVENTORY  # type: ignore[method-assign]
    client = Client(served.app())

    assert client.get(PATH, headers=READER).json() == {
        "stored_bytes": 1000,
        "free_bytes": 9000,
        "oldest_sighting_at": NOON - 50,
        "oldest_seen_at": NOON - 500,
        "tables": [
            {"name": "presence", "rows": 5, "parts": 2, "stored_bytes": 700},
            {"name": "snapshots", "rows": 3, "parts": 1, "stored_bytes": 300},
        ],
    }
    lines = client.get("/metrics", headers=BEARER).text.splitlines()
    assert {
        'procession_store_bytes{table="presence"} 700',
        'procession_store_bytes{table="snapshots"} 300',
        'procession_store_rows{table="presence"} 5',
        'procession_store_parts{table="presence"} 2',
        "procession_store_free_bytes 9000",
        "procession_store_oldest_sighting_seconds 50",
        "procession_store_oldest_seen_seconds 500",
    } <= set(lines)
    client.close()


def test_of_an_empty_store_there_is_nothing_old(client: Client, served: Served) -> None:
    text = client.get("/metrics", headers=BEARER).text

    assert "# TYPE procession_store_oldest_sighting_seconds gauge" in text
    assert "\nprocession_store_oldest_sighting_seconds " not in text

    served.store.add([(1, a_snapshot(a_sighting(), taken_at=NOON - 7))])
    other = Client(served.app())
    assert "\nprocession_store_oldest_sighting_seconds 7\n" in other.get("/metrics", headers=BEARER).text
    other.close()


def test_metrics_are_shown_while_the_store_cannot_say(served: Served) -> None:
    def fail() -> Inventory:
        raise Unavailable("The store cannot do this now")

    served.store.inventory = fail  # type: ignore[method-assign]
    client = Client(served.app())

    assert client.get(PATH, headers=READER).status_code == 503
    assert "procession_sightings_total 0" in client.get("/metrics", headers=BEARER).text
    client.close()


def test_metrics_wait_no_longer_than_a_moment_for_a_store_that_hangs(served: Served, monkeypatch: object) -> None:
    gate = threading.Event()

    def hang() -> Inventory:
        gate.wait(60)
        return INVENTORY

    served.store.inventory = hang  # type: ignore[method-assign]
    client = Client(served.app())

    begin = time.monotonic()
    text = client.get("/metrics", headers=BEARER).text
    taken = time.monotonic() - begin
    gate.set()

    assert "procession_sightings_total 0" in text
    assert taken < health.STORE_SECONDS + 20
    client.close()
