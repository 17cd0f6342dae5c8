"""What Datadog's Agents say of the network of a process: from their payloads to answers, of the live table and of the
history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procession.config import ServerSettings
from procession.server import create_app
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from procession.wire.datadog import MessageType, frame
from procession.wire.datadog import process_pb2 as pb
from tests.support.agents.posting import post
from tests.support.builders import NOON
from tests.support.served import READER, Client, Clock, StoreSink, a_store
from tests.support.stores.folders import quick_folder
from tests.support.stores.stores import clickhouse_stores

YEARS = 30 * 365 * 24
NAMES = ("net_bytes_per_second", "net_connections_per_second")

SENT = {
    1: None,
    2: pb.ProcessNetworks(),
    3: pb.ProcessNetworks(bytesRate=100.0, connectionRate=0.5),
    4: pb.ProcessNetworks(bytesRate=2.0**40),
    5: pb.ProcessNetworks(connectionRate=3.0),
    6: pb.ProcessNetworks(bytesRate=-1.0, connectionRate=float("nan")),
    7: pb.ProcessNetworks(bytesRate=float("inf"), connectionRate=8.25),
}
"""By pid; None: it was not sent."""

EXPECTED = {
    1: (None, None),
    2: (0.0, 0.0),
    3: (100.0, 0.5),
    4: (2.0**40, 0.0),
    5: (0.0, 3.0),
    6: (None, None),
    7: (None, 8.25),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with quick_folder(Path(tmp_path_factory.mktemp("store"))) as folder:
        store = open_embedded(
            folder,
            retention_hours=YEARS,
            sighting_retention_hours=YEARS,
            live_retention_hours=YEARS,
            now=Clock(),
            forced_seconds=0,
        )
        yield store
        store.close()


@pytest.fixture(scope="module")
def client(store: EmbeddedStore) -> Iterator[Client]:
    """Of a real store, to which a Datadog Agent has posted."""
    app = create_app(
        clickhouse_stores(store, a_store()),
        sink=StoreSink(store),
        settings=ServerSettings(
            retention_hours=YEARS, sighting_retention_hours=YEARS, rate_limit=0, own_rate_limit=0, sign_in_limit=0
        ),
        now=Clock(),
        host_names=("procession.test",),
    )
    client = Client(app)
    for at in (NOON - 30, NOON - 20):
        assert post(client, processes_payload(), x_dd_agent_timestamp=str(at)).status_code == 200
    yield client
    client.close()


def processes_payload() -> bytes:
    message = pb.CollectorProc(hostName="web-1", groupId=1, groupSize=1)
    for pid, networks in SENT.items():
        process = message.processes.add(pid=pid, createTime=(NOON - 100) * 1000)
        process.command.args.append(f"/usr/bin/run-{pid}")
        process.memory.rss, process.state = 4096, pb.S
        if networks is not None:
            process.networks.CopyFrom(networks)
    return frame.encode(MessageType.PROCESSES, message.SerializeToString())


@pytest.fixture(params=["live table", "history"])
def asked(request: pytest.FixtureRequest, client: Client, store: EmbeddedStore) -> Client:
    if request.param == "history":
        store.flush()
    return client


def shown(client: Client, query: str = "") -> dict[int, dict[str, Any]]:
    answer = client.get(f"/api/procession/v1/processes?language=procession&{query}", headers=READER)
    assert answer.status_code == 200, answer.text
    return {item["attributes"]["pid"]: item["attributes"] for item in answer.json()["data"]}


@pytest.mark.parametrize("window", ["", f"at={NOON - 25}", f"from={NOON - 31}&to={NOON - 19}", f"at={NOON - 20}"])
def test_what_was_sent_is_shown_and_what_was_not_is_null(asked: Client, window: str) -> None:
    found = shown(asked, window)

    assert {pid: tuple(one["numbers"][name] for name in NAMES) for pid, one in found.items()} == EXPECTED
    assert {one["numbers"]["net_received_bytes_per_second"] for one in found.values()} == {None}


@pytest.mark.parametrize(
    ("search", "pids"),
    [
        ("net>=100", {3, 4}),
        ("net:0", {2, 5}),
        ("net:*", {2, 3, 4, 5}),
        ("!net:*", {1, 6, 7}),
        ("net_connections_per_second>0.25", {3, 5, 7}),
        ("received:*", set()),
    ],
)
def test_searches_compare_it(asked: Client, search: str, pids: set[int]) -> None:
    for window in (f"at={NOON - 20}", f"from={NOON - 31}&to={NOON - 19}"):
        assert set(shown(asked, f"search={search}&{window}")) == pids, window


@pytest.mark.parametrize(("metric", "place"), [("bytes_rate", 0), ("connections_rate", 1)])
def test_queries_add_it_up_where_it_is_known(asked: Client, metric: str, place: int) -> None:
    query = {"name": "a", "data_source": "process", "metric": f"process.stat.net.{metric}", "aggregator": "max"}
    attributes = {"from": (NOON - 30) * 1000, "to": (NOON - 10) * 1000, "queries": [query]}
    body = {"data": {"type": "scalar_request", "attributes": attributes}}

    answer = asked.post("/api/v2/query/scalar", json=body, headers=READER)

    assert answer.status_code == 200, answer.text
    groups, numbers = answer.json()["data"]["attributes"]["columns"]
    found = dict(zip((one for (one,) in groups["values"]), numbers["values"], strict=True))
    known = {f"run-{pid}": values[place] for pid, values in EXPECTED.items() if values[place] is not None}
    assert found == known


def test_numbers_sent_while_somebody_watches_have_it_too(client: Client) -> None:
    message = pb.CollectorRealTime(hostName="web-1", groupId=2, groupSize=1)
    for pid, rate in ((3, 7.0), (4, None)):
        stat = message.stats.add(pid=pid, createTime=(NOON - 100) * 1000, processState=pb.S)
        stat.memory.rss = 8192
        if rate is not None:
            stat.networks.bytesRate = rate
    payload = frame.encode(MessageType.REAL_TIME, message.SerializeToString())

    assert post(client, payload, x_dd_agent_timestamp=str(NOON - 5)).status_code == 200

    found = shown(client, f"from={NOON - 31}&to={NOON}")
    assert {pid: tuple(found[pid]["numbers"][name] for name in NAMES) for pid in (1, 3, 4)} == {
        1: (None, None),
        3: (7.0, 0.0),
        4: (None, None),
    }
