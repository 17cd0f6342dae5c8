"""All of a server that sends notifications, made from its settings."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from procession.config import ServerSettings
from procession.delivery.addresses import AllowedTargets, parse_networks
from procession.delivery.channel_sender import ChannelSender
from procession.delivery.dispatcher import Dispatcher
from procession.delivery.http_post import HttpPoster
from procession.delivery.mail_server import Mailer, parse_mail_server
from procession.delivery.notifier import Notifier
from procession.errors import InvalidRequest, UsageError
from procession.notifications.channels import EmailChannel, check_channel
from procession.notifications.notification import Notification
from procession.storage import KeyStore, MonitorStore, NotificationSettingsStore, OutboxStore


@dataclass(frozen=True)
class Notifications:
    notifier: Notifier
    dispatcher: Dispatcher

    @classmethod
    def made_from(
        cls,
        settings_store: NotificationSettingsStore,
        outbox: OutboxStore,
        monitors: MonitorStore,
        orgs: KeyStore,
        settings: ServerSettings,
        now: Callable[[], int],
    ) -> Notifications:
        """Raises UsageError for settings that are of no use."""
        sender = make_sender(settings)
        notifier = Notifier(settings_store, outbox, monitors, most_in_a_minute=settings.notification_rate, now=now)
        dispatcher = Dispatcher(outbox, settings_store, orgs, sender, now=now, tell_of_ends=notifier.tell_of_ends)
        notifier.wake = dispatcher.wake
        return cls(notifier, dispatcher)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """For the length of the block."""
        self.dispatcher.start()
        try:
            yield
        finally:
            self.dispatcher.stop()


def make_sender(settings: ServerSettings) -> ChannelSender:
    """Raises UsageError."""
    targets = AllowedTargets(parse_networks(settings.notification_networks))
    page = settings.page_url.rstrip("/")

    def link_of(notification: Notification) -> str:
        return f"{page}/?{urlencode({'at': notification.transition.at})}" if page else ""

    return ChannelSender(
        poster=HttpPoster(targets), mailer=_mailer(settings, targets), mail_from=settings.mail_from, link_of=link_of
    )


def _mailer(settings: ServerSettings, targets: AllowedTargets) -> Mailer | None:
    if not settings.mail_server:
        return None
    try:
        check_channel(EmailChannel("from", (settings.mail_from,)))
    except InvalidRequest:
        raise UsageError("--mail-server needs the address that mails come from: give it with --mail-from") from None
    try:
        password = settings.mail_password
        if settings.mail_password_file:
            password = Path(settings.mail_password_file).read_text(encoding="utf-8").rstrip("\r\n")
        context = ssl.create_default_context(cafile=settings.mail_ca_file or None)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read a file of the mail server's settings: {error}") from None
    return Mailer(parse_mail_server(settings.mail_server, password), targets, context=context)
