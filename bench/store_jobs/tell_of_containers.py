"""`python -m bench.store_jobs.tell_of_containers FOLDER NOW HOSTS`: what agents of so many hosts told of their
containers in the quarter of an hour before a moment, once a minute. Says how much that was."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from procession.containers.container import Container, ContainerNumbers, ContainerSnapshot
from procession.storage.embedded_store import open_embedded

MINUTES = 16
"""One more than the window, which needs the minute before it."""
ON_A_HOST = 20
NAMES = 40


def snapshots(now: int, hosts: int) -> Iterator[ContainerSnapshot]:
    lots = random.Random(1)
    of_hosts = [[a_container(lots, number) for number in range(ON_A_HOST)] for _ in range(hosts)]
    for at in range(now - 60 * MINUTES, now, 60):
        for number, of_host in enumerate(of_hosts):
            moved = tuple(with_numbers(one, lots) for one in of_host)
            yield ContainerSnapshot(host=f"node-{number}", taken_at=at, containers=moved)


def a_container(lots: random.Random, number: int) -> Container:
    name = f"service-{lots.randrange(NAMES)}"
    return Container(
        container_id=f"{lots.getrandbits(256):064x}",
        runtime="containerd",
        name=name,
        image_name=f"registry.internal.example/{name}",
        image_tags=("1.4.2",),
        state="running",
        tags=(f"container_name:{name}", "env:prod", f"kube_namespace:prod-{number % 7}", f"pod_name:{name}-{number}"),
    )


def with_numbers(container: Container, lots: random.Random) -> Container:
    numbers = ContainerNumbers(cpu_total_percent=lots.random() * 100, memory_usage_bytes=lots.randrange(2**30))
    return Container(**{name: getattr(container, name) for name in container.__struct_fields__} | {"numbers": numbers})


def main(folder: Path, now: int, hosts: int) -> None:
    store = open_embedded(folder)
    try:
        (org,) = store.keys.orgs()
        store.containers.add([(org.id, one) for one in snapshots(now, hosts)])
        store.flush()
    finally:
        store.close()
    print(f"{hosts * ON_A_HOST:,} containers of {NAMES} names, told once a minute")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
