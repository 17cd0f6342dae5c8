"""What it costs to watch a host: our agent and others, over the same sleeping processes."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

from bench.fleets import environment
from bench.rows import Measurement
from bench.served import cpu_seconds_of, procession, resident_mib_of
from procession.wire.datadog import Answer, encode_answer

SNAPSHOTS = 8
WARM = 3
_KERNEL_THREAD = 0x00200000
APPS_PLUGIN = Path("/usr/lib/netdata/plugins.d/apps.plugin")


def measure_agents(folder: Path, counts: tuple[int, ...] = (1000, 10_000)) -> dict[str, Measurement]:
    found: dict[str, Measurement] = {}
    for count in counts:
        with sleeping(count) as processes:
            cpu, memory, wire, note = _our_agent(folder / str(count), processes)
            cpu_row, memory_row = Measurement({"value": cpu}, note), Measurement({"value": memory})
            for name, measured in _others(folder, processes).items():
                cpu_row.peers[name], memory_row.peers[name] = measured
            found["agent_wire"] = Measurement({"value": wire}, f"{processes} processes, HTTP headers and body")
            found[f"agent_cpu_{count}"], found[f"agent_memory_{count}"] = cpu_row, memory_row
    return found


def _others(folder: Path, processes: int) -> dict[str, tuple[float, float]]:
    found = {"psutil": _psutil(processes)}
    if shutil.which("prometheus-process-exporter"):
        found["process-exporter"] = _exporter(folder, processes)
    if APPS_PLUGIN.exists():
        found["apps.plugin"] = _apps_plugin(processes)
    return found


@contextmanager
def sleeping(count: int) -> Iterator[int]:
    """So many processes that do nothing; gives how many there are in all."""
    pids: list[int] = []
    try:
        pids.extend(os.posix_spawn("/bin/sleep", ["sleep", str(100_000 + number)], {}) for number in range(count))
        yield sum(map(_is_no_kernel_thread, Path("/proc").glob("[0-9]*")))
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
            os.waitpid(pid, 0)


def _is_no_kernel_thread(process: Path) -> bool:
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return not int(fields[6]) & _KERNEL_THREAD


class _Intake:
    """Takes all that agents send, and notes their snapshots."""

    def __init__(self) -> None:
        self.moments: set[str] = set()
        self.received_bytes = 0
        self.arrived = threading.Condition()
        answer = encode_answer(Answer())
        intake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                head = len(self.requestline) + 2 + len(self.headers.as_bytes())
                with intake.arrived:
                    intake.received_bytes += head + int(self.headers["Content-Length"])
                    intake.moments.add(self.headers.get("X-DD-Agent-Timestamp", ""))
                    intake.arrived.notify_all()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wait_for(self, snapshots: int) -> None:
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(self.moments) >= snapshots, timeout=300):
                raise RuntimeError("the agent sends no snapshots")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _our_agent(folder: Path, processes: int) -> tuple[float, float, float, str]:
    """CPU microseconds and bytes on the wire per process and snapshot, and resident MiB."""
    intake = _Intake()
    command = procession(
        *("agent", "--url", intake.url, "--api-key", "bench", "--interval-seconds", "3"),
        *("--spool-dir", str(folder / "spool")),
    )
    (folder / "spool").mkdir(parents=True)
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process:
        try:
            intake.wait_for(WARM)
            cpu, seen, received = cpu_seconds_of(process.pid), len(intake.moments), intake.received_bytes
            intake.wait_for(seen + SNAPSHOTS)
            spent = cpu_seconds_of(process.pid) - cpu
            wire = (intake.received_bytes - received) / SNAPSHOTS / processes
            memory = resident_mib_of(process.pid)
        finally:
            process.terminate()
            process.wait()
            intake.close()
    note = f"{processes} processes, nearly all asleep, snapshots 3 s apart"
    return spent * 1e6 / SNAPSHOTS / processes, memory, wire, note


_PSUTIL = """
import os, sys, time, psutil
fields = ["pid", "ppid", "name", "exe", "cwd", "cmdline", "username", "create_time", "cpu_times", "memory_info",
          "num_threads", "status", "num_ctx_switches", "io_counters", "num_fds"]
def snapshot():
    return [process.info for process in psutil.process_iter(fields)]
snapshot()
begin = time.process_time()
for _ in range(int(sys.argv[1])):
    seen = snapshot()
rss = psutil.Process().memory_info().rss / 2**20
print((time.process_time() - begin) * 1e6 / int(sys.argv[1]) / len(seen), rss)
"""


def _psutil(processes: int) -> tuple[float, float]:
    repeats = 5 if processes < 5000 else 2
    said = subprocess.run(
        [sys.executable, "-c", _PSUTIL, str(repeats)], check=True, capture_output=True, text=True
    ).stdout.split()
    return float(said[0]), float(said[1])


def _exporter(folder: Path, processes: int) -> tuple[float, float]:
    config = folder / "exporter.yml"
    config.write_text('process_names:\n  - name: "{{.Comm}}"\n    cmdline: [".+"]\n')
    port = 19256
    command = [
        "prometheus-process-exporter",
        *("-config.path", str(config), "-web.listen-address", f"127.0.0.1:{port}"),
        *("-threads=false", "-gather-smaps=false"),  # each of them costs it more than all else
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    _scrape(port)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.2)
            begin = cpu_seconds_of(process.pid)
            for _ in range(SNAPSHOTS):
                _scrape(port)
            spent = cpu_seconds_of(process.pid) - begin
            return spent * 1e6 / SNAPSHOTS / processes, resident_mib_of(process.pid)
        finally:
            process.terminate()


def _scrape(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        answer.read()


def _apps_plugin(processes: int) -> tuple[float, float]:
    """Netdata's collector, by itself: it writes to standard output once in each interval."""
    seconds = 2
    with subprocess.Popen(
        [str(APPS_PLUGIN), str(seconds)],
        stdin=subprocess.PIPE,  # it ends with it
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        reading = threading.Thread(target=_read_all, args=(process.stdout,), daemon=True)
        reading.start()
        try:
            time.sleep(seconds * WARM + 2)
            begin = cpu_seconds_of(process.pid)
            time.sleep(seconds * SNAPSHOTS)
            spent = cpu_seconds_of(process.pid) - begin
            return spent * 1e6 / SNAPSHOTS / processes, resident_mib_of(process.pid)
        finally:
            process.kill()
            reading.join()


def _read_all(output: IO[bytes] | None) -> None:
    while output is not None and output.read(65536):
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for key, measured in measure_agents(parser.parse_args().folder).items():
        print(key, measured)
