"""What agents have found out about a process: Language, PortInfo, ServiceDiscovery, InjectionState <-> Discovery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from procession.discovery import (
    FOUND_BY,
    INJECTIONS,
    LANGUAGES,
    MAX_PORTS,
    MAX_SERVICES,
    MAX_TRACERS,
    Discovery,
    Service,
    Tracer,
)
from procession.text.characters import encodable, text
from procession.wire.datadog import process_pb2 as pb
from procession.wire.datadog.parsing import parse
from procession.wire.datadog.scalars import MAX_NAME_LENGTH

Told = tuple[int, int, bytes | bool, bytes | bool] | None
"""Language, injection state, and the bytes of PortInfo and ServiceDiscovery: True for those that are there and empty,
False for those that are not."""

MOST_BYTES = 64 * 1024
"""Of PortInfo or ServiceDiscovery. One that is longer is as if it had not been told: parsed, it would take a hundred
times the memory, and the process is worth more than what was found out about it."""

_REMEMBERED = 4096
_LONG = 400
"""Bytes. What is longer is not remembered."""

_DD_SERVICE = "dd_service"
_MAX_PORT = 65_535


def told_of(process: pb.ReadProcess) -> Told:
    """None where nothing was, as by most agents: told apart in as little time as can be."""
    told = (
        process.language,
        process.injectionState,
        process.portInfo or process.HasField("portInfo"),
        process.serviceDiscovery or process.HasField("serviceDiscovery"),
    )
    return told if any(told) else None


def decode_discovery(told: Told) -> Discovery | None:
    if told is None:
        return None
    _, _, ports, services = told
    is_long = _length(ports) + _length(services) > _LONG
    return (_decode if is_long else _decode_again)(told)


def _decode(told: tuple[int, int, bytes | bool, bytes | bool]) -> Discovery | None:
    language, injection, ports, services = told
    tcp = udp = names = tracers = is_instrumented = None
    if ports and _length(ports) <= MOST_BYTES:
        listening = parse(pb.PortInfo, _bytes_of(ports))
        tcp, udp = _ports(listening.tcp), _ports(listening.udp)
    if services and _length(services) <= MOST_BYTES:
        found = parse(pb.ServiceDiscovery, _bytes_of(services))
        names, tracers = _services_in(found), _tracers_in(found)
        is_instrumented = found.apmInstrumentation
    discovery = Discovery(
        language=_named(LANGUAGES, language),
        services=names,
        tracers=tracers,
        is_instrumented=is_instrumented,
        injection=_named(INJECTIONS, injection),
        tcp_ports=tcp,
        udp_ports=udp,
    )
    return None if discovery == Discovery() else discovery


_decode_again = lru_cache(_REMEMBERED)(_decode)


def _length(part: bytes | bool) -> int:
    return 0 if isinstance(part, bool) else len(part)


def _bytes_of(part: bytes | bool) -> bytes:
    return b"" if isinstance(part, bool) else part


def _named(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else ""


def _ports(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({number for number in numbers if 0 < number <= _MAX_PORT})[:MAX_PORTS])


def _services_in(found: pb.ServiceDiscovery) -> tuple[Service, ...]:
    names = []
    if found.ddServiceName.name:
        names.append(Service(_name(found.ddServiceName.name), _DD_SERVICE))
    guessed = (found.generatedServiceName, *found.additionalGeneratedNames[:MAX_SERVICES])
    names += [Service(_name(one.name), _named(FOUND_BY, one.source)) for one in guessed]
    return tuple(dict.fromkeys(one for one in names if one.name))[:MAX_SERVICES]


def _tracers_in(found: pb.ServiceDiscovery) -> tuple[Tracer, ...]:
    some = [Tracer(_name(one.runtimeId), _name(one.serviceName)) for one in found.tracerMetadata[:MAX_TRACERS]]
    return tuple(dict.fromkeys(one for one in some if one.runtime_id or one.service))


def _name(value: str | bytes) -> str:
    return text(value).strip()[:MAX_NAME_LENGTH]


def encode_discovery(discovery: Discovery | None, process: pb.Process) -> None:
    if discovery is None:
        return
    process.language = pb.Language.ValueType(LANGUAGES.index(discovery.language))
    process.injectionState = pb.InjectionState.ValueType(INJECTIONS.index(discovery.injection))
    if discovery.tcp_ports is not None or discovery.udp_ports is not None:
        process.portInfo.SetInParent()
        process.portInfo.tcp.extend(discovery.tcp_ports or ())
        process.portInfo.udp.extend(discovery.udp_ports or ())
    if (discovery.services, discovery.tracers, discovery.is_instrumented) != (None, None, None):
        process.serviceDiscovery.SetInParent()
        _encode_services(discovery, process.serviceDiscovery)


def _encode_services(discovery: Discovery, found: pb.ServiceDiscovery) -> None:
    for one in discovery.services or ():
        source = pb.ServiceNameSource.ValueType(FOUND_BY.index(one.found_by))
        if one.found_by == _DD_SERVICE and not found.ddServiceName.name:
            name = found.ddServiceName
        elif not found.generatedServiceName.name:
            name = found.generatedServiceName
        else:
            name = found.additionalGeneratedNames.add()
        name.name, name.source = encodable(one.name), source
    for tracer in discovery.tracers or ():
        found.tracerMetadata.add(runtimeId=encodable(tracer.runtime_id), serviceName=encodable(tracer.service))
    found.apmInstrumentation = bool(discovery.is_instrumented)
