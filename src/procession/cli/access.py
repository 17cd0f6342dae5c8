"""A server and the keys that open it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from procession.accounts.orgs import KeyKind
from procession.cli.client import DEFAULT_URL, NotUnderstood, Refused, Server, Unreachable
from procession.cli.local.data_folder import LocalFiles
from procession.config import ClientSettings
from procession.errors import ProcessionError, UsageError


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

    def change(self, method: str, path: str, body: Any = None) -> Any:
        """Ask for a change as a reader, by PUT or DELETE. Raises UsageError, as `read`."""
        return self._as_reader(method, path, body=body)

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
