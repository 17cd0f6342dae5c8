"""Containers for tests, that default what the test is not about."""

from __future__ import annotations

from typing import Any

from procession.containers.container import Container, ContainerNumbers, ContainerSnapshot
from tests.support.builders import NOON


def a_container(container_id: str = "c1", host: str = "web-1", tags: tuple[str, ...] = (), **fields: Any) -> Container:
    numbers = {name: fields.pop(name) for name in tuple(fields) if name in ContainerNumbers.__struct_fields__}
    defaults: dict[str, Any] = {
        "runtime": "docker",
        "name": f"name-of-{container_id}",
        "image_name": "shop/web",
        "image_tags": ("1.2",),
        "state": "running",
        "started_at": NOON - 3600,
        "tags": tuple(sorted({f"host:{host}", f"container_id:{container_id}", *tags})),
        "numbers": ContainerNumbers(**numbers),
    }
    return Container(container_id=container_id, **(defaults | fields))


def containers_of(*containers: Container, host: str = "web-1", taken_at: int = NOON) -> ContainerSnapshot:
    return ContainerSnapshot(host=host, taken_at=taken_at, containers=containers)
