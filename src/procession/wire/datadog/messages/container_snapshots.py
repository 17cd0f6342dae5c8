"""Containers on the wire -> ContainerSnapshot and ContainerStats, out of the messages that have them.

An agent that collects processes sends its containers along with them, in CollectorProc; one that does not, in
CollectorContainer. All of it is what somebody claims: what a container cannot have is not known, and texts are cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from procession.containers.container import (
    HEALTHS,
    STATES,
    Container,
    ContainerNumbers,
    ContainerSnapshot,
    ContainerStat,
    ContainerStats,
)
from procession.errors import PayloadTooLarge
from procession.process import MAX_UINT32
from procession.text.characters import text
from procession.text.tags import normal_tags
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.frame import Frame, FrameError, MessageType
from procession.wire.datadog.messages.container_tags import tags_of
from procession.wire.datadog.messages.snapshot_decoder import DEFAULT_LIMITS, Limits, cpus_in, no_tags
from procession.wire.datadog.parsing import parse_in_parts, protobuf_of, unparsed_parts
from procession.wire.datadog.scalars import MAX_NAME_LENGTH, host_of

MAX_IMAGE_LENGTH = 1000
MAX_COUNT = 2**63 - 1

_CONTAINERS = pb.CollectorContainer.CONTAINERS_FIELD_NUMBER
_STATS = pb.CollectorContainerRealTime.STATS_FIELD_NUMBER
_PROCESSES = pb.ReadContainersOfProc.PROCESSES_FIELD_NUMBER
_CONTAINERS_OF_PROC = pb.ReadContainersOfProc.CONTAINERS_FIELD_NUMBER


def decode_containers(
    frame: Frame,
    *,
    taken_at: int,
    host_tags: Callable[[str], Iterable[str]] = no_tags,
    limits: Limits = DEFAULT_LIMITS,
) -> ContainerSnapshot:
    """Of a CollectorContainer. Raises FrameError for what is damaged or another message, PayloadTooLarge."""
    if frame.type is not MessageType.CONTAINERS:
        raise FrameError(f"The message has type {frame.type}, not {MessageType.CONTAINERS}")
    message, containers = parse_in_parts(
        pb.CollectorContainer,
        pb.Container,
        protobuf_of(pb.CollectorContainer, frame),
        _CONTAINERS,
        {_CONTAINERS: limits.containers},
        limits.process_bytes,
    )
    host = host_of(message.hostName)
    found = _snapshot(host, taken_at, containers, host_tags(host), limits)
    return msgspec.structs.replace(found, cpus=cpus_in(message.info))


def decode_containers_of_processes(
    frame: Frame,
    *,
    taken_at: int,
    host_tags: Callable[[str], Iterable[str]] = no_tags,
    limits: Limits = DEFAULT_LIMITS,
) -> ContainerSnapshot:
    """The same of a CollectorProc. Those of which no number is told are there for their processes alone, and are left
    out."""
    if frame.type is not MessageType.PROCESSES:
        raise FrameError(f"The message has type {frame.type}, not {MessageType.PROCESSES}")
    message, _ = unparsed_parts(
        pb.ReadContainersOfProc,
        protobuf_of(pb.CollectorProc, frame),
        _PROCESSES,
        {_PROCESSES: limits.processes, _CONTAINERS_OF_PROC: limits.containers},
        limits.process_bytes,
    )
    host = host_of(message.hostName)
    told = [one for one in message.containers if one.totalPct > 0 or one.memUsage or one.memRss]
    return _snapshot(host, taken_at, told, host_tags(host), limits)


def decode_container_stats(frame: Frame, *, taken_at: int, limits: Limits = DEFAULT_LIMITS) -> ContainerStats:
    """Of a CollectorContainerRealTime."""
    if frame.type is not MessageType.CONTAINERS_REAL_TIME:
        raise FrameError(f"The message has type {frame.type}, not {MessageType.CONTAINERS_REAL_TIME}")
    message, stats = parse_in_parts(
        pb.CollectorContainerRealTime,
        pb.ContainerStat,
        protobuf_of(pb.CollectorContainerRealTime, frame),
        _STATS,
        {_STATS: limits.containers},
        limits.process_bytes,
    )
    found = [
        ContainerStat(
            container_id=container_id,
            state=_name(STATES, one.state),
            health=_name(HEALTHS, one.health),
            started_at=_moment(one.started),
            numbers=_numbers(one, memory_limit=one.memLimit),
        )
        for one in stats
        if (container_id := text(one.id)[:MAX_NAME_LENGTH])
    ]
    return ContainerStats(host=host_of(message.hostName), taken_at=taken_at, stats=tuple(found))


def _snapshot(
    host: str, taken_at: int, containers: Iterable[pb.Container], host_tags: Iterable[str], limits: Limits
) -> ContainerSnapshot:
    tags_of_host = tuple(host_tags)
    found: dict[str, Container] = {}
    for one in containers:
        if len(one.tags) > limits.tags:
            raise PayloadTooLarge(f"A container has more than {limits.tags} tags")
        if container_id := text(one.id)[:MAX_NAME_LENGTH]:
            found[container_id] = _container(container_id, one, host, tags_of_host)
    return ContainerSnapshot(host=host, taken_at=taken_at, containers=tuple(found.values()))


def _container(container_id: str, one: pb.Container, host: str, host_tags: tuple[str, ...]) -> Container:
    of_container = tags_of(one)  # newer agents say name and image only there
    tags = normal_tags((*host_tags, *of_container, f"host:{host}", f"container_id:{container_id}"))
    said = _Said(of_container)
    return Container(
        container_id=container_id,
        runtime=text(one.type)[:MAX_NAME_LENGTH],
        name=text(one.name)[:MAX_NAME_LENGTH] or said.first("container_name"),
        image_name=said.first("image_name")[:MAX_IMAGE_LENGTH],
        image_tags=said.all("image_tag"),
        image_digest=text(one.repoDigest)[:MAX_IMAGE_LENGTH],
        state=_name(STATES, one.state),
        health=_name(HEALTHS, one.health),
        created_at=_moment(one.created),
        started_at=_moment(one.started),
        tags=tags,
        numbers=_numbers(one, memory_limit=one.memoryLimit),
    )


class _Said:
    """Values of tags as they were sent."""

    def __init__(self, tags: Iterable[str | bytes]) -> None:
        self._tags = [text(tag) for tag in tags]

    def all(self, key: str) -> tuple[str, ...]:
        found = (tag.partition(":") for tag in self._tags)
        return tuple(dict.fromkeys(value[:MAX_NAME_LENGTH] for name, _, value in found if name == key and value))

    def first(self, key: str) -> str:
        return next(iter(self.all(key)), "")


def _numbers(one: Any, *, memory_limit: int) -> ContainerNumbers:
    """Of a Container or ContainerStat. What has no field of its own for "not known" is 0 then."""
    return ContainerNumbers(
        cpu_total_percent=_measured(one.totalPct),
        cpu_user_percent=_measured(one.userPct),
        cpu_system_percent=_measured(one.systemPct),
        cpu_limit_percent=_measured(one.cpuLimit) or None,
        cpu_throttled_percent=_optional(one, "throttledPct", _measured),
        net_received_bytes_per_second=_measured(one.netRcvdBps),
        net_sent_bytes_per_second=_measured(one.netSentBps),
        net_received_packets_per_second=_measured(one.netRcvdPs),
        net_sent_packets_per_second=_measured(one.netSentPs),
        read_bytes_per_second=_measured(one.rbps),
        write_bytes_per_second=_measured(one.wbps),
        memory_usage_bytes=_count(one.memUsage) or None,
        memory_limit_bytes=_count(memory_limit) or None,
        memory_rss_bytes=_count(one.memRss) or None,
        memory_cache_bytes=_count(one.memCache) if one.memRss or one.memCache else None,
        threads=_count(one.threadCount) or None,
        thread_limit=_count(one.threadLimit) or None,
        open_files=_optional(one, "openFdCount", _count),
        oom_kills=_optional(one, "oomKills", _count),
    )


def _optional(one: Any, name: str, read: Callable[[Any], Any]) -> Any:
    return read(getattr(one, name)) if one.HasField(name) else None


def _measured(value: float) -> float | None:
    return value if math.isfinite(value) and value >= 0 else None


def _count(value: int) -> int:
    return min(value, MAX_COUNT)


def _moment(value: int) -> int | None:
    return value if 0 < value <= MAX_UINT32 else None


def _name(names: tuple[str, ...], number: int) -> str:
    """An enum may have numbers that are not known yet."""
    return names[number] if 0 <= number < len(names) else names[0]
