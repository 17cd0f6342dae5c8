"""Asking a server over HTTP: what `ps`, `top`, `status`, `keys` and others have in common.

On the standard library alone: it loads in a few milliseconds, and goes through no proxy on its way to this machine.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from procession import __version__
from procession.cli.local.data_folder import LocalFiles
from procession.cli.terminal.visible_text import visible
from procession.config import AgentSettings, ClientSettings
from procession.errors import ProcessionError, UsageError
from procession.orgs import KeyKind

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
    """Whose certificates to take; empty: those that the system trusts."""

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
        target = self._prefix() + path + (f"?{urlencode(parameters)}" if parameters else "")
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
        connection = self._connection()
        try:
            connection.request(method, target, body=content, headers=all_headers)
            response = connection.getresponse()
            data = response.read()
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"cannot reach {self.url}: {error.verify_message or error}") from None
        except ssl.SSLError as error:
            raise self._unreachable(str(error.reason or error)) from None
        except TimeoutError:
            raise self._unreachable(f"no answer within {TIMEOUT_SECONDS:.0f} s") from None
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
            raise self._unreachable(reason) from None
        except (http.client.HTTPException, UnicodeError):
            raise self.is_no_procession() from None
        finally:
            connection.close()
        return self._parse(response, data, is_text=is_text)

    def is_no_procession(self) -> UsageError:
        return self._in_another_protocol() or UsageError(
            f"what answers at {self.url} is not Procession; name the server with --url"
        )

    def _unreachable(self, reason: str) -> UsageError:
        return self._in_another_protocol() or Unreachable(f"cannot reach {self.url}: {reason}")

    def _in_another_protocol(self) -> UsageError | None:
        # Here and not above, since it is wanted only once all has failed.
        from procession.http_client.protocol_probe import mistaken_scheme

        right = mistaken_scheme(self.url)
        if right is None:
            return None
        return UsageError(f"what answers at {self.url} speaks {urlsplit(right).scheme}; name it as {right}")

    def _parse(self, response: http.client.HTTPResponse, data: bytes, *, is_text: bool) -> Any:
        if 300 <= response.status < 400 and (target := response.getheader("location")):
            raise UsageError(
                f"what answers at {self.url} sends its callers on to {visible(target)}; name that with --url"
            )
        try:
            if response.getheader("content-encoding") == "gzip":
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
        raise Refused(response.status, tuple(map(str, errors)), response.getheader("x-ratelimit-reset") or "")

    def _connection(self) -> http.client.HTTPConnection:
        parts = self._parts()
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS, context=self._context()
            )
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except OSError as error:
            reason = getattr(error, "reason", None) or os.strerror(error.errno or 0)
            raise UsageError(f"cannot use the certificates in {self.ca_file}: {reason.lower()}") from None

    def _prefix(self) -> str:
        path: str = self._parts().path
        return path.rstrip("/")

    def _parts(self) -> Any:
        parts = urlsplit(self.url)
        try:
            is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_right = False
        if not is_right:
            raise UsageError(f"{self.url!r} is not the address of a server; it should look like {_right_url(self.url)}")
        return parts

    def check(self) -> None:
        """Raises UsageError for what is no address of a server."""
        self._parts()

    def without_path(self) -> str | None:
        """The address without its path, as a browser has one; None where it has none."""
        parts = self._parts()
        return f"{parts.scheme}://{parts.netloc}" if self._prefix() else None


def _right_url(text: str) -> str:
    """What may have been meant: an address to which only the scheme is missing, or any."""
    if _WITHOUT_SCHEME.fullmatch(text):
        with contextlib.suppress(ValueError):
            parts = urlsplit(f"http://{text}")
            if parts.hostname and parts.port != 0:
                return f"http://{text}"
    return DEFAULT_URL


@dataclass(frozen=True)
class Access:
    """A server and what opens it, as the settings say or as the local server left it in its data folder."""

    server: Server
    settings: ClientSettings
    local: LocalFiles

    @classmethod
    def of(cls, settings: ClientSettings) -> Access:
        local = LocalFiles.of(settings.data_dir)
        url = (settings.url or local.address() or DEFAULT_URL).rstrip("/")
        server = Server(url, settings.tls_ca)
        server.check()
        return cls(server, settings, local)

    def read(self, path: str, parameters: Mapping[str, str]) -> Any:
        """Ask the query API, with a key pair. Raises UsageError, also for what the server refuses."""
        return self._as_reader("GET", path, parameters=parameters)

    def read_text(self, path: str) -> str:
        """The same for what is no JSON."""
        text: str = self._as_reader("GET", path, is_text=True)
        return text

    def tell(self, path: str, body: Any) -> Any:
        """Post something as a reader. Raises UsageError, as `read`."""
        return self._as_reader("POST", path, body=body)

    def _as_reader(self, method: str, path: str, **request: Any) -> Any:
        settings = self.settings
        api_key, api_source = self._key(
            KeyKind.API, settings.api_key or in_file(settings.api_key_file), "DD_API_KEY", "--api-key"
        )
        app_key, app_source = self._key(
            KeyKind.APPLICATION,
            settings.application_key or in_file(settings.application_key_file),
            "DD_APP_KEY",
            "--application-key",
        )
        headers = {"dd-api-key": api_key, "dd-application-key": app_key}
        return self._send(method, path, headers=headers, keys=f"{api_source} and {app_source}", **request)

    def administer(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the administration of keys, with the local admin key. Raises UsageError and Unreachable."""
        secret, source = self._key(KeyKind.ADMIN, "", "", "--data-dir")
        return self._send(method, path, headers={"authorization": f"Bearer {secret}"}, body=body, keys=source)

    def ask(self, path: str) -> Any:
        """Ask one of the open doors, without a key. Raises UsageError and Unreachable."""
        return self._send("GET", path, headers={}, keys="")

    def _send(self, method: str, path: str, *, keys: str, **request: Any) -> Any:
        try:
            return self.server.send(method, path, **request)
        except Unreachable as error:
            # Where the user named no server, there should be one here.
            hint = "" if self.settings.url else "; start it with `procession up`, or name another with --url"
            raise Unreachable(f"{error}{hint}") from None
        except Refused as error:
            raise self._explain(error, keys) from None

    def _explain(self, error: Refused, keys: str) -> UsageError:
        if error.status == 403:
            return UsageError(f"{self.server.url} refuses the keys of {keys}; `procession keys create` makes others")
        if error.status == 404 and (origin := self.server.without_path()) and not self._has_procession():
            return UsageError(f"there is no Procession below {self.server.url}; name the server as {origin}")
        if error.status == 429:
            return UsageError(f"{self.server.url} takes no more queries for now; try again in {error.reset_seconds} s")
        kind = NotUnderstood if error.status == 400 else UsageError
        return kind(str(error) or f"{self.server.url} answers with status {error.status}")

    def _has_procession(self) -> bool:
        """Whether it answers below the path of the address, as behind a proxy; else the path is one too many."""
        try:
            self.server.send("GET", "/openapi.json", headers={})
        except ProcessionError:
            return False
        return True

    def _key(self, kind: KeyKind, given: str, variable: str, flag: str) -> tuple[str, str]:
        """The secret and where it comes from."""
        if given:
            if not given.isascii() or not given.isprintable():
                raise UsageError(f"the key in {flag} or {variable} has characters that no key has")
            return given, variable if given == os.environ.get(variable) else flag
        # The keys of this machine's server are for that server alone; nobody else is shown them.
        if not self.is_local():
            raise UsageError(f"no key for {self.server.url}: give one with {flag}" + (variable and f" or {variable}"))
        secret = self.local.secret(kind)
        if secret is None:
            raise UsageError(
                f"there is no key in {self.local.key_file(kind)} that may be read; "
                f"start the server with `procession up`, or name its folder with --data-dir"
            )
        return secret, str(self.local.key_file(kind))

    def is_local(self) -> bool:
        """Whether what is sent stays on this machine, or goes to the server of the data folder."""
        host = urlsplit(self.server.url).hostname or ""
        is_loopback = host in ("localhost", "::1") or host.startswith("127.")
        return is_loopback or self.server.url == self.local.address()


def in_file(path: str) -> str:
    """The key in a file; empty where none is named. Raises UsageError."""
    if not path:
        return ""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"cannot read the key in {path}: {os.strerror(error.errno or 0).lower()}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read the key in {path}: it is not a text") from None
