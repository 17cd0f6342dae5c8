"""`python -m bench.starts`: what a start has to do, and how fast it is: the rates of `procession upgrade check`.

A server takes a fleet and is killed. What is left of it is opened again and again, each time by a process of its own:
with all of its log, with a checkpoint alone, and with neither. Then each large table is written anew. Rates are bytes
for a second of CPU, of all threads, which others on the machine do not change.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.fleets import SEED_OF_LOAD, environment, post_command
from bench.served import serving
from procession.simulate import FleetShape

PROCESSES = 300

_OPENING = """
import os, sys, time
from pathlib import Path
from procession.storage.embedded_store import open_embedded
store = open_embedded(Path(sys.argv[1]), sets_retention=False)
print(time.process_time(), flush=True)
if sys.argv[2] == "close":
    store.close()
os._exit(0)
"""

_REWRITING = """
import json, sys, time
import clickhouse_connect
client = clickhouse_connect.get_client(interface="chdb", path=sys.argv[1] + "/clickhouse")
where = "active AND database = currentDatabase()"
sizes = f"SELECT table, sum(bytes_on_disk) FROM system.parts WHERE {where} GROUP BY table"
found = {}
for table, size in client.query(sizes).result_rows:
    if int(size) > 1_000_000:
        client.command(f"OPTIMIZE TABLE `{table}` FINAL")
        size = dict(client.query(sizes).result_rows)[table]
        begin = time.process_time()
        client.command(f"OPTIMIZE TABLE `{table}` FINAL SETTINGS optimize_skip_merged_partitions = 0")
        found[table] = [int(size), time.process_time() - begin]
print(json.dumps(found))
"""

_MIGRATING = """
import sys, time
from pathlib import Path
from procession.storage.embedded_store import open_history
from procession.storage.history.tables.migrations import MIGRATIONS
begin = time.process_time()
store = open_history(Path(sys.argv[1]), sets_retention=False)
print(time.process_time() - begin, sum(len(one.statements) for one in MIGRATIONS))
store.close()
"""


def measure(hosts: int, minutes: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        _fill(folder, hosts, minutes)
        log_bytes = sum(path.stat().st_size for path in (folder / "wal").glob("*.segment"))
        copies = {which: Path(name) / which for which in ("log", "checkpoint", "neither")}
        for copy in copies.values():
            shutil.copytree(folder, copy, symlinks=True)
        _seconds(_OPENING, copies["checkpoint"], "close")
        _seconds(_OPENING, copies["neither"], "close")
        (copies["neither"] / "live.checkpoint").unlink()
        checkpoint_bytes = (copies["checkpoint"] / "live.checkpoint").stat().st_size
        alone = _seconds(_OPENING, copies["neither"], "leave")
        with_log = _seconds(_OPENING, copies["log"], "leave")
        with_checkpoint = _seconds(_OPENING, copies["checkpoint"], "leave")
        rewritten = json.loads(_said(_REWRITING, copies["neither"]))
        migrated, statements = _said(_MIGRATING, Path(name) / "new").split()
    return {
        "hosts": hosts,
        "start_seconds": alone,
        "log_bytes": log_bytes,
        "log_seconds": with_log - alone,
        "log_bytes_per_second": log_bytes / (with_log - alone),
        "checkpoint_bytes": checkpoint_bytes,
        "checkpoint_seconds": with_checkpoint - alone,
        "checkpoint_bytes_per_second": checkpoint_bytes / max(0.001, with_checkpoint - alone),
        "rewritten": {table: {"bytes": size, "seconds": cpu} for table, (size, cpu) in rewritten.items()},
        "new_store_seconds": float(migrated),
        "statements": int(statements),
    }


def _fill(folder: Path, hosts: int, minutes: float) -> None:
    """By a server, which is killed."""
    seconds = minutes * 60
    shape = FleetShape(hosts=hosts, processes=PROCESSES, begin_at=int(time.time() - seconds), seed=SEED_OF_LOAD)
    with serving(folder) as server:
        command, variables = post_command(shape, seconds, server.url, server.api_key)
        subprocess.run(command, env=variables, check=True, stdout=sys.stderr)
        server.process.kill()
        server.process.wait()


def _seconds(program: str, *arguments: object) -> float:
    """Of CPU, from the beginning of the process on."""
    return float(_said(program, *arguments))


def _said(program: str, *arguments: object) -> str:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, env=environment(), check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a start costs.")
    parser.add_argument("--hosts", type=int, nargs="+", default=[20, 200])
    parser.add_argument("--minutes", type=float, default=10)
    given = parser.parse_args()
    for hosts in given.hosts:
        sys.stdout.write(json.dumps(measure(hosts, given.minutes), indent=2) + os.linesep)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
