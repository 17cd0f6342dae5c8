"""A monitor that watches real processes by real agents: one is killed and comes back, and a machine starts anew."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.notifying import Receiver, receiving
from tests.support.running import PROCESSION, Running, clean_environment, eventually, running

MACHINE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""What comes behind it is the first process of a machine of its own, and the end of that is the end of all of them."""

INIT = """
import subprocess, sys
agent = subprocess.Popen(sys.argv[1:])
running = []
for line in sys.stdin:
    if line.strip() == "kill":
        running[-1].kill()
        running[-1].wait()
    else:
        running.append(subprocess.Popen([line.strip(), "600"]))
"""
WITHIN = 75.0
"""Of a kill, and of the end of the window."""


@contextmanager
def a_machine(agent: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Starts what is written to it, and kills the last on the line `kill`."""
    command = [*MACHINE, sys.executable, "-c", INIT, *agent]
    machine = subprocess.Popen(command, env=clean_environment(), stdin=subprocess.PIPE, text=True)
    try:
        yield machine
    finally:
        machine.kill()
        machine.wait(30)


def tell(machine: subprocess.Popen[str], line: str) -> None:
    assert machine.stdin is not None
    machine.stdin.write(f"{line}\n")
    machine.stdin.flush()


class Server:
    def __init__(self, started: Running, data_dir: Path) -> None:
        self.url = started.line_with("Procession runs at").split()[-1]
        self.key_file = data_dir / "keys" / "api-key"
        headers = {
            "dd-api-key": self.key_file.read_text().strip(),
            "dd-application-key": (data_dir / "keys" / "application-key").read_text().strip(),
        }
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def get(self, path: str, **parameters: Any) -> Any:
        return self._http.get(path, params=parameters).raise_for_status().json()

    def keep_webhook(self, name: str, url: str) -> None:
        body = {"name": name, "url": url, "payload": '{"text": "$TEXT_ONLY_MSG", "transition": "$ALERT_TRANSITION"}'}
        self._http.post("/api/v1/integration/webhooks/configuration/webhooks", json=body).raise_for_status()

    def monitor(self, query: str, message: str = "") -> int:
        options = {"new_host_delay": 0}
        body = {"type": "process alert", "name": query, "message": message, "query": query, "options": options}
        answer = self._http.post("/api/v1/monitor", json=body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def is_seen(self, name: str, host: str) -> bool:
        return bool(self.get("/api/v2/processes", search=name, tags=f"host:{host}")["data"])

    def transitions(self, monitor: int) -> list[dict[str, Any]]:
        """The oldest first."""
        found = self.get("/api/procession/v1/monitors/transitions", monitor_id=monitor)["transitions"]
        return list(reversed(found))

    def group(self, monitor: int) -> dict[str, Any]:
        (group,) = self.get("/api/procession/v1/monitors/groups", monitor_id=monitor)["groups"]
        return dict(group)

    def wait_for(self, monitor: int, state: str, seconds: float) -> dict[str, Any]:
        def find() -> dict[str, Any] | None:
            return next((one for one in self.transitions(monitor) if one["state"] == state), None)

        return eventually(find, seconds=seconds, what=f"{state} of {monitor}")


def told(receiver: Receiver) -> tuple[str, str]:
    """What comes next, and what it says."""
    body = json.loads(receiver.wait()[-1].body)
    return body["transition"], body["text"]


def a_worker(folder: Path, name: str) -> str:
    return shutil.copy(shutil.which("sleep") or "sleep", str(folder / name))


@pytest.mark.may_skip
def test_killed_alert_started_again_recovery_and_a_machine_that_comes_back_without_it(tmp_path: Path) -> None:
    if subprocess.run([*MACHINE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("may not make namespaces of processes")
    dawn, dusk = a_worker(tmp_path, "dawn-worker"), a_worker(tmp_path, "dusk-worker")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"), "--rate-limit", "0")
    allowed = ("--notification-networks", "127.0.0.0/8")
    agent_options = ("--hostname", "web-1", "--interval-seconds", "2", "--max-cpu", "0")
    with receiving() as receiver, running("up", *options, *allowed, *agent_options) as started:
        server = Server(started, tmp_path / "data")
        server.keep_webhook("ops", receiver.url)
        agent = [*PROCESSION, "agent", "--url", server.url, "--api-key-file", str(server.key_file)]
        agent += ["--hostname", "web-2", "--interval-seconds", "2", "--max-cpu", "0"]
        with a_machine(agent) as machine, subprocess.Popen([dawn, "600"]) as process:
            try:
                tell(machine, dusk)
                eventually(lambda: server.is_seen("dawn-worker", "web-1"), seconds=120, what="the first")
                eventually(lambda: server.is_seen("dusk-worker", "web-2"), seconds=120, what="the second")
                by_host = "by('host').rollup"
                now = server.monitor(
                    f"processes('dawn-worker').over('host:web-1').{by_host}('count_now') < 1",
                    "{{reason}}: {{processes}} @webhook-ops",
                )
                there = server.monitor(f"processes('dusk-worker').over('host:web-2').{by_host}('count_now') < 1")
                window = server.monitor(
                    f"processes('dusk-worker').over('host:web-2').{by_host}('count').last('1m') < 1"
                )
                tell(machine, "kill")
            finally:
                process.kill()
                process.wait(30)  # else it stays as a zombie, which is a process still
            killed_at = time.time()
            alert = server.wait_for(now, "Alert", WITHIN)
            what = f"dawn-worker (pid {process.pid} on web-1, exit code {128 + signal.SIGKILL})"
            assert (alert["reason"], alert["processes"]) == ("process gone", [what])
            assert told(receiver) == ("Triggered", f"process gone: {what} @webhook-ops")
            server.wait_for(there, "Alert", WITHIN)
        with a_machine(agent), subprocess.Popen([dawn, "600"]) as process:
            try:
                check_all(server, alert, now, there, window, killed_at)
                assert told(receiver)[0] == "Recovered"
            finally:
                process.kill()


def check_all(server: Server, alert: dict[str, Any], now: int, there: int, window: int, killed_at: float) -> None:
    late = server.wait_for(window, "Alert", 60 + WITHIN - (time.time() - killed_at))
    recovered = server.wait_for(now, "OK", WITHIN)

    assert recovered["kind"] == "recovered"
    assert recovered["cycle_key"] == alert["cycle_key"]
    assert late["reason"] == "host gone"
    eventually(lambda: server.group(there)["reason"] == "host gone", what="the reason")
    assert server.group(there)["state"] == "Alert"
    assert [one["state"] for one in server.transitions(there)] == ["Alert"]
