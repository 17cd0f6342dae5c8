"""Where a server is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


class InvalidUrl(ValueError):
    """No URL of a server."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server on the network."""

    host: str
    port: int
    is_secure: bool
    prefix: str
    """Path in front of those of the server, as behind a proxy; without a slash at its end."""

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """Raises InvalidUrl for anything but http and https with a host, and where the port is none."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InvalidUrl(url) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidUrl(url)
        is_secure = parts.scheme == "https"
        default = 443 if is_secure else 80
        return cls(parts.hostname, default if port is None else port, is_secure, parts.path.rstrip("/"))


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A server of this machine."""

    path: str
    prefix: str = ""
