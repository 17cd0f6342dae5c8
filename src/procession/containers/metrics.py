"""The numbers of containers by the names that queries have for them, and their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from procession.analysis.process_metrics import BYTES, BYTES_PER_SECOND, COUNT, PERCENT, Metric, Unit

PACKETS_PER_SECOND: Final = Unit("network", "packet", "packets", 1.0, "pkt", is_each_second=True)

CONTAINER_METRICS: Final[Mapping[str, Metric]] = {
    "container.cpu.total_pct": Metric("cpu_total_percent", PERCENT),
    "container.cpu.user_pct": Metric("cpu_user_percent", PERCENT),
    "container.cpu.system_pct": Metric("cpu_system_percent", PERCENT),
    "container.cpu.limit_pct": Metric("cpu_limit_percent", PERCENT),
    "container.cpu.throttled_pct": Metric("cpu_throttled_percent", PERCENT),
    "container.memory.usage": Metric("memory_usage_bytes", BYTES),
    "container.memory.limit": Metric("memory_limit_bytes", BYTES),
    "container.memory.rss": Metric("memory_rss_bytes", BYTES),
    "container.memory.cache": Metric("memory_cache_bytes", BYTES),
    "container.memory.oom_kills": Metric("oom_kills"),
    "container.net.rcvd": Metric("net_received_bytes_per_second", BYTES_PER_SECOND),
    "container.net.sent": Metric("net_sent_bytes_per_second", BYTES_PER_SECOND),
    "container.net.rcvd.packets": Metric("net_received_packets_per_second", PACKETS_PER_SECOND),
    "container.net.sent.packets": Metric("net_sent_packets_per_second", PACKETS_PER_SECOND),
    "container.io.read": Metric("read_bytes_per_second", BYTES_PER_SECOND),
    "container.io.write": Metric("write_bytes_per_second", BYTES_PER_SECOND),
    "container.pid.thread_count": Metric("threads"),
    "container.pid.thread_limit": Metric("thread_limit"),
    "container.pid.open_files": Metric("open_files"),
    "container.count": Metric(COUNT),
    "process.stat.container.cpu.total_pct": Metric("cpu_total_percent", PERCENT),
    "process.stat.container.cpu.user_pct": Metric("cpu_user_percent", PERCENT),
    "process.stat.container.cpu.system_pct": Metric("cpu_system_percent", PERCENT),
}
"""The last is Datadog's, with two after its manner; the others are ours."""

GREATEST: Final = frozenset({"cpu_throttled_percent"})
"""Of several containers the greatest counts: parts of different times have no sum. All others are added up."""
