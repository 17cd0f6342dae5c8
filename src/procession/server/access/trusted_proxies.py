"""Who a request comes from where proxies stand between: they say so, and so may anybody; only some are believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from starlette.requests import Request

from procession.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MOST = 20
"""Proxies in a row that are looked at; the header may have any length."""


class TrustedProxies:
    """Networks whose `X-Forwarded-For` is believed."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Raises UsageError."""
        try:
            self._networks = tuple(ipaddress.ip_network(text.strip()) for text in networks)
        except ValueError as error:
            raise UsageError(f"--trusted-proxies: {error}") from None

    def client_of(self, request: Request) -> Address | None:
        """The last address before those that are trusted. None where the connection has none.

        Each proxy adds at the end who called it. So what stands left of an address that is not trusted is its own word.
        """
        address = parse_address(request.client.host if request.client else "")
        said = (
            ",".join(request.headers.getlist("x-forwarded-for")).rsplit(",", _MOST)[-_MOST:] if self._networks else []
        )
        while address is not None and said and self._trusts(address):
            before = parse_address(said.pop())
            if before is None:
                break
            address = before
        return address

    def name_of_client(self, request: Request) -> str:
        """The same as text; `?` where there is none."""
        if not self._networks:
            client = request.scope.get("client")
            return _name_of(client[0] if client else "")
        return str(self.client_of(request) or "?")

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=1024)
def _name_of(host: str) -> str:
    return str(parse_address(host) or "?")


def parse_address(text: str) -> Address | None:
    """With or without a port, as some proxies write it: `192.0.2.7:4711`, `[2001:db8::7]:4711`. IPv4 in the clothes of
    IPv6 is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped
