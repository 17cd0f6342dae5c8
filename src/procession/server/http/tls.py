"""TLS by flags: the certificate of the server, and whose certificates it takes from agents."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Callable

from procession.errors import UsageError

_log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often it is looked whether the files have changed."""


class Certificates:
    """What a server shows. New connections get a new certificate within seconds of its being there; those open stay.

    The two files are seldom changed at one instant, so a pair that does not fit is no reason to drop the old one.
    """

    def __init__(self, cert: str, key: str, client_ca: str = "") -> None:
        """Raises UsageError for files that cannot be used."""
        self._cert = cert
        self._key = key or cert
        self.context = _context(self._cert, self._key, client_ca)
        self._states = self._file_states()
        self._refused: object = None

    async def watch(self, sleep: Callable[[float], object] = asyncio.sleep) -> None:
        """Look at the files, for ever."""
        while True:
            await sleep(LOOK_SECONDS)  # type: ignore[misc]
            self.reload_changed()

    def reload_changed(self) -> bool:
        """Take the files anew if they have changed; whether they were taken."""
        states = self._file_states()
        if states in (self._states, self._refused):
            return False
        try:
            # Into another context first: half a pair would spoil the one in use.
            _context(self._cert, self._key, "")
            self.context.load_cert_chain(self._cert, self._key)
        except (UsageError, OSError) as error:
            self._refused = states
            text = "keeping the certificate that is in use: %(reason)s"
            _log.warning(text, {"event": "certificate-refused", "reason": str(error)})
            return False
        self._states = states
        _log.warning("took the new certificate in %(file)s", {"event": "certificate-taken", "file": self._cert})
        return True

    def _file_states(self) -> object:
        return tuple(_state_of(path) for path in (self._cert, self._key))


def _state_of(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)  # noqa: PTH116 (follows the links by which certificates are changed)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _context(cert: str, key: str, client_ca: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a terminal to ask: a key with a password is an error, and not a server that hangs.
        context.load_cert_chain(cert, key, password=_no_password)
    except _NeedsPassword:
        raise UsageError(f"cannot use the private key in {key}: it has a password; give it one without") from None
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot use the certificate in {cert} with the key in {key}: {_reason(error)}") from None
    if client_ca:
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"cannot use the certificates in {client_ca}: {_reason(error)}") from None
        # Optional: people and their programs have keys, and need none. Agents are asked for it by their routes.
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


class _NeedsPassword(Exception):
    pass


def _no_password() -> str:
    raise _NeedsPassword


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it is no certificate").lower().replace("_", " ")
    return (error.strerror or str(error)).lower()
