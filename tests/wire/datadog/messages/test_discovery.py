from __future__ import annotations

from typing import Any

import pytest

from procession.discovery import MAX_PORTS, MAX_SERVICES, MAX_TRACERS, Discovery, Service, Tracer
from procession.wire.datadog import MessageType, SnapshotDecoder, frame
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.messages.discovery import MOST_BYTES
from tests.support.builders import NOON


def decoder_of(*processes: pb.Process) -> list[Discovery | None]:
    return decoded(SnapshotDecoder(), *processes)


def decoded(decoder: SnapshotDecoder, *processes: pb.Process) -> list[Discovery | None]:
    message = pb.CollectorProc(hostName="web-1", processes=processes).SerializeToString()
    found = decoder.decode(frame.decode(frame.encode(MessageType.PROCESSES, message)), taken_at=NOON)
    return [one.description.discovery for one in found.listing.processes]


def discovery_of(**fields: Any) -> Discovery | None:
    return decoder_of(pb.Process(pid=7, **fields))[0]


def test_all_that_an_agent_found_out_is_kept() -> None:
    found = pb.ServiceDiscovery(
        generatedServiceName=pb.ServiceName(name="shop-api", source=pb.SERVICE_NAME_SOURCE_COMMAND_LINE),
        ddServiceName=pb.ServiceName(name="Shop", source=pb.SERVICE_NAME_SOURCE_DD_SERVICE),
        additionalGeneratedNames=[pb.ServiceName(name="cart", source=pb.SERVICE_NAME_SOURCE_SPRING)],
        tracerMetadata=[pb.TracerMetadata(runtimeId="c0ffee", serviceName="shop")],
        apmInstrumentation=True,
        resources=[pb.Resource(logs=pb.LogResource(path="/var/log/shop.log"))],
    )

    assert discovery_of(
        language=pb.LANGUAGE_JAVA,
        portInfo=pb.PortInfo(tcp=[8443, 8080, 8080], udp=[53]),
        serviceDiscovery=found,
        injectionState=pb.INJECTION_NOT_INJECTED,
    ) == Discovery(
        language="java",
        services=(Service("Shop", "dd_service"), Service("shop-api", "command_line"), Service("cart", "spring")),
        tracers=(Tracer("c0ffee", "shop"),),
        is_instrumented=True,
        injection="not_injected",
        tcp_ports=(8080, 8443),
        udp_ports=(53,),
    )


def test_what_an_agent_does_not_send_is_not_known() -> None:
    assert discovery_of() is None


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"portInfo": pb.PortInfo()}, Discovery(tcp_ports=(), udp_ports=())),
        ({"serviceDiscovery": pb.ServiceDiscovery()}, Discovery(services=(), tracers=(), is_instrumented=False)),
    ],
)
def test_what_is_there_and_empty_is_none(fields: dict[str, Any], found: Discovery) -> None:
    assert discovery_of(**fields) == found


def test_a_process_that_is_otherwise_the_same_is_told_apart_by_what_was_found_out() -> None:
    decoder = SnapshotDecoder()
    without, none, some = (
        pb.Process(pid=7),
        pb.Process(pid=7, portInfo=pb.PortInfo()),
        pb.Process(pid=7, portInfo=pb.PortInfo(tcp=[80])),
    )

    found = [decoded(decoder, one)[0] for one in (without, none, some, none, without)]

    empty = Discovery(tcp_ports=(), udp_ports=())
    assert found == [None, empty, Discovery(tcp_ports=(80,), udp_ports=()), empty, None]


def test_ports_that_there_are_not_are_left_out_and_no_more_are_kept_than_there_may_be() -> None:
    assert discovery_of(portInfo=pb.PortInfo(tcp=[-1, 0, 65_535, 65_536, 2**31 - 1])) == Discovery(
        tcp_ports=(65_535,), udp_ports=()
    )
    many = discovery_of(portInfo=pb.PortInfo(udp=range(20_000, 0, -1)))
    assert many is not None
    assert many.udp_ports == tuple(range(1, MAX_PORTS + 1))


def test_names_that_a_stranger_made_up_are_cut_counted_and_made_text() -> None:
    names = [pb.ServiceName(name=f"{number}-" + "x" * 1000, source=99) for number in range(1000)]  # type: ignore[arg-type]
    found = pb.ServiceDiscovery(
        ddServiceName=pb.ServiceName(name=" \0\U0001f600 "),
        additionalGeneratedNames=names[:50],
        tracerMetadata=[pb.TracerMetadata(runtimeId=str(number)) for number in range(1000)],
    )

    discovery = discovery_of(serviceDiscovery=found)

    assert discovery is not None
    assert discovery.services is not None
    assert discovery.tracers is not None
    assert discovery.services[0] == Service("\ufffd\U0001f600", "dd_service")
    assert (len(discovery.services), len(discovery.tracers)) == (MAX_SERVICES, MAX_TRACERS)
    assert {len(one.name) for one in discovery.services[1:]} == {255}
    assert {one.found_by for one in discovery.services[1:]} == {""}


def test_numbers_that_nobody_knows_yet_are_not_known() -> None:
    assert discovery_of(language=77, injectionState=-5) is None


def test_too_much_of_it_costs_neither_the_process_nor_the_memory() -> None:
    names = [pb.ServiceName()] * (MOST_BYTES // 2 + 1)
    services = pb.ServiceDiscovery(additionalGeneratedNames=names)

    assert discovery_of(serviceDiscovery=services, portInfo=pb.PortInfo(tcp=[80])) == Discovery(
        tcp_ports=(80,), udp_ports=()
    )
