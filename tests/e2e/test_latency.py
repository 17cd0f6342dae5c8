"""How long an agent waits for its answer. It posts one payload at a time: a slow intake holds up its next snapshot."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessNumbers
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, running

HOSTS, PROCESSES, SNAPSHOTS = 20, 100, 8
PERIOD_SECONDS = 0.5
"""As much as 400 hosts post that take a snapshot every ten seconds."""

# docs/performance.md has what a machine of its own takes. A busy machine must not fail for being busy.
MEDIAN_SECONDS, P99_SECONDS = 1.0, 10.0


class Host(threading.Thread):
    """Posts snapshot after snapshot, and takes the time of each."""

    def __init__(self, address: str, api_key: str, number: int) -> None:
        super().__init__(daemon=True)
        self.seconds: list[float] = []
        self._address = address
        self._api_key = api_key
        self._number = number

    def run(self) -> None:
        name, begin = f"host-{self._number}", time.monotonic() + self._number * PERIOD_SECONDS / HOSTS
        started_at = int(time.time()) - 1000
        maker = PayloadMaker(host=name, run=1, started_at=started_at, max_processes=PROCESSES)
        connection = http.client.HTTPConnection(self._address, timeout=60)
        for turn in range(SNAPSHOTS):
            numbers = ProcessNumbers(cpu_total_percent=1.5 + turn, rss_bytes=2**20 + turn, threads=4, state="S")
            sightings = [
                a_sighting(pid, started_at, numbers, cmdline=f"/usr/bin/program --number {pid} --of {name}")
                for pid in range(1, PROCESSES + 1)
            ]
            payloads = maker.make(a_snapshot(*sightings, host=name, taken_at=int(time.time())))
            time.sleep(max(0.0, begin + turn * PERIOD_SECONDS - time.monotonic()))
            for payload in payloads:
                headers = {**payload.headers, "DD-Api-Key": self._api_key}
                asked_at = time.monotonic()
                connection.request("POST", payload.path, payload.body, headers)
                response = connection.getresponse()
                response.read()
                assert response.status < 300
                self.seconds.append(time.monotonic() - asked_at)


def test_a_payload_is_acknowledged_before_the_next_is_due(tmp_path: Path) -> None:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"))
    with running("serve", *options, environment=clean_environment(DD_API_KEY="a" * 32)) as server:
        url = next(word for word in server.line_with("http://").split() if word.startswith("http://"))
        hosts = [Host(urlsplit(url).netloc, "a" * 32, number) for number in range(HOSTS)]
        for host in hosts:
            host.start()
        for host in hosts:
            host.join(120)

    seconds = [one for host in hosts for one in host.seconds]
    assert len(seconds) >= HOSTS * SNAPSHOTS
    median, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    assert median <= MEDIAN_SECONDS, f"median {median * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"
    assert p99 <= P99_SECONDS, f"median {median * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms"
