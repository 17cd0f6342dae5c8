"""A store that hangs for a while, as one whose disk does: nothing is answered wrongly, and it all goes on by itself."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.cluster.nodes.running import Cluster, cluster
from tests.cluster.nodes.stores import RULES, servers
from tests.faults.machines.hosts import NO_DIFFERENCE, PIDS, Host, difference
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import as_chunks
from tests.support.running import eventually
from tests.support.torture import is_full, quoted, record

PAUSE_SECONDS = 30.0 if is_full() else 5.0
RECOVERY_SECONDS = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Cluster]:
    """One node, as a process that can be halted."""
    from procession.storage.setup import initialize

    with cluster(tmp_path / "node", 1, 1) as found:
        initialize(servers(found.address(is_cluster=False)), RULES)
        yield found


class Asking:
    """Somebody who asks again and again meanwhile."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.answers: list[tuple[float, int, int]] = []
        """When it came, the status, and how many processes there were."""
        self._client = httpx.Client(base_url=url, headers=headers, timeout=90)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(0.2):
            answer = self._client.get("/api/v2/processes")
            count = len(answer.json()["data"]) if answer.status_code == 200 else 0
            self.answers.append((time.monotonic(), answer.status_code, count))

    def end(self) -> None:
        self._done.set()
        self._thread.join(90)
        assert not self._thread.is_alive()
        self._client.close()


def test_while_the_store_hangs_agents_keep_what_they_have_and_then_all_goes_on(
    tmp_path: Path, ending: ExitStack, a_host: Callable[..., Host], store: Cluster
) -> None:
    (node,) = store.nodes
    server = Server(tmp_path / "data", "--store", store.address(is_cluster=False))
    ending.callback(server.close)
    server.start()
    host = a_host("web-1", server.url)
    host.start()
    host.wait_for_snapshots(3)
    host.wait_until_delivered()
    key = (server.data_dir / "keys" / "application-key").read_text().strip()
    asking = Asking(server.url, {"authorization": f"Bearer {key}"})
    eventually(lambda: asking.answers, what="an answer")

    node.halt()
    halted = time.monotonic()
    slowest = 0.0
    while time.monotonic() < halted + PAUSE_SECONDS:
        # The server itself is there all the time.
        begin = time.monotonic()
        assert httpx.get(f"{server.url}/healthz", timeout=30).status_code == 200
        slowest = max(slowest, time.monotonic() - begin)
        host.wait_for_snapshots(1)
    assert host.waiting() > 1
    node.go_on()
    resumed = time.monotonic()
    eventually(
        lambda: any(at > resumed and status == 200 for at, status, _ in asking.answers),
        what="an answer",
        seconds=RECOVERY_SECONDS,
    )
    answered_after = time.monotonic() - resumed
    host.wait_until_delivered(seconds=RECOVERY_SECONDS)
    asking.end()
    host.stop()
    listed = server.times_listed()
    server.stop()

    rows = node.ask(
        "SELECT host, at, request, pid FROM snapshots FINAL FORMAT JSONCompactEachRow", database="procession"
    )
    found = difference(host, as_chunks([_row(line) for line in rows.decode().splitlines()]))
    assert found == NO_DIFFERENCE
    assert listed == {("web-1", pid): 1 for pid in PIDS}
    # Whole or not at all.
    assert {status for _, status, _ in asking.answers} <= {200, 503}
    assert {count for _, status, count in asking.answers if status == 200} == {len(PIDS)}
    assert slowest < 10
    assert not any("Traceback" in line for line in host.output + server.output)
    said = [line for line in host.output if "next try in" in line]
    record(
        f"store halted for {PAUSE_SECONDS:.0f} s",
        times=1,
        lost=len(found.lost),
        answered=(f"agent: {quoted(said[0])}; " if said else "payloads wait; ")
        + f"queries wait or 503, /healthz 200; queries again {answered_after:.1f} s after it went on",
    )


def _row(line: str) -> list[int | list[int]]:
    host, at, request, pids = json.loads(line)
    return [int(host), int(at), int(request), [int(pid) for pid in pids]]
