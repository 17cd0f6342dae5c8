"""Asks a provider: with a bound on time and size, and without following it to anywhere else."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from procession.http_client import Connection, Endpoint, NoAnswer

SECONDS = 8.0
"""For an answer as a whole, whatever comes by and by."""
CONNECT_SECONDS = 4.0
MAX_ANSWER_BYTES = 512 * 1024


class ProviderFails(Exception):
    """It gave no answer, or none of use. The text says why, in a few words."""


class ProviderRefuses(Exception):
    """It answered with an error that is about what was sent."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code or f"status {status}")
        self.status = status
        self.code = code


class Exchange:
    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        """`context`: for https, called when it is needed."""
        self._context = context

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON of the answer. Raises ProviderFails or ProviderRefuses."""
        return self._call("GET", url, None, headers or {})

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        body = urlencode(form).encode()
        return self._call("POST", url, body, {"content-type": "application/x-www-form-urlencoded", **headers})

    def _call(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        parts = urlsplit(url)
        server = Endpoint.of(f"{parts.scheme}://{parts.netloc}")
        connection = Connection(
            server,
            connect_seconds=CONNECT_SECONDS,
            answer_seconds=SECONDS,
            max_answer_bytes=MAX_ANSWER_BYTES,
            context=self._context() if server.is_secure else None,
        )
        # One that sends a byte now and then keeps no thread.
        deadline = threading.Timer(SECONDS, connection.abort)
        deadline.daemon = True
        deadline.start()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            answer = connection.request(method, target, body=body, headers={"accept": "application/json", **headers})
        except NoAnswer as error:
            raise ProviderFails(str(error)) from None
        finally:
            deadline.cancel()
            connection.close()
        if 400 <= answer.status < 500:
            raise ProviderRefuses(answer.status, _error_code(answer.body))
        if answer.status != 200:
            raise ProviderFails(f"it answered with status {answer.status}")
        return _json_of(answer.body)


def checked_url(url: str) -> str:
    """Raises ValueError, with what is wrong, for one that is not safe to talk to: https, or http on this machine."""
    parts = urlsplit(url)
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or not parts.hostname:
        raise ValueError("is no URL")
    if parts.username is not None or parts.fragment:
        raise ValueError("has a login or a fragment in it")
    if parts.port == 0:
        raise ValueError("has no port that can be reached")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("does not begin with https://")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json_of(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        raise ProviderFails("its answer is no JSON, or too long") from None


def _error_code(body: bytes) -> str:
    """As OAuth has it: a short word. Whatever else is said may be anything."""
    try:
        code = msgspec.json.decode(body)["error"]
    except (msgspec.MsgspecError, RecursionError, TypeError, KeyError):
        return ""
    return code if isinstance(code, str) and is_error_code(code) else ""


def is_error_code(text: str) -> bool:
    return 0 < len(text) <= 50 and text.isascii() and text.replace("_", "").isalnum()
