"""What users notice when parts of a cluster die: 503 at the worst, and never a wrong answer."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ServiceException
from datadog_api_client.v2.api.processes_api import ProcessesApi

from procession.agent.send.payload_maker import PayloadMaker
from procession.errors import Unavailable
from tests.cluster.nodes.pair import API_KEY, APPLICATION_KEY, Pair
from tests.cluster.nodes.running import Cluster
from tests.cluster.nodes.stores import THIRTY_YEARS, servers
from tests.support.agents.posting import COLLECTOR, a_payload
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.running import eventually
from tests.support.stores.fleet import Fleet

HOSTS = [f"host-{number}" for number in range(4)]
LASTING = range(1, 41)
"""Pids that live all the time; others live for one snapshot."""


def revive(nodes: Cluster, number: int) -> None:
    """As a replica that has caught up."""
    node = nodes.nodes[number]
    node.start(takes_part=False)
    node.wait()
    for database in ("procession", "procession_local"):
        node.copy_from(nodes.peer_of(node), database)
    node.take_part()


def test_reads_go_on_without_a_replica_and_what_its_shard_cannot_keep_is_refused_alone(mortal: Cluster) -> None:
    from procession.storage import NotAllStored
    from procession.storage.setup import open_servers

    store = open_servers(servers(mortal.address()), sighting_retention_hours=THIRTY_YEARS)
    hosts = [f"web-{number}" for number in range(8)]
    chunks = [(7, a_snapshot(a_sighting(5), host=host, taken_at=NOON, request_id=1)) for host in hosts]
    store.add(chunks)
    fleet = Fleet(store, 7)
    expected = fleet.find(NOON - 60, NOON + 60)
    later = [(7, a_snapshot(a_sighting(6), host=host, taken_at=NOON, request_id=2)) for host in hosts]

    mortal.nodes[1].kill()
    try:
        for _ in range(5):
            assert fleet.find(NOON - 60, NOON + 60) == expected
        with pytest.raises(NotAllStored) as caught:
            store.add(later)
    finally:
        revive(mortal, 1)

    assert len(expected) == len(hosts)
    assert 0 < len(caught.value.failed_indexes) < len(hosts)
    kept = {host for place, host in enumerate(hosts) if place not in caught.value.failed_indexes}
    assert kept <= {one.identity.host for one in fleet.find(NOON - 60, NOON + 60) if one.identity.pid == 6}
    store.add(later)
    assert len(fleet.find(NOON - 60, NOON + 60)) == 2 * len(hosts)
    store.close()


def test_without_a_whole_shard_nothing_is_answered(mortal: Cluster) -> None:
    from procession.storage.setup import open_servers

    store = open_servers(servers(mortal.address()), sighting_retention_hours=THIRTY_YEARS)
    fleet = Fleet(store, 8)
    fleet.see(NOON)
    mortal.nodes[2].kill()
    mortal.nodes[3].kill()
    try:
        with pytest.raises(Unavailable):
            fleet.find(NOON - 60, NOON + 60)
    finally:
        for number in (2, 3):
            mortal.nodes[number].start()
            mortal.nodes[number].wait_until_in_cluster()

    assert fleet.pids(NOON - 60, NOON + 60) == [7]
    store.close()


def test_a_replica_that_hangs_does_not_keep_reads_waiting(mortal: Cluster) -> None:
    from procession.storage.setup import open_servers

    address = servers(mortal.address())
    store = open_servers(replace(address, hosts=address.hosts[:1]))
    fleet = Fleet(store, 9)
    fleet.see(NOON)
    mortal.nodes[3].halt()
    try:
        begin = time.monotonic()
        assert fleet.pids(NOON - 60, NOON + 60) == [7]
        seconds = time.monotonic() - begin
    finally:
        mortal.nodes[3].go_on()

    assert seconds < 30
    store.close()


def _host_and_pid(row: Any) -> tuple[str, int]:
    (host,) = (tag.removeprefix("host:") for tag in row.attributes.tags if tag.startswith("host:"))
    return host, row.attributes.pid


@pytest.fixture(scope="module")
def pair_on_mortal(mortal: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers on nodes that may be ended. Who ends one of these starts it again."""
    with closing(Pair(tmp_path_factory.mktemp("pair"), mortal.address(), "--rate-limit", "0")) as found:
        yield found


def statuses(pair: Pair, path: str) -> list[int]:
    return [httpx.get(url + path, timeout=60).status_code for url in pair.urls]


