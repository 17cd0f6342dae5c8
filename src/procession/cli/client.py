"""Asking a server over HTTP: what `ps`, `top`, `status`, `keys` and others have in common."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from procession import __version__
from procession.cli.terminal.visible_text import visible
from procession.config import AgentSettings
from procession.errors import ProcessionError, UsageError
from procession.http_client import Connection, Endpoint, InvalidUrl, NoAnswer, Response, mistaken_scheme, tls_context

TIMEOUT_SECONDS = 60.0
DEFAULT_URL = AgentSettings().url[0]

_WITHOUT_SCHEME = re.compile(r"(localhost|[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")


class Unreachable(UsageError):
    """Nobody answers there."""


class NotUnderstood(UsageError):
    """The server says that the question is wrong: to ask it again is of no use."""


class Refused(ProcessionError):
    """The server answered with an error; `messages` are its own."""

    def __init__(self, status: int, messages: tuple[str, ...], reset_seconds: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages
        self.reset_seconds = reset_seconds


@dataclass(frozen=True)
class Server:
    """An address; `send` opens a connection, asks one thing and closes it."""

    url: str
    ca_file: str = ""
    """The file with the certificates to trust; empty: those that the system trusts."""

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        parameters: Mapping[str, str] | None = None,
        body: Any = None,
        is_text: bool = False,
    ) -> Any:
        """The JSON that it answers, or what else `is_text`.

        Raises Refused for an answer that is an error, Unreachable where none comes, UsageError for an answer that
        Procession would not give.
        """
        target = path + (f"?{urlencode(parameters)}" if parameters else "")
        all_headers = {
            "accept": "application/json",
            "accept-encoding": "gzip",
            "user-agent": f"procession/{__version__}",
            **headers,
        }
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            all_headers["content-type"] = "application/json"
        with contextlib.closing(self._connection()) as connection:
            try:
                response = connection.request(method, target, body=content, headers=all_headers)
            except NoAnswer as error:
                raise self._error(error) from None
        return self._parse(response, is_text=is_text)

    def clock(self) -> int | None:
        """What time it is there, by the header of an answer. Raises Unreachable and UsageError."""
        with contextlib.closing(self._connection()) as connection:
            try:
                response = connection.request("GET", "/healthz", body=None, headers={})
            except NoAnswer as error:
                raise self._error(error) from None
        try:
            from email.utils import parsedate_to_datetime

            return int(parsedate_to_datetime(response.header("date")).timestamp())
        except ValueError:
            return None

    def is_no_procession(self) -> UsageError:
        return self._in_another_protocol() or UsageError(
            f"what answers at {self.url} is not Procession; name the server with --url"
        )

    def _error(self, error: NoAnswer) -> UsageError:
        cause = error.cause
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(f"cannot reach {self.url}: {error}")
        if error.is_no_http:
            return self.is_no_procession()
        reason = str(error)
        if isinstance(cause, TimeoutError):
            reason = f"no answer within {TIMEOUT_SECONDS:.0f} s"
        elif isinstance(cause, ssl.SSLError):
            reason = cause.reason or reason
        return self._in_another_protocol() or Unreachable(f"cannot reach {self.url}: {reason}")

    def _in_another_protocol(self) -> UsageError | None:
        right = mistaken_scheme(self.url)
        if right is None:
            return None
        return UsageError(f"what answers at {self.url} speaks {urlsplit(right).scheme}; name it as {right}")

    def _parse(self, response: Response, *, is_text: bool) -> Any:
        data = response.body
        if 300 <= response.status < 400 and (target := response.header("location")):
            raise UsageError(
                f"what answers at {self.url} sends its callers on to {visible(target)}; name that with --url"
            )
        try:
            if response.header("content-encoding") == "gzip":
                import gzip

                data = gzip.decompress(data)
            if is_text and response.status < 400:
                return data.decode("utf-8")
            answer = json.loads(data) if data else None
        except (ValueError, OSError, EOFError):
            raise self.is_no_procession() from None
        if response.status < 400:
            return answer
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if not isinstance(errors, list):
            raise self.is_no_procession()
        raise Refused(response.status, tuple(map(str, errors)), response.header("x-ratelimit-reset"))

    def _connection(self) -> Connection:
        endpoint = self._endpoint()
        return Connection(
            endpoint,
            connect_seconds=TIMEOUT_SECONDS,
            answer_seconds=TIMEOUT_SECONDS,
            context=tls_context(self.ca_file) if endpoint.is_secure else None,
        )

    def _endpoint(self) -> Endpoint:
        with contextlib.suppress(InvalidUrl):
            endpoint = Endpoint.of(self.url)
            if endpoint.port != 0:
                return endpoint
        raise UsageError(f"{self.url!r} is not the address of a server; it should look like {_right_url(self.url)}")

    def check(self) -> None:
        """Raises UsageError for what is no address of a server."""
        self._endpoint()

    def without_path(self) -> str | None:
        """The address without its path, as a browser has one; None where it has none."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if self._endpoint().prefix else None


def _right_url(text: str) -> str:
    """What may have been meant: an address to which only the scheme is missing, or any."""
    if _WITHOUT_SCHEME.fullmatch(text):
        with contextlib.suppress(ValueError):
            parts = urlsplit(f"http://{text}")
            if parts.hostname and parts.port != 0:
                return f"http://{text}"
    return DEFAULT_URL
