"""Where a server is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


class InvalidUrl(ValueError):
    """A text that is not the URL of a server."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server on the network."""

    host: str
    port: int
    is_secure: bool
    prefix: str
    """What comes before the paths of the server, such as `/procession` behind a proxy; without a slash at its end."""

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """From a URL. Raises InvalidUrl if its scheme is not http or https, if it has no host, or if its port is not a
        number up to 65535."""
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
    """A server of this machine, behind a socket in the file system."""

    path: str
    """Of the socket."""
    prefix: str = ""
