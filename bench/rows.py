"""What is measured, and the bars: the one list that the table, the docs and the comparison go by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PEERS = ("DuckDB", "PostgreSQL", "ClickHouse")
AGENTS = ("psutil", "process-exporter", "apps.plugin")
"""Those of the rows about agents. Rows about fleets at their pace have none."""


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    name: str
    unit: str
    bars: Mapping[str, float] = field(default_factory=dict)
    """Figure -> the most that it may be."""

    @property
    def peers(self) -> tuple[str, ...]:
        if self.key.startswith(("fleet", "monitors", "listens", "in_container", "container")):
            return ()
        return AGENTS if self.key.startswith("agent") else PEERS


@dataclass(slots=True)
class Measurement:
    """What came out for a row."""

    figures: dict[str, float] = field(default_factory=dict)
    """`p50`, `p99` and `cpu` (of the server, for each call) in ms for a query; `value` for all else."""
    note: str = ""
    peers: dict[str, float] = field(default_factory=dict)
    """Peer -> its `p50`, or `value`."""


def _ms(p50: float, p99: float | None = None) -> dict[str, float]:
    return {"p50": p50} | ({} if p99 is None else {"p99": p99})


def _fleet(
    hosts: int,
    *,
    cpu: float | None = None,
    share: float | None = None,
    memory: float | None = None,
    answer: Mapping[str, float] | None = None,
    first: float | None = None,
    in_columns: bool = False,
) -> Iterator[Row]:
    """Rows about hosts of 300 processes that each post every ten seconds; the bars are of those that have one."""

    def bar(most: float | None) -> dict[str, float]:
        return {} if most is None else {"value": most}

    key, name = f"fleet_{hosts}", f"{hosts:,} hosts" if hosts > 1 else "1 host"
    if in_columns:
        key, name = f"{key}_columns", f"{name} with our agent"
    payload = "all of a host" if in_columns else "100 processes"
    yield Row(f"{key}_cpu", f"{name}: server CPU per sighting", "µs", bar(cpu))
    yield Row(f"{key}_share", f"{name}: server CPU, of a core", "%", bar(share))
    yield Row(f"{key}_memory", f"{name}: resident memory of the server", "MiB", bar(memory))
    yield Row(
        f"{key}_answer",
        f"{name}: answer to a payload of {payload}",
        "ms",
        answer or {},
    )
    yield Row(f"{key}_page", f"{name}: default call, limit 1000, every 2 s", "ms")
    yield Row(f"{key}_own_page", f"{name}: first 100 of now with numbers, every 2 s", "ms")
    yield Row(f"{key}_first", f"{name}: server CPU per process never seen before", "µs", bar(first))


ROWS = (
    Row("intake", "intake through HTTP: server CPU per sighting", "µs", {"value": 8}),
    Row("intake_chunks", "the same in payloads of 100 processes, as Datadog's Agent sends them", "µs"),
    Row("intake_first", "the same for the first snapshot of every host", "µs"),
    Row("intake_rate", "sightings taken in a second, load and server on the same cores", "1/s"),
    Row("bytes", "bytes on disk per sighting, everything included, merged", "B", {"value": 4.5}),
    Row("page", "default call, limit 1000, at rest", "ms", _ms(5)),
    Row("page_intake", "default call, limit 1000, while intake runs", "ms", _ms(10, 50)),
    Row("middle", "the same in the middle of a scan", "ms", _ms(5)),
    Row("end", "the same at the end of a scan", "ms", _ms(5)),
    Row("page_10000", "the same with limit 10,000", "ms", _ms(40)),
    Row("page_100", "the same with limit 100", "ms", _ms(2)),
    Row("rare", "rare word in `search`", "ms", _ms(6)),
    Row("tags_100", "two tags and a common word, limit 100", "ms", _ms(25)),
    Row("tags_1000", "two tags and a common word, limit 1000", "ms", _ms(25)),
    Row("facets", "counts by the 20 top values of 5 tag keys, exact", "ms", _ms(35)),
    Row("top_cpu", "the 100 processes with most cpu now", "ms", _ms(5)),
    Row("top_memory", "the 100 processes with most memory now", "ms", _ms(5)),
    Row("sums", "sum of cpu and memory by command now", "ms", _ms(20)),
    Row("hosts", "hosts now, with cpu and memory", "ms", _ms(20)),
    Row("listens", "`listens:443` in our own language, limit 1000, with numbers", "ms"),
    Row("listens_at", "the same at an instant of the last minute", "ms"),
    Row("listens_groups", "the same counted by host", "ms"),
    Row("in_container", "a tag of a container in `search`, limit 1000", "ms"),
    Row("container_scalar", "two queries of containers in one body over a quarter of an hour, scalar", "ms"),
    Row("container_timeseries", "the same, as series", "ms"),
    Row("instant", "a page for one instant 3 days ago, without numbers", "ms", _ms(15)),
    Row("instant_numbers", "a page for one instant 3 days ago, with numbers", "ms", _ms(50)),
    Row("instant_sums", "sum of cpu and memory by command at that instant", "ms", _ms(60)),
    Row("instant_top_cpu", "the 100 processes with most cpu at that instant", "ms", _ms(150)),
    Row("instant_top_memory", "the 100 processes with most memory at that instant", "ms", _ms(150)),
    Row("curve_minutes", "one process's numbers over a day, by the minute", "ms", _ms(10)),
    Row("curve_sightings", "one process's numbers over a day, by every sighting", "ms", _ms(50)),
    Row(
        "slowdown",
        "p99 of the default call while intake runs at half its maximum, as a multiple of that at rest",
        "×",
        {"value": 2},
    ),
    Row(
        "overload",
        "p99 of the default call while five times as much is posted as can be taken, as a multiple of that at rest",
        "×",
        {"value": 2},
    ),
    Row("memory", "resident memory of the server at 5,000 hosts × 300 processes", "MiB", {"value": 2048}),
    Row("agent_cpu_1000", "agent: CPU per process and snapshot, 1,000 processes", "µs"),
    Row("agent_cpu_10000", "agent: CPU per process and snapshot, 10,000 processes", "µs"),
    Row("agent_memory_1000", "agent: resident memory, 1,000 processes", "MiB"),
    Row("agent_memory_10000", "agent: resident memory, 10,000 processes", "MiB"),
    Row("agent_wire", "agent: bytes on the wire per process and snapshot", "B"),
    Row("log_slow", "a record in the write-ahead log, 29 a second, until it is acknowledged", "ms"),
    Row("log_fast", "the same, 420 a second", "ms"),
    Row("log_gathered", "the same, 420 a second, gathered for 20 ms", "ms"),
    Row("monitors", "1,000 monitors over a million processes: CPU of their evaluation, of a core", "%", {"value": 50}),
    Row("monitors_by_host", "the same, each with a state for each of 1,000 hosts", "%", {"value": 50}),
    Row("fleet_0_share", "no host: server CPU, of a core", "%", {"value": 0.4}),
    Row("fleet_0_memory", "no host: resident memory of the server", "MiB"),
    *_fleet(1, share=0.6, memory=330),
    *_fleet(20, cpu=40),
    *_fleet(100, cpu=25, answer=_ms(5, 20), first=60),
    *_fleet(100, cpu=9, answer=_ms(5, 20), first=60, in_columns=True),
    *_fleet(1000, cpu=20, first=60),
    *_fleet(20, cpu=20, in_columns=True),
    *_fleet(1000, cpu=6, first=60, in_columns=True),
    *_fleet(5000, cpu=6, memory=2048, in_columns=True),
    Row("page_10m", "first page of 10 M processes in the window", "ms", _ms(6)),
    Row("rare_10m", "rare word, 10 M processes in the window", "ms", _ms(40)),
    Row("facets_10m", "counts by the 20 top values of 5 tag keys, 10 M processes", "ms", _ms(200)),
    Row("instant_days", "a page for one instant of seven full days, without numbers", "ms", _ms(15)),
    Row("instant_numbers_days", "a page for one instant of seven full days, with numbers", "ms", _ms(50)),
    Row("instant_sums_days", "sum of cpu and memory by command at an instant of seven full days", "ms", _ms(60)),
    Row("instant_top_cpu_days", "the 100 processes with most cpu at an instant of seven full days", "ms", _ms(150)),
    Row("memory_hour", "growth of resident memory over an hour of 5,000 hosts × 300 processes", "MiB"),
)

BY_KEY = {row.key: row for row in ROWS}
