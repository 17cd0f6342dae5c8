"""A mail: plain text, and the same in HTML."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from procession.monitors.transition import Transition
from procession.notifications import message
from procession.notifications.escaping import as_html, plain

_DOMAIN = "procession.invalid"
"""Of message ids: mail programs use them to tell mails apart, and nothing else."""


def mail_of(
    transition: Transition, *, sender: str, to: tuple[str, ...], notification_id: str, link: str
) -> EmailMessage:
    """The same notification has the same Message-ID, and all of one alert are one thread."""
    lines = [message.text(transition), ""]
    facts = (
        ("Monitor", plain(transition.monitor_name)),
        ("Group", message.group_text(transition)),
        ("State", message.status_word(transition)),
        ("Reason", plain(transition.reason)),
        ("Value", message.number_text(transition.value)),
        ("Threshold", message.number_text(transition.threshold)),
        ("Query", plain(transition.query)),
        ("At", message.moment_text(transition.at)),
        ("Link", link),
    )
    lines += [f"{name}: {value}" for name, value in facts if value]
    lines += [f"Process: {plain(process)}" for process in transition.processes]
    body = "\n".join(lines) + "\n"
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = message.title(transition)
    mail["From"] = address_of(sender)
    mail["To"] = tuple(address_of(one) for one in to)
    mail["Date"] = format_datetime(datetime.fromtimestamp(transition.at, UTC))
    mail["Message-ID"] = f"<{notification_id}@{_DOMAIN}>"
    thread = hashlib.sha256(transition.cycle_key.encode()).hexdigest()[:32]
    mail["References"] = f"<{thread}@{_DOMAIN}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    mail.add_alternative(f"<!doctype html><pre>{as_html(body)}</pre>\n", subtype="html")
    return mail


def address_of(text: str) -> Address:
    name, _, domain = text.rpartition("@")
    return Address(username=name, domain=domain)
