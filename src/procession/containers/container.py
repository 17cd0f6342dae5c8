"""A container as a host told of it at one moment."""

from __future__ import annotations

from typing import Final

import msgspec

STATES: Final = ("unknown", "created", "restarting", "running", "paused", "exited", "dead")
HEALTHS: Final = ("unknown", "starting", "healthy", "unhealthy")

FLOATS: Final = (
    "cpu_total_percent",
    "cpu_user_percent",
    "cpu_system_percent",
    "cpu_limit_percent",
    "cpu_throttled_percent",
    "net_received_bytes_per_second",
    "net_sent_bytes_per_second",
    "net_received_packets_per_second",
    "net_sent_packets_per_second",
    "read_bytes_per_second",
    "write_bytes_per_second",
)
COUNTS: Final = (
    "memory_usage_bytes",
    "memory_limit_bytes",
    "memory_rss_bytes",
    "memory_cache_bytes",
    "threads",
    "thread_limit",
    "open_files",
    "oom_kills",
)
NUMBERS: Final = (*FLOATS, *COUNTS)
"""Fields of ContainerNumbers, in the order in which they are kept."""


class ContainerNumbers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a container uses, and may use. None: not known, or no limit. Percentages are of one core."""

    cpu_total_percent: float | None = None
    cpu_user_percent: float | None = None
    cpu_system_percent: float | None = None
    cpu_limit_percent: float | None = None
    cpu_throttled_percent: float | None = None
    """Of the periods in which it wanted to run, those in which it was kept from it."""
    net_received_bytes_per_second: float | None = None
    net_sent_bytes_per_second: float | None = None
    net_received_packets_per_second: float | None = None
    net_sent_packets_per_second: float | None = None
    read_bytes_per_second: float | None = None
    write_bytes_per_second: float | None = None
    memory_usage_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_rss_bytes: int | None = None
    memory_cache_bytes: int | None = None
    threads: int | None = None
    thread_limit: int | None = None
    open_files: int | None = None
    oom_kills: int | None = None
    """Since it was started."""


NO_NUMBERS: Final = ContainerNumbers()


class Container(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Texts are empty and moments None where they are not known."""

    container_id: str
    runtime: str = ""
    """docker, containerd and so on."""
    name: str = ""
    image_name: str = ""
    image_tags: tuple[str, ...] = ()
    image_digest: str = ""
    state: str = STATES[0]
    health: str = HEALTHS[0]
    created_at: int | None = None
    started_at: int | None = None
    tags: tuple[str, ...] = ()
    """Lower-cased, sorted and unique: those of its host and its own."""
    numbers: ContainerNumbers = NO_NUMBERS


class ContainerSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Containers of one host at one moment: all of them, or those of one message of several."""

    host: str
    taken_at: int
    containers: tuple[Container, ...]
    cpus: int = 0
    """How many CPUs its host has, as its agent says along with it, 0 where it does not. It is kept with the host."""

    def __len__(self) -> int:
        return len(self.containers)

    @property
    def characters(self) -> int:
        """Of all texts, about."""
        return sum(map(characters_of, self.containers))


class ContainerStat(msgspec.Struct, frozen=True, kw_only=True):
    """What a container that was told of before uses right now."""

    container_id: str
    state: str
    health: str
    started_at: int | None
    numbers: ContainerNumbers


class ContainerStats(msgspec.Struct, frozen=True, kw_only=True):
    """Of one host at one moment."""

    host: str
    taken_at: int
    stats: tuple[ContainerStat, ...]

    def __len__(self) -> int:
        return len(self.stats)


def characters_of(container: Container) -> int:
    texts = (container.container_id, container.name, container.image_name, container.image_digest)
    return sum(map(len, texts)) + sum(map(len, container.tags)) + sum(map(len, container.image_tags))
