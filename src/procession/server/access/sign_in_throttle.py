"""How often somebody may try to sign in."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from starlette.requests import Request

from procession.errors import TooManyRequests
from procession.server.access.rate_limit import PERIOD_SECONDS
from procession.server.access.trusted_proxies import TrustedProxies

ADDRESSES = 30
"""How many addresses may use up their tries within a minute, before all addresses are refused."""


class SignInThrottle:
    """Counts tries to sign in, by client address, by user and in total, within each minute of the clock.

    It remembers no more tries than it allows.
    """

    def __init__(self, limit: int, now: Callable[[], int]) -> None:
        self._limit = limit
        self._now = now
        self._minute = 0
        self._total = 0
        self._counts: dict[str, int] = {}
        self._counts_of_users: dict[str, int] = {}

    def count(self, address: str) -> None:
        """Count a try. Raises TooManyRequests for one too many, which is not counted: an address that goes on trying
        does not use up the tries of others."""
        if self._limit <= 0:
            return
        self._begin_minute()
        of_address = self._counts.get(address, 0)
        if of_address >= self._limit:
            raise TooManyRequests(f"Too many tries to sign in from {address}; {self._wait_hint()}")
        if self._total >= self._limit * ADDRESSES:
            raise TooManyRequests(f"Too many tries to sign in; {self._wait_hint()}")
        self._counts[address] = of_address + 1
        self._total += 1

    def count_user(self, name: str) -> None:
        """Count a try to sign in as a user, whether there is one or not; the address was counted before, which bounds
        how many names there are. Raises TooManyRequests likewise."""
        if self._limit <= 0:
            return
        self._begin_minute()
        of_user = self._counts_of_users.get(name, 0)
        if of_user >= self._limit:
            raise TooManyRequests(f"Too many tries to sign in as this user; {self._wait_hint()}")
        self._counts_of_users[name] = of_user + 1

    def _begin_minute(self) -> None:
        minute, _ = divmod(self._now(), PERIOD_SECONDS)
        if minute != self._minute:
            self._minute, self._total, self._counts, self._counts_of_users = minute, 0, {}, {}

    @property
    def reset_seconds(self) -> int:
        return PERIOD_SECONDS - self._now() % PERIOD_SECONDS

    def _wait_hint(self) -> str:
        return f"try again in {self.reset_seconds} s"


_NO_PROXIES = TrustedProxies()


def client_address(request: Request, proxies: TrustedProxies = _NO_PROXIES) -> str:
    """What tries are counted by: the address of the client, or its /64 network in IPv6, which one customer has."""
    address = proxies.client_of(request)
    if address is None:
        return "?"
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
