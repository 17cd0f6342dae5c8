"""Mail through a real SMTP server, into a mailbox that the test reads."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from procession.delivery.addresses import AllowedTargets
from procession.delivery.mail_server import parse_mail_server
from procession.errors import UsageError
from procession.notifications.notification import Delivery
from tests.support.notifying import HOSTILE, a_transition
from tests.support.posting_mail import posting_mail


class Mailbox:
    """What arrived; and what the server says to an address."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusals: dict[str, str] = {}

    async def handle_RCPT(self, _1: SMTP, _2: Any, envelope: Envelope, address: str, _3: Any) -> str:  # noqa: N802
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _1: SMTP, _2: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        return "250 OK"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def starttls_port(mailbox: Mailbox, authority: trustme.CA) -> Iterator[int]:
    """Wants TLS and a password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        is_good = isinstance(data, LoginPassword) and data == LoginPassword(b"procession", b"s3cret")
        return AuthResult(success=is_good, handled=False)

    def server(loop: asyncio.AbstractEventLoop) -> SMTP:
        return SMTP(
            mailbox,
            loop=loop,
            hostname="localhost",
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        )

    with serving_mail(server) as port:
        yield port


@pytest.fixture
def tls_port(mailbox: Mailbox, authority: trustme.CA) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    with serving_mail(lambda loop: SMTP(mailbox, loop=loop, hostname="localhost"), context) as port:
        yield port


@contextlib.contextmanager
def serving_mail(
    server: Callable[[asyncio.AbstractEventLoop], SMTP], context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """On a free port, which it gives; `context`: TLS from the start."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.run_coroutine_threadsafe(
        loop.create_server(lambda: server(loop), "127.0.0.1", 0, ssl=context), loop
    )
    listener = starting.result(30)
    yield listener.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(listener.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_a_mail_arrives_over_starttls_with_a_password(
    starttls_port: int, mailbox: Mailbox, authority: trustme.CA
) -> None:
    posting = posting_mail(f"smtp://procession@localhost:{starttls_port}", "s3cret", authority)
    posting.put(a_transition(message="{{host.name}} lost it @email-ops"))
    posting.send()

    assert posting.deliveries() == [Delivery.SENT], posting.kept()
    ((to, mail),) = mailbox.mails
    assert to == ["ops@example.org", "night@example.org"]
    assert mail["Subject"] == "[Triggered on {host:web-1}] nginx is gone"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith("web-1 lost it @email-ops\r\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_reaches_another_mailbox(name: str, tls_port: int, mailbox: Mailbox, authority: trustme.CA) -> None:
    posting = posting_mail(f"smtps://localhost:{tls_port}", "", authority)
    posting.put(
        a_transition(
            message="{{host.name}} {{processes}} @ops@example.org @evil@evil.test",
            group=(("host", name),),
            processes=(name,),
            monitor_name="{{host.name}}",
        )
    )
    posting.send()

    ((to, mail),) = mailbox.mails
    assert to == ["ops@example.org"]
    assert mail["To"] == "ops@example.org"
    assert mail.get("Bcc") is None


def test_a_wrong_password_and_a_strange_certificate_send_nothing(
    starttls_port: int, mailbox: Mailbox, authority: trustme.CA
) -> None:
    for url, password, trusted in (
        (f"smtp://procession@localhost:{starttls_port}", "wrong", authority),
        (f"smtp://procession@localhost:{starttls_port}", "s3cret", trustme.CA()),
        (f"smtp://procession@127.0.0.1:{starttls_port}", "s3cret", authority),
    ):
        posting = posting_mail(url, password, trusted)
        posting.put(a_transition(message="@email-ops"))
        posting.send()

        assert posting.deliveries() != [Delivery.SENT]
        assert "s3cret" not in posting.kept()[0].error
    assert mailbox.mails == []


def test_an_address_that_is_refused_for_now_is_tried_again(
    tls_port: int, mailbox: Mailbox, authority: trustme.CA
) -> None:
    posting = posting_mail(f"smtps://localhost:{tls_port}", "", authority)
    mailbox.refusals = {"night@example.org": "451 later"}
    posting.put(a_transition(message="@night@example.org"))
    posting.send()
    assert posting.deliveries() == [Delivery.WAITING]

    mailbox.refusals = {"night@example.org": "550 nobody"}
    posting.clock.now += 10
    posting.send()
    assert posting.deliveries() == [Delivery.FAILED]


def test_a_mail_server_in_a_network_that_is_not_allowed_gets_nothing(
    tls_port: int, mailbox: Mailbox, authority: trustme.CA
) -> None:
    posting = posting_mail(f"smtps://localhost:{tls_port}", "", authority, AllowedTargets())
    posting.put(a_transition(message="@email-ops"))
    posting.send()

    assert posting.deliveries() == [Delivery.FAILED]
    assert mailbox.mails == []


@pytest.mark.parametrize("url", ["", "http://a", "smtp://", "smtps://a:x", "smtp+plain://user@a"])
def test_what_is_no_mail_server_is_said(url: str) -> None:
    with pytest.raises(UsageError):
        parse_mail_server(url)


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    from procession.config import ServerSettings
    from procession.delivery.notifications import make_sender

    (tmp_path / "password").write_text("s3cret\n")
    given: dict[str, Any] = {"mail_server": "smtps://u@a.test", "mail_password_file": str(tmp_path / "password")}

    assert make_sender(ServerSettings(**given, mail_from="a@b.test")).mailer is not None
    for bad in ({"mail_from": ""}, {"mail_from": "a@b.test", "mail_password_file": str(tmp_path / "none")}):
        with pytest.raises(UsageError):
            make_sender(ServerSettings(**(given | bad)))
