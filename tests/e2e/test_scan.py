"""A scan of the fleet in pages, while agents post, processes come and go, and the server is killed in between."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.processes_api import ProcessesApi

from procession.agent.send.payload_maker import PayloadMaker
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import Running, clean_environment, eventually, running

API_KEY, APPLICATION_KEY = "c" * 32, "d" * 40
HOSTS = [f"host-{number}" for number in range(3)]
LASTING = range(1, 121)
"""Pids that live all the time; others live for one snapshot."""


class Fleet(threading.Thread):
    """Agents that post snapshot after snapshot, and wait while there is no server."""

    def __init__(self, port: int, began: int) -> None:
        super().__init__(daemon=True)
        self.rounds = 0
        self.done = threading.Event()
        self._port = port
        self._began = began
        self._makers = {host: PayloadMaker(host=host, run=1, started_at=began) for host in HOSTS}

    def run(self) -> None:
        while not self.done.is_set():
            now = int(time.time())
            if all(self._post(host, now) for host in HOSTS):
                self.rounds += 1

    def _post(self, host: str, now: int) -> bool:
        passing = range(1000 + 10 * self.rounds, 1010 + 10 * self.rounds)
        sightings = [a_sighting(pid, self._began - pid % 7) for pid in LASTING]
        sightings += [a_sighting(pid, self._began - pid % 7) for pid in passing]
        try:
            for payload in self._makers[host].make(a_snapshot(*sightings, host=host, taken_at=now)):
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
                connection.request(
                    "POST", "/api/v1/collector", payload.body, {**payload.headers, "DD-Api-Key": API_KEY}
                )
                if connection.getresponse().status != 200:
                    return False
                connection.close()
        except (OSError, http.client.HTTPException):
            self.done.wait(0.05)  # no server; look again soon
            return False
        return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_a_scan_yields_each_process_once_though_the_server_is_killed_in_between(tmp_path: Path) -> None:
    port = free_port()
    began = int(time.time()) - 60
    configuration = Configuration(host=f"http://127.0.0.1:{port}")
    configuration.api_key["apiKeyAuth"] = API_KEY
    configuration.api_key["appKeyAuth"] = APPLICATION_KEY
    keys = clean_environment(DD_API_KEY=API_KEY, DD_APP_KEY=APPLICATION_KEY)
    options = ("--listen", f"127.0.0.1:{port}", "--data-dir", str(tmp_path), "--rate-limit", "0")

    with ExitStack() as stack, ApiClient(configuration) as client:

        def serve() -> Running:
            server = stack.enter_context(running("serve", *options, environment=keys))
            server.line_with("http://")
            return server

        server = serve()
        fleet = Fleet(port, began)
        fleet.start()
        stack.callback(fleet.join, 30)
        stack.callback(fleet.done.set)
        eventually(lambda: fleet.rounds >= 1, what="the first snapshots")
        to_at = int(time.time())  # not before the moment of any of them
        eventually(lambda: fleet.rounds >= 3 and time.time() >= to_at + 2, what="later snapshots")
        api = ProcessesApi(client)
        before = [row.id for row in api.list_processes_with_pagination(to=to_at, page_limit=1000)]

        scanned: list[str] = []
        page = api.list_processes(to=to_at, page_limit=7)
        pages = 0
        while page.data:
            scanned += [row.id for row in page.data]
            pages += 1
            if pages in (5, 20):
                server.kill()
                server = serve()
                rounds = fleet.rounds
                eventually(lambda rounds=rounds: fleet.rounds > rounds, what="posting after the restart")  # type: ignore[misc]
            page = api.list_processes(to=to_at, page_limit=7, page_cursor=page.meta.page.after)

    assert pages > 20
    assert len(set(scanned)) == len(scanned)
    # What was acknowledged only after the first page, for an earlier moment, may have come on top.
    assert set(scanned) >= set(before)
    assert len(before) > len(HOSTS) * len(LASTING)
