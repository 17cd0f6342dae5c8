"""What a page and a sighting cost a shard, at one, two and four shards with as much data each.

    python -m bench.shards

Nodes are the tests' embedded engines behind an emulated interface, on one machine: the table says how work spreads over
shards, and nothing of a server's speed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from procession.process import host_key
from procession.query import ProcessQuery
from procession.search_parser import parse_search
from procession.storage.clickhouse import ClickHouseStore
from procession.storage.ddl import shard_of
from procession.storage.setup import initialize, open_servers
from procession.tags import TagFilter
from procession.window import Window
from tests.cluster.running import Cluster, cluster
from tests.cluster.stores import RULES, THIRTY_YEARS, servers
from tests.support.builders import a_sighting, a_snapshot

HOSTS_PER_SHARD = 40
PROCESSES = 250
SNAPSHOTS = 6
PAGES = 40
LIMIT = 1000
ORG = 1


def cpu_seconds(cluster: Cluster) -> float:
    ticks = 0
    for node in cluster.nodes:
        fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def hosts_of(shards: int) -> list[str]:
    """As many for each shard."""
    found: dict[int, list[str]] = {shard: [] for shard in range(1, shards + 1)}
    number = 0
    while any(len(names) < HOSTS_PER_SHARD for names in found.values()):
        name = f"host-{number}"
        names = found[shard_of(ORG, host_key(name), list(found))]
        if len(names) < HOSTS_PER_SHARD:
            names.append(name)
        number += 1
    return [name for names in found.values() for name in names]


def fill(store: ClickHouseStore, hosts: Sequence[str], at: int) -> int:
    count = 0
    for number in range(SNAPSHOTS):
        moment = at - 10 * (SNAPSHOTS - number)
        chunks = []
        for place, host in enumerate(hosts):
            sightings = (
                a_sighting(
                    pid,
                    at - 4000 - pid * 7 - place,
                    cmdline=f"worker --number {pid}",
                    tags=(f"env:{place % 3}",),
                )
                for pid in range(1, PROCESSES + 1)
            )
            chunks.append((ORG, a_snapshot(*sightings, host=host, taken_at=moment, request_id=number)))
        store.add(chunks)
        count += len(hosts) * PROCESSES
    return count


def pages(store: ClickHouseStore, at: int, search: str) -> int:
    """So many pages from the beginning; gives how many processes they had."""
    found = 0
    query = ProcessQuery(ORG, Window(at - 900, at), parse_search(search), TagFilter.parse(""), None, LIMIT)
    for _ in range(PAGES):
        found += len(store.find(query).processes)
    return found


def rows_read(nodes: Cluster) -> int:
    """Of `seen` by all nodes since they began, as they count it."""
    total = 0
    for node in nodes.nodes:
        total += int(node.ask("SELECT value FROM system.events WHERE event = 'SelectedRows'").strip() or 0)
    return total


def measure(shards: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder), shards, 1) as nodes:
        address = servers(nodes.address())
        initialize(address, RULES)
        with closing(open_servers(address, sighting_retention_hours=THIRTY_YEARS)) as store:
            at = int(time.time()) // 3600 * 3600 + 1800
            before = cpu_seconds(nodes)
            sightings = fill(store, hosts_of(shards), at)
            per_sighting = (cpu_seconds(nodes) - before) / sightings * 1e6
            cells = [f"{per_sighting:.1f} µs"]
            for search in ("", "number 77"):
                pages(store, at, search)  # learns how far a page reaches
                cpu, rows = cpu_seconds(nodes), rows_read(nodes)
                pages(store, at, search)
                cells.append(f"{(cpu_seconds(nodes) - cpu) / PAGES / shards * 1000:.1f} ms")
                cells.append(f"{(rows_read(nodes) - rows) / PAGES / shards:,.0f}")
            return cells


def main() -> None:
    print("| shards | CPU per sighting | CPU per page and shard | rows read | CPU per search and shard | rows read |")
    print("| --- | --- | --- | --- | --- | --- |")
    for shards in [int(text) for text in sys.argv[1:]] or (1, 2, 4):
        print(f"| {shards} | {' | '.join(measure(shards))} |", flush=True)


if __name__ == "__main__":
    main()
