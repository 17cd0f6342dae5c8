"""What a page and a sighting cost a shard, at one, two and four shards with as much data each.

    python -m bench.shards

Nodes are the tests' embedded engines behind an emulated interface, on one machine: the table says how work spreads over
shards, and nothing of a server's speed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.served import cpu_seconds_of
from procession.process import MAX_UINT32, MAX_UINT64, ProcessKey, host_key
from procession.query import ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.storage.history.engine.cluster import shard_of
from procession.storage.history.engine.server_connection import ServerConnection
from procession.storage.setup import initialize, open_servers
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.cluster.nodes.running import Cluster, cluster
from tests.cluster.nodes.stores import RULES, THIRTY_YEARS, servers
from tests.support.builders import a_sighting, a_snapshot

HOSTS_PER_SHARD = 40
PROCESSES = 250
SNAPSHOTS = 6
PAGES = 40
LIMIT = 1000
ORG = 1
END = ProcessKey(MAX_UINT32, MAX_UINT64, MAX_UINT32)
"""After the last process: what it costs to ask, whatever is found."""


def cpu_seconds(cluster: Cluster) -> float:
    return sum(cpu_seconds_of(node.pid) for node in cluster.nodes)


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


@dataclass(frozen=True)
class Cost:
    """Of a page."""

    shard_cpu_milliseconds: float
    server_cpu_milliseconds: float
    statements: float
    rows_of_shard: float

    def cells(self) -> list[str]:
        return [
            f"{self.shard_cpu_milliseconds:.0f} ms",
            f"{self.rows_of_shard:,.0f}",
            f"{self.statements:.1f}",
            f"{self.server_cpu_milliseconds:.0f} ms",
        ]


def cost(nodes: Cluster, store: ClickHouseStore, at: int, search: str, after: ProcessKey | None = None) -> Cost:
    """Of pages from the beginning to the end, over and over; or always of that after one key."""
    turn_pages(store, at, search, after)  # learns how far a page reaches
    shards = len(nodes.nodes)
    cpu, rows, asked, own = cpu_seconds(nodes), rows_read(nodes), STATEMENTS.count, time.process_time()
    turn_pages(store, at, search, after)
    return Cost(
        (cpu_seconds(nodes) - cpu) / PAGES / shards * 1000,
        (time.process_time() - own) / PAGES * 1000,
        (STATEMENTS.count - asked) / PAGES,
        (rows_read(nodes) - rows) / PAGES / shards,
    )


def turn_pages(store: ClickHouseStore, at: int, search: str, after: ProcessKey | None) -> None:
    query = ProcessQuery(ORG, Window(at - 900, at), parse_search(search), TagFilter.parse(""), after=after, limit=LIMIT)
    for _ in range(PAGES):
        found = store.find(query).processes
        if after is None:
            end = ProcessKey.of(found[-1].identity) if len(found) == LIMIT else None
            query = replace(query, after=end)


def rows_read(nodes: Cluster) -> int:
    """By all nodes since they began, as they count it."""
    asked = "SELECT value FROM system.events WHERE event = 'SelectedRows'"
    return sum(int(node.ask(asked).strip() or 0) for node in nodes.nodes)


class Counter:
    """Statements that go to servers."""

    def __init__(self) -> None:
        self.count = 0
        genuine = ServerConnection._run

        def run(connection: ServerConnection, *arguments: Any, **named: Any) -> Any:
            self.count += 1
            return genuine(connection, *arguments, **named)

        ServerConnection._run = run  # type: ignore[method-assign, assignment]


STATEMENTS = Counter()


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
            nothing = cost(nodes, store, at, "", END)
            pages, search = cost(nodes, store, at, ""), cost(nodes, store, at, "number 77")
            cells += [f"{nothing.shard_cpu_milliseconds:.0f} ms", *pages.cells(), *search.cells()]
            return cells


def main() -> None:
    of_page = ("CPU", "rows read", "statements", "server's CPU")
    names = ["shards", "CPU per sighting", "CPU of nothing", *of_page, *(f"search: {name}" for name in of_page)]
    print(f"| {' | '.join(names)} |")
    print("| --- " * len(names) + "|")
    for shards in [int(text) for text in sys.argv[1:]] or (1, 2, 4):
        print(f"| {shards} | {' | '.join(measure(shards))} |", flush=True)


if __name__ == "__main__":
    main()
