from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.containers.container import NUMBERS, Container, ContainerNumbers, ContainerSnapshot, ContainerStats
from procession.errors import PayloadTooLarge
from procession.wire.datadog import (
    FrameError,
    Limits,
    MessageType,
    decode_container_stats,
    decode_containers,
    decode_containers_of_processes,
    frame,
)
from procession.wire.datadog import process_pb2 as pb
from tests.support.agents.vectors import vector
from tests.support.builders import NOON

ID = "c0ffee000000000000000000000000000000000000000000000000000000cafe"
RECORDED = Container(
    container_id=ID,
    runtime="docker",
    name="web",
    image_name="nginx",
    state="running",
    health="healthy",
    created_at=1699999990,
    started_at=1699999995,
    tags=(
        f"container_id:{ID}",
        "container_name:web",
        "env:prod",
        "host:web-1",
        "image_name:nginx",
        "kube_namespace:shop",
        "pod_name:web-7d9f",
        "service:shop-web",
    ),
    numbers=ContainerNumbers(
        cpu_total_percent=1.5,
        cpu_user_percent=1.0,
        cpu_system_percent=0.5,
        cpu_limit_percent=200.0,
        net_received_bytes_per_second=0.0,
        net_sent_bytes_per_second=0.0,
        net_received_packets_per_second=0.0,
        net_sent_packets_per_second=0.0,
        read_bytes_per_second=0.0,
        write_bytes_per_second=0.0,
        memory_usage_bytes=15000000,
        memory_limit_bytes=536870912,
        memory_rss_bytes=12000000,
        memory_cache_bytes=3000000,
    ),
)


def of(*containers: pb.Container, limits: Limits | None = None, host: str = "web-1") -> ContainerSnapshot:
    body = pb.CollectorContainer(hostName=host, containers=containers).SerializeToString()
    framed = frame.Frame(MessageType.CONTAINERS, body)
    return decode_containers(framed, taken_at=NOON, limits=limits or Limits())


def stats_of(*stats: pb.ContainerStat) -> ContainerStats:
    body = pb.CollectorContainerRealTime(hostName="web-1", stats=stats).SerializeToString()
    return decode_container_stats(frame.Frame(MessageType.CONTAINERS_REAL_TIME, body), taken_at=NOON)


def test_recorded_containers_are_read() -> None:
    framed = frame.decode(vector("container_enc2"))

    snapshot = decode_containers(framed, taken_at=NOON, host_tags=lambda _: ["env:prod"])

    assert snapshot == ContainerSnapshot(host="web-1", taken_at=NOON, containers=(RECORDED,), cpus=2)


def test_containers_that_come_along_with_processes_are_the_same() -> None:
    framed = frame.decode(vector("proc_container_only_enc4"))

    snapshot = decode_containers_of_processes(framed, taken_at=NOON, host_tags=lambda _: ["env:prod"])

    assert snapshot.containers == (RECORDED,)


def test_a_container_without_numbers_is_there_for_its_processes_alone() -> None:
    """As our own agent sends it, to say which image a process runs in."""
    body = pb.CollectorProc(
        hostName="web-1",
        processes=[pb.Process(pid=7)] * 3000,
        containers=[pb.Container(id="a", totalPct=-1, state=pb.running), pb.Container(id="b", memUsage=1)],
    ).SerializeToString()

    snapshot = decode_containers_of_processes(frame.Frame(MessageType.PROCESSES, body), taken_at=NOON)

    assert [one.container_id for one in snapshot.containers] == ["b"]


def test_recorded_numbers_of_containers_are_read() -> None:
    found = decode_container_stats(frame.decode(vector("container_rt_enc4")), taken_at=NOON)

    (stat,) = found.stats
    assert (found.host, stat.container_id, stat.state, stat.health, stat.started_at) == (
        "web-1",
        ID,
        "running",
        "healthy",
        1699999995,
    )
    assert (stat.numbers.cpu_total_percent, stat.numbers.memory_rss_bytes, stat.numbers.memory_limit_bytes) == (
        97.5,
        12600000,
        None,
    )


