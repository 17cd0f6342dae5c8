"""Containers on the wire: what a container is, without the processes in it."""

from __future__ import annotations

import msgspec

from procession.text.characters import encodable
from procession.wire.datadog import process_pb2 as pb


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
