"""Mail through a mail server that others run, too: Debian's Exim, which asks for TLS and a password."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from mailbox import mbox
from pathlib import Path

import pytest
import trustme

from procession.notifications.notification import Delivery
from tests.support.notifying import HOSTILE, a_transition
from tests.support.posting_mail import posting_mail

PROGRAM = "exim4"
USER = "Debian-exim"
CONFIGURATION = """
primary_hostname = localhost
exim_user = {user}
exim_group = {user}
spool_directory = {folder}/spool
log_file_path = {folder}/%s.log
tls_advertise_hosts = *
tls_certificate = {folder}/certificate
tls_privatekey = {folder}/key
acl_smtp_rcpt = recipient
acl_smtp_data = accept
host_lookup =
begin acl
recipient:
  deny !encrypted = *
  deny !authenticated = *
  accept
begin routers
local:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  file = {folder}/mailbox
  user = {user}
  envelope_to_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and {{{{eq{{$auth2}}{{procession}}}}{{eq{{$auth3}}{{s3cret}}}}}}}}
"""


@dataclass
class Exim:
    folder: Path
    port: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def mails(self) -> list[Message]:
        """Whatever it took lies in the mailbox when its processes have ended."""
        for one in self.running:
            one.wait(60)
        return list(mbox(self.folder / "mailbox", create=False)) if (self.folder / "mailbox").exists() else []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def exim(authority: trustme.CA) -> Iterator[Exim]:
    """A process of it for each connection."""
    program = shutil.which(PROGRAM, path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip(f"no {PROGRAM}: Debian has it in exim4-daemon-light")
    if os.geteuid() != 0:
        pytest.skip("Exim takes a configuration of ours from root only")
    # Not in pytest's folder, which its user may not enter.
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
        exim = Exim(Path(name), listener.getsockname()[1])
        command = [program, "-C", configured(exim.folder, authority), "-odi", "-bs"]

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        exim.running.append(
                            subprocess.Popen(command, stdin=connection.fileno(), stdout=connection.fileno())
                        )

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield exim
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for one in exim.running:
            one.kill()
            one.wait()


def configured(folder: Path, authority: trustme.CA) -> str:
    """The path of its configuration, which is root's; the rest of the folder is Exim's."""
    certificate = authority.issue_cert("localhost")
    (folder / "certificate").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    (folder / "key").write_bytes(certificate.private_key_pem.bytes())
    for one in (folder, *folder.iterdir()):
        shutil.chown(one, USER, USER)
    configuration = folder / "configuration"
    configuration.write_text(CONFIGURATION.format(folder=folder, user=USER))
    return str(configuration)


def test_a_mail_lies_in_a_mailbox_of_exim(exim: Exim, authority: trustme.CA) -> None:
    posting = posting_mail(f"smtp://procession@localhost:{exim.port}", "s3cret", authority)
    posting.put(a_transition(message="{{host.name}} lost it @email-ops"))
    posting.send()

    assert posting.deliveries() == [Delivery.SENT], posting.kept()
    mails = exim.mails()
    assert {mail["Envelope-to"] for mail in mails} == {"ops@example.org", "night@example.org"}
    assert {mail["Subject"] for mail in mails} == {"[Triggered on {host:web-1}] nginx is gone"}
    # It writes so of one that came encrypted, from somebody with a password.
    assert all("with esmtpsa" in mail["Received"] for mail in mails)


def test_no_name_reaches_another_mailbox_of_exim(exim: Exim, authority: trustme.CA) -> None:
    for name in HOSTILE:
        posting = posting_mail(f"smtp://procession@localhost:{exim.port}", "s3cret", authority)
        message = "{{host.name}} {{processes}} @ops@example.org @evil@evil.test"
        group = (("host", name),)
        posting.put(a_transition(message=message, group=group, processes=(name,), monitor_name="{{host.name}}"))
        posting.send()

    mails = exim.mails()
    assert len(mails) == len(HOSTILE)
    assert {mail["Envelope-to"] for mail in mails} == {mail["To"] for mail in mails} == {"ops@example.org"}


def test_exim_takes_nothing_with_a_wrong_password(exim: Exim, authority: trustme.CA) -> None:
    posting = posting_mail(f"smtp://procession@localhost:{exim.port}", "wrong", authority)
    posting.put(a_transition(message="@email-ops"))
    posting.send()

    assert posting.deliveries() != [Delivery.SENT]
    assert exim.mails() == []