def test_what_cannot_be_is_not_known_and_what_is_too_long_is_cut() -> None:
    hostile = pb.Container(
        id="x" * 5000,
        name="n" * 5000,
        repoDigest="d" * 5000,
        state=99,  # type: ignore[arg-type]
        health=-5,  # type: ignore[arg-type]
        created=-1,
        started=2**62,
        totalPct=math.nan,
        userPct=math.inf,
        systemPct=-1,
        netSentBps=-7,
        memUsage=2**64 - 1,
        threadCount=2**64 - 1,
        tags=["image_name:" + "i" * 5000, "a" * 5000, "", "  ", "UPPER:Case"],
    )

    (found,) = of(hostile).containers

    assert (len(found.container_id), len(found.name), len(found.image_name)) == (255, 255, 255)
    assert (found.state, found.health, found.created_at, found.started_at) == ("unknown", "unknown", None, None)
    numbers = found.numbers
    assert (numbers.cpu_total_percent, numbers.cpu_user_percent, numbers.cpu_system_percent) == (None, None, None)
    assert (numbers.net_sent_bytes_per_second, numbers.memory_usage_bytes, numbers.threads) == (
        None,
        2**63 - 1,
        2**63 - 1,
    )
    assert "upper:case" in found.tags
    assert max(map(len, found.tags)) <= 1000


def test_the_last_of_several_with_one_id_counts_and_one_without_is_none() -> None:
    found = of(pb.Container(id="a", name="first"), pb.Container(name="nobody"), pb.Container(id="a", name="last"))

    assert [one.name for one in found.containers] == ["last"]


@pytest.mark.parametrize(
    ("limits", "containers"),
    [
        (Limits(containers=2), [pb.Container(id=str(number)) for number in range(3)]),
        (Limits(tags=2), [pb.Container(id="a", tags=["a", "b", "c"])]),
        (Limits(process_bytes=100), [pb.Container(id="a", name="n" * 200)]),
    ],
)
def test_a_message_has_bounds(limits: Limits, containers: list[pb.Container]) -> None:
    with pytest.raises(PayloadTooLarge):
        of(*containers, limits=limits)


def test_a_message_needs_a_host_and_its_own_type() -> None:
    with pytest.raises(FrameError):
        of(pb.Container(id="a"), host="")
    for decode in (decode_containers, decode_container_stats, decode_containers_of_processes):
        with pytest.raises(FrameError):
            decode(frame.Frame(MessageType.DISCOVERY, b""), taken_at=NOON)


def test_numbers_of_our_own_are_read_where_they_are_sent() -> None:
    (found,) = of(pb.Container(id="a", throttledPct=12.5, openFdCount=0, oomKills=3)).containers
    (stat,) = stats_of(pb.ContainerStat(id="a", throttledPct=50, openFdCount=9, oomKills=0)).stats

    def own(numbers: ContainerNumbers) -> tuple[Any, ...]:
        return numbers.cpu_throttled_percent, numbers.open_files, numbers.oom_kills

    assert own(found.numbers) == (12.5, 0, 3)
    assert own(stat.numbers) == (50, 9, 0)


@given(st.binary(max_size=300))
def test_any_bytes_are_containers_or_refused(body: bytes) -> None:
    for decode, kind in (
        (decode_containers, MessageType.CONTAINERS),
        (decode_containers_of_processes, MessageType.PROCESSES),
    ):
        try:
            snapshot = decode(frame.Frame(kind, b"\x0a\x01a\x12\x01a" + body), taken_at=NOON)
        except (FrameError, PayloadTooLarge):
            continue
        for one in snapshot.containers:
            assert all(value is None or value >= 0 for name in NUMBERS for value in [getattr(one.numbers, name)])


def test_containers_come_with_the_number_of_cpus_of_their_host() -> None:
    message = pb.CollectorContainer(hostName="h", info=pb.SystemInfo(cpus=[pb.CPUInfo(cores=1)] * 6))

    found = decode_containers(frame.Frame(MessageType.CONTAINERS, message.SerializeToString()), taken_at=NOON)

    assert found.cpus == 6
