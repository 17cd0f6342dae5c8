"""Where a host name leads, and whether anything may be sent there: nobody makes a server talk to its own network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from procession.errors import UsageError
from procession.notifications.retries import NotSent

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], list[str]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
"""Leads to IPv4 addresses in a way that only its own network knows."""
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")
"""Of carriers that translate addresses."""
_AZURE = ipaddress.IPv4Address("168.63.129.16")
"""A public address by which machines of Azure reach the host that they are on."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was looked at, to be connected to as it is: a second look at the name may give another."""

    host: str
    address: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class AllowedTargets:
    """All that is public, and what an operator allows besides."""

    def __init__(self, allowed: Iterable[Network] = (), resolve: Resolve = resolve) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve

    def target(self, host: str, port: int) -> Target:
        """The one place that asks for the address of a host. Raises NotSent for a host that has an address that is not
        allowed, even one of several."""
        try:
            addresses = self._resolve(host.encode("idna").decode() if not host.isascii() else host, port)
        except (OSError, UnicodeError) as error:
            raise NotSent(f"cannot find the address of {host}: {_reason(error)}") from None
        if not addresses:
            raise NotSent(f"{host} has no address")
        for text in addresses:
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                raise NotSent(f"{host} has no address that can be used", is_final=True) from None
            if not self.is_allowed(address):
                reason = f"{host} is in a network that nothing is sent to unless a setting of the server allows it"
                raise NotSent(reason, is_final=True)
        return Target(host, addresses[0], port)

    def is_allowed(self, address: IpAddress) -> bool:
        """An IPv4 address inside of an IPv6 address counts like the IPv4 address."""
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        if isinstance(address, ipaddress.IPv6Address):
            if address.scope_id is not None:
                return False
            inner = _inner(address)
            if inner is not None:
                return self.is_allowed(inner)
            if address in _SITE_LOCAL or address in _LOCAL_NAT64:
                return False
        elif address in _SHARED or address == _AZURE:
            return False
        return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Raises UsageError."""
    try:
        return tuple(ipaddress.ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise UsageError(f"--notification-networks: {error}") from None


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that packets to this one may end at."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    if address in _TEREDO and address.teredo is not None:
        return address.teredo[1]
    return None


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
