"""Notifications by mail, up to a mail server of the tests."""

from __future__ import annotations

import ssl

import trustme

from procession.accounts.orgs import Org
from procession.delivery.addresses import AllowedTargets
from procession.delivery.channel_sender import ChannelSender
from procession.delivery.http_post import HttpPoster
from procession.delivery.mail_server import Mailer, parse_mail_server
from procession.notifications.channels import EmailChannel
from tests.support.notifying import LOOPBACK, Posting
from tests.support.stores.notification_oracle import OracleNotifications
from tests.support.stores.oracle import OracleStore


def posting_mail(url: str, password: str, authority: trustme.CA, targets: AllowedTargets = LOOPBACK) -> Posting:
    """Notifications that go through the mail server at `url`, whose certificate `authority` has signed."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    mailer = Mailer(parse_mail_server(url, password), targets, context=context, seconds=10)
    sender = ChannelSender(poster=HttpPoster(LOOPBACK), mailer=mailer, mail_from="procession@example.org")
    store, orgs = OracleNotifications(), OracleStore()
    orgs.put_org(Org(1, "main"))
    store.put_channel(1, EmailChannel("ops", ("ops@example.org", "night@example.org")))
    return Posting(store, store, orgs, sender=sender)
