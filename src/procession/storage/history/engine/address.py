"""Where a store is: a folder of this machine, or a ClickHouse server or cluster under a URL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from procession.errors import UsageError

DATABASE = "procession"
_PORTS = {"http": 8123, "https": 8443}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A ClickHouse server, or the nodes of a cluster of which any may be asked."""

    hosts: tuple[tuple[str, int], ...]
    """Name or address, and the port of the HTTP interface."""
    database: str = DATABASE
    user: str = "default"
    password: str = field(default="", repr=False)
    is_tls: bool = True
    cluster: str | None = None
    """Its name in the servers' own configuration; None: a single server."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""

    def __str__(self) -> str:
        """Without the password."""
        hosts = ",".join(f"{name}:{port}" for name, port in self.hosts)
        cluster = f"?cluster={self.cluster}" if self.cluster else ""
        return f"{'https' if self.is_tls else 'http'}://{self.user}@{hosts}/{self.database}{cluster}"


def parse_address(text: str, *, password: str = "", password_file: str = "", ca_file: str = "") -> Path | ServerAddress:
    """`/var/lib/procession`, or `https://user:password@host:8443,other:8443/database?cluster=name`.

    A password beside the URL is better, since others may see the URL. Raises UsageError, and never shows a password.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return Path(text).expanduser().absolute()
    if scheme not in _PORTS:
        raise UsageError(
            f"the store's address begins with {scheme}://; it is a folder, or https:// or http:// and so on"
        )
    location, _, query = rest.partition("?")
    login, at, hosts_and_database = location.rpartition("@")
    hosts, _, database = hosts_and_database.partition("/")
    user, _, in_url = login.partition(":")
    options = dict(parse_qsl(query, keep_blank_values=True))
    cluster = options.pop("cluster", None)
    if options:
        raise UsageError(f"the store's address has {next(iter(options))!r} after its ?; only cluster may be there")
    for what, name in (("database", database or DATABASE), ("cluster", "c" if cluster is None else cluster)):
        if not _NAME.match(name):
            raise UsageError(f"the {what} in the store's address is {name!r}; it is of letters, digits and _")
    return ServerAddress(
        hosts=tuple(_host(one, _PORTS[scheme]) for one in hosts.split(",")),
        database=database or DATABASE,
        user=unquote(user) if at and user else "default",
        password=_password(unquote(in_url), password, password_file),
        is_tls=scheme == "https",
        cluster=cluster,
        ca_file=ca_file,
    )


def _host(text: str, default_port: int) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/\s]+)(?::(\d{1,5}))?", text)
    if match is None or int(match[2] or 1) not in range(1, 65536):
        raise UsageError(f"{text!r} in the store's address is no host and port; write host:8443, several with commas")
    return match[1].strip("[]"), int(match[2] or default_port)


def _password(in_url: str, given: str, file: str) -> str:
    if not file:
        return given or in_url
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"cannot read the store's password from {file}: {reason}") from None
