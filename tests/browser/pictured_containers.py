"""Containers of three hosts over an hour, for a picture: some near a limit, one that was killed for want of memory."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker
from procession.containers.container import Container, ContainerNumbers
from procession.process import ProcessNumbers
from procession.wire.datadog import ContainerInfo
from tests.support.builders import a_sighting, a_snapshot

HOSTS = ("shop-1", "shop-2", "shop-3")
MINUTES = 60
_MIB = 2**20
_KINDS = (
    # Name, image, cores, cores that it may use, MiB, MiB that it may use, throttled, OOM kills, processes
    ("shop-api", "registry.example/shop-api:4.12.1", 1.3, 2.0, 610, 1024, 4.0, 0, 9),
    ("checkout", "registry.example/checkout:2.8.0", 0.9, 1.0, 488, 512, 31.0, 2, 5),
    ("nginx", "nginx:1.27-alpine", 0.2, None, 46, 256, None, 0, 5),
    ("redis", "redis:7.4", 0.15, 1.0, 960, 2048, 0.0, 0, 1),
    ("worker", "registry.example/worker:4.12.1", 2.4, 4.0, 1380, 3072, 0.6, 0, 12),
)
OPENED = f"checkout-{HOSTS[0][-1]}"


def container_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def containers_of(host: str, end: int, minute: int) -> Iterator[tuple[ContainerInfo, Container]]:
    """So many minutes before the end."""
    for place, (kind, image, cores, most_cores, mib, most_mib, throttled, kills, _) in enumerate(_KINDS):
        name = f"{kind}-{host[-1]}"
        swing = math.sin(minute / 6 + place * 2 + ord(host[-1]))
        cpu = 100 * cores * (1 + 0.25 * swing)
        if most_cores is not None:
            cpu = min(cpu, 100 * most_cores)
        memory = int(mib * (1 + 0.04 * swing) * _MIB)
        is_killed = name == OPENED
        numbers = ContainerNumbers(
            cpu_total_percent=cpu,
            cpu_user_percent=cpu * 0.8,
            cpu_system_percent=cpu * 0.2,
            cpu_limit_percent=None if most_cores is None else 100 * most_cores,
            cpu_throttled_percent=None if throttled is None else throttled * (1 + 0.5 * swing),
            memory_usage_bytes=min(memory, most_mib * _MIB),
            memory_rss_bytes=int(memory * 0.85),
            memory_cache_bytes=int(memory * 0.15),
            memory_limit_bytes=most_mib * _MIB,
            oom_kills=kills if is_killed and minute < MINUTES // 3 else 0,
            net_received_bytes_per_second=180_000 * (1 + 0.6 * swing),
            net_sent_bytes_per_second=240_000 * (1 + 0.4 * swing),
            read_bytes_per_second=12_000 * (1 + swing),
            write_bytes_per_second=52_000 * (1 + 0.7 * swing),
            threads=8 + place * 6,
        )
        own = (f"container_id:{container_id(name)}", f"container_name:{name}", "env:prod")
        info = ContainerInfo(container_id=container_id(name), runtime="docker", name=name, image=image, tags=own)
        started_at = end - 86_400 * (2 + place) - 3600 * ord(host[-1])
        yield info, Container(container_id=info.container_id, state="running", started_at=started_at, numbers=numbers)


def payloads(end: int) -> Iterator[Payload]:
    """The processes and the containers of each minute."""
    for host in HOSTS:
        infos = {info.container_id: info for info, _ in containers_of(host, end, 0)}
        maker = PayloadMaker(host=host, run=1, started_at=end - 3600, containers=infos.__getitem__)
        sightings = [
            a_sighting(
                100 * place + number,
                end - 86_400,
                ProcessNumbers(cpu_total_percent=cores * 100 / many, rss_bytes=mib * _MIB // many),
                cmdline=f"/usr/local/bin/{kind}",
                exe=f"/usr/local/bin/{kind}",
                comm=kind,
                command=kind,
                container_id=container_id(f"{kind}-{host[-1]}"),
            )
            for place, (kind, _, cores, _, mib, _, _, _, many) in enumerate(_KINDS, 1)
            for number in range(many)
        ]
        for minute in reversed(range(MINUTES)):
            moment = end - 60 * minute
            yield from maker.make(a_snapshot(*sightings, host=host, taken_at=moment))
            yield from maker.make_containers([*containers_of(host, end, minute)], moment)
