"""Finds out which protocol a port speaks, after a call has failed, so that the message can name the mistake."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Literal
from urllib.parse import urlsplit

PROBE_SECONDS = 1.0

_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
"""The first bytes of a TLS alert and of a TLS handshake, in every version since SSL 3."""


def mistaken_scheme(url: str) -> str | None:
    """The URL with the right scheme, if its server speaks http and the URL says https, or the reverse.

    None where the scheme is right, or it cannot be found out. Takes two seconds at most.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme]
        spoken = _protocol_of(host, port)
    except (OSError, ValueError, LookupError):
        return None
    if spoken is None or spoken == parts.scheme:
        return None
    return parts._replace(scheme=spoken).geturl()


def _protocol_of(host: str, port: int) -> Literal["http", "https"] | None:
    # First the hello of TLS: some servers with TLS answer plain HTTP too, to say that they do not want it.
    if _first_bytes(host, port, _client_hello(host)).startswith(_TLS_RECORDS):
        return "https"
    if _first_bytes(host, port, b"HEAD / HTTP/1.0\r\n\r\n").startswith(b"HTTP/"):
        return "http"
    return None


def _client_hello(host: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    handshake = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with contextlib.suppress(ssl.SSLWantReadError):
        handshake.do_handshake()
    return outgoing.read()


def _first_bytes(host: str, port: int, request: bytes) -> bytes:
    """The first bytes of the answer to a request; empty where the connection is closed. Raises OSError where nothing
    comes in time."""
    with socket.create_connection((host, port), timeout=PROBE_SECONDS) as connection:
        connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while len(answer) < 5 and (data := connection.recv(1024)):
                answer += data
        return answer
