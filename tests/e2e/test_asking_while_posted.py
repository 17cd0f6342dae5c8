"""Over HTTP, asked as fast as it goes while an agent posts: a process that lives has ended in no answer."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessNumbers
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, running

API = "/api/procession/v1"
API_KEY, APPLICATION_KEY = "a" * 32, "b" * 40
ANSWERS = 300
PIDS = range(1, 9)


class Agent(threading.Thread):
    """Posts one complete snapshot after the other, of processes that all live, each in two payloads."""

    def __init__(self, address: str, host: str) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self.has_posted = threading.Event()
        self.is_over = threading.Event()
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self._host = host
        self._started_at = int(time.time()) - 1000

    def run(self) -> None:
        maker = PayloadMaker(host=self._host, run=1, started_at=self._started_at, max_processes=len(PIDS) // 2)
        # A second later each time, from half a minute ago on, and from then on as time goes.
        taken_at = int(time.time()) - 30
        while not self.is_over.is_set():
            sightings = [a_sighting(pid, self._started_at, ProcessNumbers(rss_bytes=1, state="S")) for pid in PIDS]
            for payload in maker.make(a_snapshot(*sightings, host=self._host, taken_at=taken_at)):
                headers = {**payload.headers, "DD-Api-Key": API_KEY}
                self._connection.request("POST", payload.path, payload.body, headers)
                response = self._connection.getresponse()
                response.read()
                assert response.status == 200
            taken_at = min(taken_at + 1, int(time.time()))
            self.count += 1
            self.has_posted.set()


class Reader:
    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=60)

    def ask(self, path: str, **parameters: str | int) -> Any:
        keys = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY}
        self._connection.request("GET", f"{API}{path}?{urlencode(parameters)}", headers=keys)
        response = self._connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        return json.loads(body)

    def ends(self) -> Iterator[tuple[str, Any]]:
        """What each answer that can tell of an end says of a host's processes, one answer after the other."""
        listed = self.ask("/processes", tags="host:web-1")["data"]
        assert {one["attributes"]["pid"] for one in listed} == {*PIDS}
        yield "list", [one["attributes"]["ended"] for one in listed]
        one = listed[0]["id"]
        yield "one", [self.ask(f"/processes/{one}")["data"]["attributes"]["ended"]]
        yield "history", [self.ask(f"/processes/{one}/history")["ended"]]
        yield "history of sightings", [self.ask(f"/processes/{one}/history", every="sighting")["ended"]]
        runs = self.ask(f"/processes/{one}/runs")["data"]
        assert len(runs) == len(PIDS) - 1
        yield "runs", [run["attributes"]["ended"] for run in runs]
        found = self.ask("/processes", sort="-rss_bytes", search="host:web-1")
        assert found["meta"]["total"] == len(found["data"]) == len(PIDS)
        yield "instant", [one["attributes"]["ended"] for one in found["data"]]


def test_no_process_that_lives_has_ended_in_any_answer(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"), "--own-rate-limit", "1000000")
    keys = clean_environment(DD_API_KEY=API_KEY, DD_APP_KEY=APPLICATION_KEY)
    with running("serve", *options, environment=keys) as server:
        url = next(word for word in server.line_with("http://").split() if word.startswith("http://"))
        agents = [Agent(urlsplit(url).netloc, host) for host in ("web-1", "web-2")]
        for agent in agents:
            agent.start()
        for agent in agents:
            assert agent.has_posted.wait(60)
        reader, asked, wrong = Reader(urlsplit(url).netloc), 0, []
        while asked < ANSWERS:
            for what, ends in reader.ends():
                asked += 1
                wrong += [(what, ends)] if any(end is not None for end in ends) else []
        for agent in agents:
            agent.is_over.set()
            agent.join(60)

    assert wrong == []
    assert all(agent.count > 10 for agent in agents), "hardly anything was posted meanwhile"
