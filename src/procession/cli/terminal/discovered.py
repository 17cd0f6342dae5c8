"""What agents have found out about a process, as texts for tables and lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

UNKNOWN = "?"
"""What no agent told; where one looked and found none, it says `none`."""


def language_text(attributes: Mapping[str, Any]) -> str:
    return attributes.get("language") or UNKNOWN


def listens_text(attributes: Mapping[str, Any]) -> str:
    """`80, 443, udp 53`."""
    listens = attributes.get("listens") or {}
    tcp, udp = listens.get("tcp"), listens.get("udp")
    if tcp is None and udp is None:
        return UNKNOWN
    return ", ".join([*map(str, tcp or ()), *(f"udp {port}" for port in udp or ())]) or "none"


def services_text(attributes: Mapping[str, Any]) -> str:
    services = attributes.get("services")
    return UNKNOWN if services is None else ", ".join(one["name"] for one in services) or "none"


def _tracers_text(attributes: Mapping[str, Any]) -> str:
    tracers = attributes.get("tracers")
    if tracers is None:
        return UNKNOWN
    return ", ".join(f"{one['service'] or UNKNOWN} {one['runtime_id']}" for one in tracers) or "none"


def _word(name: str) -> Callable[[Mapping[str, Any]], str]:
    words = {None: UNKNOWN, True: "yes", False: "no"}
    return lambda attributes: words.get(attributes.get(name)) or str(attributes[name])


TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "language": language_text,
    "services": services_text,
    "listens": listens_text,
    "tracers": _tracers_text,
    "instrumented": _word("instrumented"),
    "injection": _word("injection"),
}
"""By the name of the attribute."""
