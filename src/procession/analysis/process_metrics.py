"""The measures of processes by the names that Datadog's queries have for them, and their units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COUNT = "count"
"""Of processes: a number of groups, and no measure of a process."""


@dataclass(frozen=True, slots=True)
class Unit:
    family: str
    name: str
    plural: str
    scale_factor: float
    short_name: str | None
    is_each_second: bool = False


PERCENT = Unit("percentage", "percent", "percent", 1.0, "%")
BYTES = Unit("bytes", "byte", "bytes", 1.0, "B")
BYTES_PER_SECOND = Unit("bytes", "byte", "bytes", 1.0, "B", is_each_second=True)
CONNECTIONS_PER_SECOND = Unit("network", "connection", "connections", 1.0, None, is_each_second=True)
OPERATIONS_PER_SECOND = Unit("general", "operation", "operations", 1.0, "op", is_each_second=True)
SECOND = Unit("time", "second", "seconds", 1.0, "s")


@dataclass(frozen=True, slots=True)
class Metric:
    measure: str
    """One of `procession.analysis.MEASURES`, or COUNT."""
    unit: Unit | None = None


METRICS: Mapping[str, Metric] = {
    "process.stat.cpu.total_pct": Metric("cpu_total_percent", PERCENT),
    "process.stat.cpu.user_pct": Metric("cpu_user_percent", PERCENT),
    "process.stat.cpu.system_pct": Metric("cpu_system_percent", PERCENT),
    "process.stat.memory.rss": Metric("rss_bytes", BYTES),
    "process.stat.memory.vms": Metric("vms_bytes", BYTES),
    "process.stat.memory.shared": Metric("shared_bytes", BYTES),
    "process.stat.memory.swap": Metric("swap_bytes", BYTES),
    "process.stat.io.read_bytes_rate": Metric("read_bytes_per_second", BYTES_PER_SECOND),
    "process.stat.io.write_bytes_rate": Metric("write_bytes_per_second", BYTES_PER_SECOND),
    "process.stat.io.read_rate": Metric("read_operations_per_second", OPERATIONS_PER_SECOND),
    "process.stat.io.write_rate": Metric("write_operations_per_second", OPERATIONS_PER_SECOND),
    "process.stat.threads": Metric("threads"),
    "process.stat.open_fd_count": Metric("open_files"),
    "process.stat.voluntary_ctx_switches": Metric("voluntary_switches"),
    "process.stat.involuntary_ctx_switches": Metric("involuntary_switches"),
    "process.stat.net.received_bytes_rate": Metric("net_received_bytes_per_second", BYTES_PER_SECOND),
    "process.stat.net.sent_bytes_rate": Metric("net_sent_bytes_per_second", BYTES_PER_SECOND),
    "process.stat.net.connections": Metric("connections"),
    "process.stat.net.bytes_rate": Metric("net_bytes_per_second", BYTES_PER_SECOND),
    "process.stat.net.connections_rate": Metric("net_connections_per_second", CONNECTIONS_PER_SECOND),
    "process.stat.count": Metric(COUNT),
}
"""The first is Datadog's; the others are called after the fields that its agents send, or that ours does."""
