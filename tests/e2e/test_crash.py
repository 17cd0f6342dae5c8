"""What was acknowledged is there, however the server ends."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from procession.agent.payloads import PayloadMaker
from procession.cli.client import Access
from procession.cli.ps import find_processes
from procession.config import ClientSettings
from procession.process import MAX_UINT32
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import eventually, up

HOSTS = 4


class Poster(threading.Thread):
    """An agent that posts a snapshot of one new process after the other, until the server is gone."""

    def __init__(self, url: str, api_key: str, host: str, first_pid: int) -> None:
        super().__init__(daemon=True)
        self.host = host
        self.acknowledged: list[int] = []
        self._address = urlsplit(url).netloc
        self._api_key = api_key
        self._pids = itertools.count(first_pid)

    def run(self) -> None:
        maker = PayloadMaker(host=self.host, agent_pid=1, started_at=int(time.time()))
        connection = http.client.HTTPConnection(self._address, timeout=10)
        for pid in self._pids:
            now = int(time.time())
            snapshot = a_snapshot(a_sighting(pid, now - 100), host=self.host, taken_at=now)
            (payload,) = maker.make(snapshot)
            try:
                connection.request(
                    "POST", "/api/v1/collector", payload.body, {**payload.headers, "DD-Api-Key": self._api_key}
                )
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                return
            assert response.status == 200
            self.acknowledged.append(pid)


@pytest.mark.parametrize("posts", [20, 120])
def test_what_was_acknowledged_before_a_kill_is_answered_after_it(tmp_path: Path, posts: int) -> None:
    data_dir = tmp_path / "data"
    acknowledged: set[tuple[str, int]] = set()
    for turn in range(2):
        with up(data_dir) as (server, url):
            api_key = (data_dir / "keys" / "api-key").read_text().strip()
            posters = [Poster(url, api_key, f"host-{n}", turn * 1_000_000 + 1) for n in range(HOSTS)]
            for poster in posters:
                poster.start()

            eventually(
                lambda posters=posters: sum(len(poster.acknowledged) for poster in posters) >= posts,  # type: ignore[misc]
                seconds=60,
                what="posting",
            )
            server.kill()

            for poster in posters:
                poster.join()
                acknowledged |= {(poster.host, pid) for pid in poster.acknowledged}

    with up(data_dir):
        access = Access.of(ClientSettings(data_dir=str(data_dir)))
        found = {
            (item["attributes"]["host"], item["attributes"]["pid"]) for item in find_processes(access, {}, MAX_UINT32)
        }

    assert len(acknowledged) >= 2 * posts
    assert acknowledged - found == set()
