"""The ports on which a process listens, in its own network namespace."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from procession.agent.read.discovery.socket_tables import Listener


class Ports(msgspec.Struct, frozen=True, gc=False):
    """Ascending, each once."""

    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()

    @classmethod
    def of(cls, listeners: Iterable[Listener]) -> Ports:
        found = sorted(set(listeners))
        return cls(*(tuple([one.port for one in found if one.protocol == protocol]) for protocol in ("tcp", "udp")))


NO_PORTS = Ports()
