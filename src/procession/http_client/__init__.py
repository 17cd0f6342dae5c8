"""HTTP to a server, for agents and commands."""

from procession.http_client.connection import Connection, NoAnswer, Response
from procession.http_client.endpoint import Endpoint, InvalidUrl, UnixSocket
from procession.http_client.protocol_probe import mistaken_scheme
from procession.http_client.tls import tls_context

__all__ = [
    "Connection",
    "Endpoint",
    "InvalidUrl",
    "NoAnswer",
    "Response",
    "UnixSocket",
    "mistaken_scheme",
    "tls_context",
]
