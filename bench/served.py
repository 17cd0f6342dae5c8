"""A real `procession serve` in a process of its own, and what it costs."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from procession.http_client import Connection, Endpoint

_LIBC = ctypes.CDLL(None)
_FLUSHED_LOOK_SECONDS = 3.0
API = "/api/procession/v1"


class UnknownRoute(Exception):
    """The server does not know such a call."""


class Server:
    def __init__(self, process: subprocess.Popen[str], url: str, data_dir: Path) -> None:
        self.process = process
        self.url = url
        self.api_key = (data_dir / "keys" / "api-key").read_text().strip()
        self.application_key = (data_dir / "keys" / "application-key").read_text().strip()
        self._connection = Connection(Endpoint.of(url), connect_seconds=120, answer_seconds=120)

    def cpu_seconds(self) -> float:
        return cpu_seconds_of(self.process.pid)

    def resident_mib(self) -> float:
        return resident_mib_of(self.process.pid)

    def get(self, path: str, parameters: Mapping[str, str | int]) -> bytes:
        """Raises NotThere, or RuntimeError with what the server said."""
        headers = {"DD-API-KEY": self.api_key, "DD-APPLICATION-KEY": self.application_key}
        response = self._connection.request("GET", f"{path}?{urlencode(parameters)}", headers=headers)
        if response.status in (404, 405):
            raise UnknownRoute(path)
        if response.status != 200:
            raise RuntimeError(f"{path} answers {response.status}: {response.body[:300]!r}")
        return response.body

    def post(self, path: str, body: Any) -> bytes:
        """Of a question that is asked so. Raises RuntimeError with what the server said."""
        headers = {
            "DD-API-KEY": self.api_key,
            "DD-APPLICATION-KEY": self.application_key,
            "Content-Type": "application/json",
        }
        response = self._connection.request("POST", path, body=json.dumps(body).encode(), headers=headers)
        if response.status != 200:
            raise RuntimeError(f"{path} answers {response.status}: {response.body[:300]!r}")
        return response.body

    def ask(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        return json.loads(self.get(path, parameters))

    def time(self, path: str, parameters: Mapping[str, str | int], *, runs: int) -> dict[str, float]:
        """p50 and p99 of a call in ms, and the CPU that it costs the server. Warm: one run does not count."""
        return self.time_of(lambda: self.get(path, parameters), runs=runs)

    def time_of(self, call: Callable[[], object], *, runs: int) -> dict[str, float]:
        """Likewise of any call."""
        call()
        begin = self.cpu_seconds()
        figures = timed(call, runs)
        return figures | {"cpu": (self.cpu_seconds() - begin) * 1000 / runs}

    def answers_of_history(self) -> int:
        """How many questions the live table has left to the history since the start."""
        return self._count('procession_answers_total{source="history"} ')

    def wait_until_flushed(self, *, seconds: float) -> None:
        """Until all that was posted is in the history."""
        deadline = time.monotonic() + seconds
        while self._count("procession_unflushed_sightings ") and time.monotonic() < deadline:
            time.sleep(_FLUSHED_LOOK_SECONDS)

    def _count(self, name: str) -> int:
        lines = self.get("/metrics", {}).decode().splitlines()
        return sum(int(float(line.removeprefix(name))) for line in lines if line.startswith(name))

    def wait_until_idle(self, *, seconds: float = 120) -> None:
        """Until merges have come to rest."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(1)
            if self.cpu_seconds() - before < 0.05:
                return


def timed(call: Callable[[], object], runs: int) -> dict[str, float]:
    """p50 and p99 in ms."""
    walls = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        walls.append((time.perf_counter() - begin) * 1000)
    return {"p50": float(np.percentile(walls, 50)), "p99": float(np.percentile(walls, 99)), "runs": float(runs)}


def cpu_seconds_of(pid: int) -> float:
    """Of a process with all its threads, also those that have ended, to the nanosecond: /proc counts in hundredths of
    a second, which is more than a small fleet costs in one. Raises OSError."""
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


def resident_mib_of(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def procession(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "procession.cli", *arguments]


@contextmanager
def serving(data_dir: Path) -> Iterator[Server]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PROCESSION_", "DD_"))}
    command = procession("serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--rate-limit", "0")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment | {"PROCESSION_CONFIG": os.devnull}
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "listens at" in line:
                    yield Server(process, line.split()[-1], data_dir)
                    break
            else:
                raise RuntimeError("the server did not start")
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
