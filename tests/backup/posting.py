"""Agents that post by HTTP while a store is backed up, and a command that waits in the middle of its copy."""

from __future__ import annotations

import http.client
import math
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.agents.posters import Poster
from tests.support.running import Running, clean_environment, eventually, running
from tests.upgrade.keeping import API_KEY, SERVING, STEP, Maker, environment_of, url_in

CHUNK = 5
"""Processes in each snapshot of an agent: none of them was in the one before."""

_PACE_SECONDS = 0.1
_STEPS = 18


@dataclass(frozen=True)
class Post:
    number: int
    taken_at: int
    """The snapshot is of this second or a later one."""
    sent_at: float
    acknowledged_at: float
    """Infinite where it never was."""


class PostingAgent:
    """One snapshot after the other, each once the one before was acknowledged, for as long as the server is there."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.posts: list[Post] = []
        self._poster = Poster(API_KEY, host, chunk=CHUNK)
        self._is_over = threading.Event()
        self._thread = threading.Thread()

    def begin(self, url: str) -> None:
        self._is_over.clear()
        self._thread = threading.Thread(target=self._run, args=(urlsplit(url).netloc,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def await_posts(self, count: int) -> None:
        """So many more, acknowledged."""
        wanted = len(self.posts) + count
        eventually(lambda: len(self.posts) >= wanted, what=f"{count} posts of {self.host}")

    def _run(self, address: str) -> None:
        with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
            while not self._is_over.wait(_PACE_SECONDS):
                taken_at, sent_at, acknowledged_at = int(time.time()), time.monotonic(), math.inf
                try:
                    if self._poster.post(connection) == 200:
                        acknowledged_at = time.monotonic()
                except (OSError, http.client.HTTPException):
                    return
                finally:
                    self.posts.append(Post(self._poster.sent[-1], taken_at, sent_at, acknowledged_at))


@dataclass
class Fleet:
    """A server with a past, and agents that go on posting to it."""

    data_dir: Path
    agents: tuple[PostingAgent, ...]
    maker: Maker
    begin: int
    server: Running
    url: str

    @property
    def reader(self) -> dict[str, str]:
        return self.maker.reader

    def start(self) -> None:
        """The server, anew."""
        self.server, self.url = serve(self.data_dir)

    @contextmanager
    def posting(self) -> Iterator[None]:
        for agent in self.agents:
            agent.begin(self.url)
        self.await_posts(2)
        try:
            yield
        finally:
            for agent in self.agents:
                agent.end()

    def await_posts(self, count: int) -> None:
        for agent in self.agents:
            agent.await_posts(count)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, headers=self.reader)


def serve(data_dir: Path) -> tuple[Running, str]:
    server = Running("serve", "--data-dir", str(data_dir), *SERVING, environment=environment_of(None))
    try:
        return server, url_in(server.line_with("http://"))
    except BaseException:
        server.kill()
        raise


@contextmanager
def fleet_in(data_dir: Path) -> Iterator[Fleet]:
    end = int(time.time()) // STEP * STEP - STEP
    begin = end - _STEPS * STEP
    server, url = serve(data_dir)
    agents = tuple(PostingAgent(f"load-{number}") for number in range(3))
    fleet = Fleet(data_dir, agents, Maker(begin), begin, server, url)
    try:
        with httpx.Client(base_url=url, timeout=60) as client:
            fleet.maker.set_all(client, data_dir)
            fleet.maker.post(client, range(_STEPS + 1))
        yield fleet
    finally:
        fleet.server.kill()


@contextmanager
def restored_server(data_dir: Path, reader: Mapping[str, str]) -> Iterator[httpx.Client]:
    with running("serve", "--data-dir", str(data_dir), *SERVING, environment=environment_of(None)) as server:
        url = url_in(server.line_with("http://"))
        with httpx.Client(base_url=url, timeout=60, headers=dict(reader)) as client:
            yield client
        server.stop()


def moment_of(agents: Sequence[PostingAgent], client: httpx.Client) -> int:
    """The last second of which a restored store has all that was posted. What it has is of one moment: of each agent
    all snapshots up to one, and none that was acknowledged before another that it has was sent."""
    inside: list[Post] = []
    outside: list[Post] = []
    for agent in agents:
        processes = Counter(pid // CHUNK for pid in pids_of(client, agent))
        assert set(processes.values()) == {CHUNK}
        # One that was cut off may have come, or not.
        acknowledged = [post for post in agent.posts if post.acknowledged_at < math.inf]
        count = sum(post.number in processes for post in acknowledged)
        assert all(post.number in processes for post in acknowledged[:count])
        assert 0 < count < len(acknowledged), "nothing of it was posted before, or nothing after"
        inside += acknowledged[:count]
        outside += acknowledged[count:]
    assert max(one.sent_at for one in inside) <= min(one.acknowledged_at for one in outside)
    return min(one.taken_at for one in outside) - 1


def pids_of(client: httpx.Client, agent: PostingAgent) -> Iterator[int]:
    window: dict[str, Any] = {"from": agent.posts[0].taken_at, "to": int(time.time()) + 60}
    after: dict[str, str] = {}
    while True:
        asked = window | after | {"tags": f"host:{agent.host}", "page[limit]": 1000}
        answer = client.get("/api/v2/processes", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield from (int(process["attributes"]["pid"]) for process in page["data"])
        cursor = page["meta"]["page"].get("after")
        if not cursor:
            return
        after = {"page[cursor]": cursor}


STOPPING = """
import sys
from procession.cli import main
from procession.cli.terminal.byte_progress import ByteProgress

show = ByteProgress.__call__
stopped = []

def show_and_stop(self, done, total):
    show(self, done, total)
    if 0 < done < total and not stopped:
        stopped.append(done)
        print("in the middle", flush=True)
        sys.stdin.readline()

ByteProgress.__call__ = show_and_stop
main()
"""


class Halfway:
    """`procession backup` or `restore`: it has copied some of it, and waits."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", STOPPING, *map(str, arguments)],
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        self.said: list[str] = []
        for line in self._process.stdout:
            if line == "in the middle\n":
                return
            self.said.append(line.rstrip())
        raise AssertionError(f"it ended before: {self.said}")

    def kill(self) -> None:
        self._process.kill()
        self._end()
        assert self._process.returncode == -signal.SIGKILL

    def go_on(self) -> int:
        """Up to its end. Gives the exit code."""
        self._end("\n")
        return self._process.returncode

    def _end(self, told: str | None = None) -> None:
        said, _ = self._process.communicate(told, timeout=120)
        self.said += said.splitlines()


def frozen_in(data_dir: Path) -> list[Path]:
    """What stands still in a store."""
    return list((data_dir / "clickhouse" / "shadow").glob("backup*"))
