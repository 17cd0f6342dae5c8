"""Servers are restarted one by one: what one has begun it finishes, and what was acknowledged is there."""

from __future__ import annotations

import http.client
import secrets
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.cluster.nodes.pair import Pair
from tests.conformance.conftest import Keys, Server
from tests.support.agents.posting import COLLECTOR, a_payload
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import eventually

UNDER_WAY = 4
SLOWLY_SECONDS = 3.0
"""Longer than a server takes by default, shorter than these are given."""


@pytest.fixture
def keys(pair: Pair) -> Keys:
    """Of an org of its own, that both servers know."""
    server = Server(pair.urls[0], pair.data_dir(0))
    made = server.new_org(secrets.token_hex(8))
    server.http.close()
    eventually(lambda: [status(url, made) for url in pair.urls] == [200, 200], what="the keys at both")
    return made


def status(url: str, keys: Keys) -> int:
    return httpx.get(f"{url}/api/v2/processes?page[limit]=1", headers=keys.headers, timeout=60).status_code


def payload(host: str, pid: int) -> bytes:
    now = int(time.time())
    return a_payload(a_snapshot(a_sighting(pid, now - 100), host=host, taken_at=now, request_id=pid))


def pids(url: str, keys: Keys, host: str) -> set[int]:
    """What is found on a host now."""
    parameters: dict[str, str | int] = {"tags": f"host:{host}", "page[limit]": 10_000}
    answer = httpx.get(f"{url}/api/v2/processes", params=parameters, headers=keys.headers, timeout=60)
    return {row["attributes"]["pid"] for row in answer.raise_for_status().json()["data"]}


def begin_to_post(url: str, keys: Keys, body: bytes) -> socket.socket:
    """A request of which the server has the head, and waits for the rest."""
    place = urlsplit(url)
    client = socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60)
    head = (
        f"POST {COLLECTOR} HTTP/1.1\r\nHost: {place.netloc}\r\nDD-Api-Key: {keys.api_key}\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    client.sendall(head.encode())
    assert client.recv(1000).startswith(b"HTTP/1.1 100")
    return client


def is_refused(url: str) -> bool:
    place = urlsplit(url)
    try:
        socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_server_that_is_asked_to_stop_finishes_what_it_has_begun(pair: Pair, keys: Keys) -> None:
    bodies = [payload("begun", pid) for pid in range(1, UNDER_WAY + 1)]
    clients = [begin_to_post(pair.urls[0], keys, body) for body in bodies]
    server = pair.begin_to_stop(0)
    try:
        eventually(lambda: is_refused(pair.urls[0]), what="the end of listening")
        for place in range(len(bodies[0])):
            threading.Event().wait(SLOWLY_SECONDS / len(bodies[0]))
            for client, body in zip(clients, bodies, strict=True):
                client.sendall(body[place : place + 1] if place < len(bodies[0]) - 1 else body[place:])
        answers = [client.recv(10_000) for client in clients]
        code = server.wait()
    finally:
        for client in clients:
            client.close()
        server.kill()
        pair.restart(0)

    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * UNDER_WAY
    assert code == 0
    assert pids(pair.urls[1], keys, "begun") == set(range(1, UNDER_WAY + 1))


class Clients(threading.Thread):
    """Posts and asks in turns, at the servers that a balancer would send it to, and never again for the same."""

    def __init__(self, host: str, keys: Keys, urls: list[str]) -> None:
        super().__init__(daemon=True)
        self.host = host
        self._keys = keys
        self.acknowledged: set[int] = set()
        self.answered = 0
        self.lost: list[str] = []
        self.done = threading.Event()
        self._urls = urls
        self._choosing = threading.Lock()

    def use(self, urls: list[str]) -> None:
        """Of requests that begin from now on: what a balancer does."""
        with self._choosing:
            self._urls = urls

    def run(self) -> None:
        pid = 0
        while not self.done.is_set():
            pid += 1
            if self._status("POST", COLLECTOR, payload(self.host, pid)) == 200:
                self.acknowledged.add(pid)
            self._status("GET", "/api/v2/processes?page[limit]=10", None)

    def _status(self, method: str, path: str, body: bytes | None) -> int:
        with self._choosing:
            url = self._urls[self.answered // 2 % len(self._urls)]
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
            connection.connect()
        try:
            connection.request(method, path, body, self._keys.headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.lost.append(f"{method} {url}: {error!r}")
            return 0
        finally:
            connection.close()
        if answer.status != 200:
            self.lost.append(f"{method} {url}: {answer.status}")
        self.answered += 1
        return answer.status


def test_restarts_one_by_one_lose_no_request(pair: Pair, keys: Keys) -> None:
    clients = [Clients(f"restarted-{number}", keys, pair.urls) for number in range(3)]
    for client in clients:
        client.start()

    try:
        for number in range(2):
            some_more(clients)
            for client in clients:
                client.use([pair.urls[1 - number]])
            server = pair.begin_to_stop(number)
            assert server.wait() == 0
            some_more(clients)
            pair.restart(number)
            for client in clients:
                client.use(pair.urls)
        some_more(clients)
    finally:
        for client in clients:
            client.done.set()
        for client in clients:
            client.join(60)

    assert [client.lost for client in clients] == [[], [], []]
    for client in clients:
        assert client.acknowledged
        assert pids(pair.urls[0], keys, client.host) == pids(pair.urls[1], keys, client.host) == client.acknowledged


def some_more(clients: list[Clients]) -> None:
    """Until each has been answered a few times more."""
    wanted = [client.answered + 6 for client in clients]
    eventually(
        lambda: (
            all(client.answered >= count for client, count in zip(clients, wanted, strict=True))
            or any(client.lost for client in clients)
        ),
        what="answers",
        seconds=60,
    )


@pytest.fixture(autouse=True)
def both_run(pair: Pair) -> None:
    """Else another test has left it so."""
    assert not any(is_refused(url) for url in pair.urls)
