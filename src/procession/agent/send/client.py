"""HTTP to the intake: one connection, kept open, one request at a time."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from procession.errors import UsageError
from procession.http_client import Connection, Endpoint, InvalidUrl, NoAnswer, Response, mistaken_scheme, tls_context

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
"""As long as a Datadog Agent waits."""

_MAX_ANSWER_BYTES = 64 * 1024


class Unreachable(Exception):
    """There was no answer; the text says why, in a few words."""


class IntakeClient:
    """Posts to one server. Only `abort` may be called from another thread."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        """`context` is for https: whom to trust, and what to show. Raises UsageError for what is no address of a
        server."""
        self.url = url
        self._connection = Connection(
            _endpoint(url),
            connect_seconds=CONNECT_SECONDS,
            answer_seconds=ANSWER_SECONDS,
            max_answer_bytes=_MAX_ANSWER_BYTES,
            context=context,
        )

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Raises Unreachable. A connection that the server closed while nothing happened is opened anew."""
        try:
            return self._connection.request("POST", path, body=body, headers=headers)
        except NoAnswer as error:
            asks = error.may_speak_another_protocol and not self._connection.is_aborted
            if asks and (right := mistaken_scheme(self.url)):
                raise Unreachable(f"it speaks {right.partition(':')[0]}; --url should be {right}") from None
            raise Unreachable(str(error)) from None

    def close(self) -> None:
        self._connection.close()

    def abort(self) -> None:
        """End what is under way, and let nothing begin any more."""
        self._connection.abort()


def client_context(ca: str, certificate: str, key: str) -> ssl.SSLContext | None:
    """From the names of files; None where none is given. Raises UsageError for those that are of no use."""
    if key and not certificate:
        raise UsageError("--tls-client-key needs a certificate beside it: give one with --tls-client-cert")
    return tls_context(ca, certificate, key) if ca or certificate else None


def _endpoint(url: str) -> Endpoint:
    try:
        parts = urlsplit(url)
        # First, since the other complaint repeats the URL.
        if parts.username is not None or parts.password is not None:
            raise UsageError("the URL of the server must not hold a user or password; the API key is all that it needs")
        if parts.query or parts.fragment:
            raise InvalidUrl(url)
        return Endpoint.of(url)
    except ValueError:
        raise UsageError(f"{url!r} is no URL of a server; it looks like https://procession.example.org:7171") from None
