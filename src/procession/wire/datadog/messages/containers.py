"""Containers on the wire: what a container is, without the processes in it, and what it uses."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from procession.containers.container import HEALTHS, STATES, Container, ContainerNumbers
from procession.text.characters import encodable
from procession.wire.datadog import process_pb2 as pb

MAX_CONTAINERS = 100
"""In one message."""


class ContainerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent knows of a container. Its tags are given to each of its processes."""

    container_id: str
    runtime: str = ""
    """docker, podman, containerd and so on; empty where not known."""
    name: str = ""
    image: str = ""
    created_at: int = 0
    """0: not known."""
    tags: tuple[str, ...] = ()


def encode_container(container: ContainerInfo) -> bytes:
    """As an item of the list of a CollectorProc."""
    return pb.CollectorProc(containers=[_message_of(container)]).SerializeToString()


def encode_container_alone(container: ContainerInfo) -> bytes:
    return _message_of(container).SerializeToString()


def _message_of(container: ContainerInfo) -> pb.Container:
    return pb.Container(
        type=encodable(container.runtime),
        id=encodable(container.container_id),
        name=encodable(container.name),
        image=encodable(container.image),
        created=container.created_at,
        tags=map(encodable, container.tags),
        # Whatever has a process is running; what else agents count is not looked at here.
        state=pb.running,
        userPct=-1.0,
        systemPct=-1.0,
        totalPct=-1.0,
        cpuUsageNs=-1.0,
    )


def encode_containers(
    host: str, found: Sequence[tuple[ContainerInfo, Container]], *, split_id: int
) -> list[tuple[bytes, int]]:
    """Messages of at most MAX_CONTAINERS, and how many each has. A container comes with what a runtime says of it."""
    chunks = [found[begin : begin + MAX_CONTAINERS] for begin in range(0, len(found), MAX_CONTAINERS)]
    messages = [
        pb.CollectorContainer(
            hostName=encodable(host),
            containers=[_measured_message_of(*one) for one in chunk],
            groupId=split_id & 0x7FFFFFFF,
            groupSize=len(chunks),
        )
        for chunk in chunks
    ]
    return [(message.SerializeToString(), len(message.containers)) for message in messages]


def _measured_message_of(info: ContainerInfo, container: Container) -> pb.Container:
    numbers = container.numbers
    message = pb.Container(
        type=encodable(info.runtime),
        id=encodable(container.container_id),
        name=encodable(info.name),
        image=encodable(info.image),
        created=info.created_at,
        started=container.started_at or 0,
        state=STATES.index(container.state),  # type: ignore[arg-type]  # its number
        health=HEALTHS.index(container.health),  # type: ignore[arg-type]
        tags=map(encodable, info.tags),
        cpuLimit=numbers.cpu_limit_percent or 0.0,
        totalPct=_or_absent(numbers.cpu_total_percent),
        userPct=_or_absent(numbers.cpu_user_percent),
        systemPct=_or_absent(numbers.cpu_system_percent),
        cpuUsageNs=-1.0 if numbers.cpu_total_percent is None else numbers.cpu_total_percent * 1e7,
        netRcvdPs=_or_absent(numbers.net_received_packets_per_second),
        netSentPs=_or_absent(numbers.net_sent_packets_per_second),
        netRcvdBps=_or_absent(numbers.net_received_bytes_per_second),
        netSentBps=_or_absent(numbers.net_sent_bytes_per_second),
        rbps=_or_absent(numbers.read_bytes_per_second),
        wbps=_or_absent(numbers.write_bytes_per_second),
        memUsage=numbers.memory_usage_bytes or 0,
        memoryLimit=numbers.memory_limit_bytes or 0,
        memRss=numbers.memory_rss_bytes or 0,
        memCache=numbers.memory_cache_bytes or 0,
        threadCount=numbers.threads or 0,
        threadLimit=numbers.thread_limit or 0,
    )
    _add_our_own(message, numbers)
    return message


def _add_our_own(message: pb.Container, numbers: ContainerNumbers) -> None:
    if numbers.cpu_throttled_percent is not None:
        message.throttledPct = numbers.cpu_throttled_percent
    if numbers.open_files is not None:
        message.openFdCount = numbers.open_files
    if numbers.oom_kills is not None:
        message.oomKills = numbers.oom_kills


def _or_absent(value: float | None) -> float:
    return -1.0 if value is None else value