def test_servers_say_so_while_a_shard_cannot_be_asked_and_go_on_after(mortal: Cluster, pair_on_mortal: Pair) -> None:
    pair = pair_on_mortal
    now = int(time.time())
    body = a_payload(a_snapshot(a_sighting(5, now - 60), host="kept", taken_at=now))

    def posted() -> list[int]:
        headers = {"dd-api-key": API_KEY}
        return [httpx.post(url + COLLECTOR, content=body, headers=headers, timeout=60).status_code for url in pair.urls]

    assert (statuses(pair, "/healthz"), statuses(pair, "/readyz"), posted()) == ([200, 200], [200, 200], [200, 200])

    for node in mortal.replicas_of(0):
        node.kill()
    try:
        eventually(lambda: statuses(pair, "/readyz") == [503, 503], what="no longer ready", seconds=60)
        alive, refused = statuses(pair, "/healthz"), posted()
    finally:
        for node in mortal.replicas_of(0):
            node.start()
            node.wait_until_in_cluster()
    eventually(lambda: statuses(pair, "/readyz") == [200, 200], what="ready again", seconds=60)

    assert alive == [200, 200]
    assert refused == [503, 503]
    assert posted() == [200, 200]


class Agents(threading.Thread):
    """Agents that post snapshot after snapshot, to one server or the other, and try again what was not taken."""

    def __init__(self, urls: list[str], began: int) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[tuple[str, int, tuple[int, ...]]] = []
        """Host, moment and pids of each snapshot."""
        self.statuses: set[int] = set()
        self.done = threading.Event()
        self._urls = urls
        self._began = began
        self._makers = {host: PayloadMaker(host=host, run=1, started_at=began) for host in HOSTS}

    def run(self) -> None:
        turn = 0
        while not self.done.is_set():
            now = int(time.time())
            turn += 1
            for host in HOSTS:
                pids = (*LASTING, *range(1000 + 5 * turn, 1005 + 5 * turn))
                payloads = list(
                    self._makers[host].make(
                        a_snapshot(*(a_sighting(pid, self._began - pid % 7) for pid in pids), host=host, taken_at=now)
                    )
                )
                for payload in payloads:
                    while not self._post(payload.body, payload.headers, turn) and not self.done.is_set():
                        turn += 1
                        self.done.wait(0.1)
                if not self.done.is_set():
                    self.acknowledged.append((host, now, pids))
            self.done.wait(0.2)

    def _post(self, body: bytes, headers: dict[str, str], turn: int) -> bool:
        connection = http.client.HTTPConnection(urlsplit(self._urls[turn % 2]).netloc, timeout=60)
        try:
            connection.request("POST", "/api/v1/collector", body, {**headers, "DD-Api-Key": API_KEY})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        self.statuses.add(status)
        return status == 200


def test_a_scan_over_two_servers_is_whole_though_a_replica_and_a_server_die_in_between(
    mortal: Cluster, pair_on_mortal: Pair
) -> None:
    pair = pair_on_mortal
    began = int(time.time()) - 60

    with ExitStack() as stack:
        agents = Agents(pair.urls, began)
        agents.start()
        stack.callback(agents.join, 60)
        stack.callback(agents.done.set)
        eventually(lambda: len(agents.acknowledged) >= 3 * len(HOSTS), what="the first snapshots", seconds=60)
        to_at = int(time.time())
        eventually(lambda: any(at >= to_at + 2 for _, at, _ in agents.acknowledged), what="later snapshots", seconds=60)
        clients = []
        for url in pair.urls:
            configuration = Configuration(host=url)
            configuration.api_key["apiKeyAuth"] = API_KEY
            configuration.api_key["appKeyAuth"] = APPLICATION_KEY
            configuration.enable_retry = True
            clients.append(ProcessesApi(stack.enter_context(ApiClient(configuration))))
        api, other = clients

        scanned: list[str] = []
        errors: list[int] = []
        pages = 0
        cursor: dict[str, Any] = {}
        while len(errors) < 100:
            try:
                page = (api if pages % 2 else other).list_processes(to=to_at, page_limit=17, **cursor)
            except ServiceException as error:
                errors.append(error.status)
                continue
            if not page.data:
                break
            scanned += [row.id for row in page.data]
            cursor = {"page_cursor": page.meta.page.after}
            pages += 1
            if pages == 3:
                mortal.nodes[3].kill()
            elif pages == 6:
                count = len(agents.acknowledged)
                revive(mortal, 3)
                eventually(lambda count=count: len(agents.acknowledged) > count, what="posting", seconds=60)  # type: ignore[misc]
            elif pages == 8:
                pair.kill(0)
                pair.restart(0)
        agents.done.set()
        agents.join(60)
        expected = {(host, pid) for host, at, pids in agents.acknowledged if at <= to_at for pid in pids}
        final = [_host_and_pid(row) for row in other.list_processes_with_pagination(to=to_at, page_limit=1000)]
        newest = int(time.time()) + 60
        everything = {
            _host_and_pid(row)
            for row in other.list_processes_with_pagination(to=newest, _from=began - 100, page_limit=1000)
        }

    assert pages > 8
    assert len(set(scanned)) == len(scanned)
    assert len(scanned) >= len(expected) > len(HOSTS) * len(LASTING)
    assert set(final) >= expected
    assert len(final) == len(set(final))
    assert everything >= {(host, pid) for host, _, pids in agents.acknowledged for pid in pids}
    assert agents.statuses <= {200, 503}
    assert set(errors) <= {503}
