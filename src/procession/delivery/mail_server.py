"""Hands mails to a mail server: over TLS from the start, or from STARTTLS on."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from procession.delivery.addresses import AllowedTargets, Target
from procession.delivery.deadline import Deadline
from procession.errors import UsageError
from procession.notifications.escaping import clipped, plain
from procession.notifications.retries import NotSent

SECONDS = 30.0


class Security(StrEnum):
    TLS = "smtps"
    STARTTLS = "smtp"
    NONE = "smtp+plain"


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    security: Security
    user: str = ""
    password: str = ""


def parse_mail_server(url: str, password: str = "") -> MailServer:
    """`smtps://user@mail.example.org`, `smtp://` for STARTTLS, `smtp+plain://` for no TLS. Raises UsageError."""
    try:
        parts = urlsplit(url)
        security = Security(parts.scheme)
        port = parts.port or {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}[security]
    except ValueError:
        raise UsageError("--mail-server: it is no smtps://, smtp:// or smtp+plain:// URL") from None
    if not parts.hostname:
        raise UsageError("--mail-server: it has no host")
    user = unquote(parts.username or "")
    if user and security is Security.NONE:
        raise UsageError("--mail-server: a password is sent over TLS only; use smtps:// or smtp://")
    return MailServer(parts.hostname, port, security, user, password or unquote(parts.password or ""))


class Mailer:
    def __init__(
        self,
        server: MailServer,
        targets: AllowedTargets,
        *,
        context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._server = server
        self._targets = targets
        self._context = context or ssl.create_default_context()
        self._seconds = seconds

    def send(self, mail: EmailMessage, sender: str, to: tuple[str, ...]) -> None:
        """Raises NotSent. A server that takes it for some addresses has taken it."""
        target = self._targets.target(self._server.host, self._server.port)
        deadline = Deadline(self._seconds)
        try:
            with deadline, self._connected(target, deadline) as client:
                client.ehlo_or_helo_if_needed()
                if self._server.security is Security.STARTTLS:
                    client.starttls(context=self._context)
                    client.ehlo()
                if self._server.user:
                    client.login(self._server.user, self._server.password)
                client.send_message(mail, sender, list(to))
        except smtplib.SMTPResponseException as error:
            said = clipped(plain(_text(error.smtp_error)), 200)
            # 4xx: not now. Refused logins and addresses stay refused.
            is_final = error.smtp_code >= 500
            raise NotSent(f"{target.host} answered {error.smtp_code}: {said}", is_final=is_final) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            is_final = all(code >= 500 for code in codes)
            raise NotSent(f"{target.host} takes no mail for the addresses: {codes}", is_final=is_final) from None
        except (OSError, smtplib.SMTPException) as error:
            if deadline.is_over or isinstance(error, TimeoutError):
                raise NotSent(f"{target.host} did not take the mail within {self._seconds:g} s") from None
            raise NotSent(f"cannot send mail through {target.host}: {plain(str(error))}") from None

    def _connected(self, target: Target, deadline: Deadline) -> smtplib.SMTP:
        context = self._context if self._server.security is Security.TLS else None
        return _Smtp(target, deadline, self._seconds, context)


class _Smtp(smtplib.SMTP):
    """Connects to the address that was looked at, and checks the certificate against the name."""

    def __init__(self, target: Target, deadline: Deadline, seconds: float, context: ssl.SSLContext | None) -> None:
        """`context`: TLS from the start."""
        self._target = target
        self._deadline = deadline
        self._context = context
        super().__init__(target.host, target.port, timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((self._target.address, port), timeout=timeout)
        self._deadline.watch(connection)
        if self._context is None:
            return connection
        return self._context.wrap_socket(connection, server_hostname=host)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
