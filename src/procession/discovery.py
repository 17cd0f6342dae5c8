"""What an agent has found out about a process: its language, its services, where it listens, and whether it is traced.

It is told rarely, and not by every agent. What nobody said is None, or empty where it is a text; an empty list says
that somebody looked and found none.
"""

from __future__ import annotations

from typing import Final

import msgspec

from procession.search.pattern import fold

LANGUAGES: Final = ("", "java", "node", "python", "ruby", "dotnet", "go", "cpp", "php")
INJECTIONS: Final = ("", "injected", "not_injected")
FOUND_BY: Final = (
    "",
    "dd_service",
    "command_line",
    "laravel",
    "python",
    "nodejs",
    "gunicorn",
    "rails",
    "spring",
    "jboss",
    "tomcat",
    "weblogic",
    "websphere",
)
"""Their places are the numbers on the wire."""

MAX_PORTS: Final = 1024
"""Of one protocol; of more, the lowest are kept. A process that listens on more of them is a proxy of ports, or was
made up."""
MAX_SERVICES: Final = 32
MAX_TRACERS: Final = 32

DISCOVERED_KEYS: Final = ("injection", "language", "listens", "service")
"""Of `discovered_tags`."""

_PORT_CHARACTERS: Final = 36
"""What a port in memory counts for: as an object it takes more than its digits."""


class Service(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A name under which a process serves others."""

    name: str
    found_by: str = ""
    """One of FOUND_BY: `dd_service` is a variable of its environment, `spring` a file of that framework."""


class Tracer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A tracing library in a process."""

    runtime_id: str
    service: str = ""


class Discovery(msgspec.Struct, frozen=True, kw_only=True, array_like=True, cache_hash=True, gc=False):
    """New fields come last: it is kept as an array."""

    language: str = ""
    """One of LANGUAGES."""
    services: tuple[Service, ...] | None = None
    """That of its environment first, then the one that was guessed, then others."""
    tracers: tuple[Tracer, ...] | None = None
    is_instrumented: bool | None = None
    """Whether it reports what it does to an APM."""
    injection: str = ""
    """Whether a tracer was put into it from outside: one of INJECTIONS."""
    tcp_ports: tuple[int, ...] | None = None
    """Where it listens, in its own network namespace: ascending, each once."""
    udp_ports: tuple[int, ...] | None = None


def discovered_tags(discovery: Discovery | None) -> tuple[str, ...]:
    """What was found out in the form of tags, folded, sorted and unique. Our own searches and facets look at them as at
    tags that the process was sent with; Datadog's endpoint does not."""
    if discovery is None:
        return ()
    found = {f"listens:{port}" for ports in (discovery.tcp_ports, discovery.udp_ports) for port in ports or ()}
    found.update(f"service:{one.name}" for one in discovery.services or ())
    found.update(f"service:{one.service}" for one in discovery.tracers or () if one.service)
    if discovery.language:
        found.add(f"language:{discovery.language}")
    if discovery.injection:
        found.add(f"injection:{discovery.injection}")
    return tuple(sorted(set(map(fold, found))))


def characters_of_discovery(discovery: Discovery | None) -> int:
    """About how many characters it takes."""
    if discovery is None:
        return 0
    ports = len(discovery.tcp_ports or ()) + len(discovery.udp_ports or ())
    services = sum(len(one.name) + len(one.found_by) for one in discovery.services or ())
    tracers = sum(len(one.runtime_id) + len(one.service) for one in discovery.tracers or ())
    return _PORT_CHARACTERS * ports + services + tracers + len(discovery.language)
