"""An agent and servers: one that takes columns, the same after a `kill -9`, and one that never heard of them."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from procession.wire.columns.offer import PATH
from tests.support.agents.intake import FakeIntake, Reply
from tests.support.agents.proc_tree import ProcTree
from tests.support.running import Running, clean_environment, eventually, running

API_KEY, APPLICATION_KEY = "c" * 32, "d" * 40
HEADERS = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY}


def serve(data_dir: Path, port: int = 0) -> tuple[Running, str]:
    options = ("--listen", f"127.0.0.1:{port}", "--data-dir", str(data_dir), "--rate-limit", "0")
    server = Running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY, DD_APP_KEY=APPLICATION_KEY))
    try:
        return server, next(word for word in server.line_with("http://").split() if word.startswith("http://"))
    except BaseException:
        server.kill()
        raise


def answers(url: str, path: str) -> dict[int, int]:
    """How many of each status the server has given."""
    metrics = httpx.get(f"{url}/metrics", headers=HEADERS).text
    found = re.findall(rf'http_requests_total{{method="POST",route="{path}",status="(\d+)"}} (\d+)', metrics)
    return {int(status): int(count) for status, count in found}


def pids(url: str) -> set[int]:
    items = httpx.get(f"{url}/api/v2/processes", headers=HEADERS).raise_for_status().json()["data"]
    return {item["attributes"]["pid"] for item in items}


def test_columns_survive_servers_that_come_and_go(tmp_path: Path) -> None:
    tree = ProcTree(tmp_path / "proc")
    tree.put(7)
    tree.put(8)
    server, url = serve(tmp_path / "data")
    port = urlsplit(url).port or 0
    environment = clean_environment(XDG_STATE_HOME=str(tmp_path), PROCESSION_SPOOL="true")
    pace = ("--interval-seconds", "0.2", "--max-cpu", "0", "--hostname", "web-1")
    options = ("agent", "--url", url, "--api-key", API_KEY, "--proc-root", str(tree.root), *pace)
    try:
        with running(*options, environment=environment) as agent:
            eventually(lambda: answers(url, PATH).get(200, 0) >= 3, what="columns")
            assert answers(url, PATH).keys() == {200}
            assert pids(url) == {7, 8}

            server.process.send_signal(signal.SIGKILL)
            server.wait()
            tree.put(9)
            agent.line_with("cannot reach")
            server, _ = serve(tmp_path / "data", port)
            agent.line_with("takes payloads again")
            eventually(lambda: answers(url, PATH).get(200, 0) >= 5, what="columns after a kill")
            assert answers(url, PATH).get(409, 0) <= 1
            assert answers(url, PATH).keys() <= {200, 409}
            eventually(lambda: pids(url) == {7, 8, 9}, what="the new process")

            server.stop()
            old = FakeIntake(port)
            old.unknown_paths.add(PATH)
            old.usual = Reply(closes=True)  # else the agent would go on with it
            try:
                agent.line_with("takes no columns")
                tree.put(10)
                eventually(
                    lambda: [
                        post
                        for post in old.posted.copy()
                        if post.path != PATH and {one.pid for one in post.snapshot.sightings} == {7, 8, 9, 10}
                    ],
                    what="Datadog's format",
                )
                assert all(post.snapshot.host == "web-1" for post in old.posted if post.path != PATH)
            finally:
                old.close()

            server, _ = serve(tmp_path / "data", port)
            eventually(lambda: answers(url, "/api/v1/collector").get(200, 0) >= 2, what="the server of before")
            eventually(lambda: pids(url) == {7, 8, 9, 10}, what="the last process")
            agent.stop()
    finally:
        server.kill()
