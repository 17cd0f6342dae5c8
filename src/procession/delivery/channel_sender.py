"""One notification to its channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from procession.delivery.http_post import HttpPoster
from procession.delivery.mail_server import Mailer
from procession.errors import InvalidRequest
from procession.notifications.channels import (
    AlertmanagerChannel,
    Channel,
    EmailChannel,
    PagerDutyChannel,
    SlackChannel,
)
from procession.notifications.notification import Notification
from procession.notifications.payloads.alertmanager import DIGEST_SECONDS, FIRING_SECONDS, alertmanager_request
from procession.notifications.payloads.mail import mail_of
from procession.notifications.payloads.pagerduty import pagerduty_request
from procession.notifications.payloads.slack import slack_request
from procession.notifications.payloads.webhook import webhook_request
from procession.notifications.retries import NotSent

_TOO_MANY = frozenset((429,))


@dataclass(frozen=True, kw_only=True)
class ChannelSender:
    poster: HttpPoster
    mailer: Mailer | None = None
    """None: the server has no mail server."""
    mail_from: str = ""
    link_of: Callable[[Notification], str] = lambda _: ""
    """Where the page shows it; empty where nobody said what the page's address is."""

    def send(self, notification: Notification, channel: Channel, custom: Mapping[str, str], org_name: str) -> None:
        """`custom`: the org's variables. Raises NotSent."""
        try:
            self._send(notification, channel, custom, org_name)
        except InvalidRequest as error:
            raise NotSent(str(error), is_final=True) from None

    def _send(self, notification: Notification, channel: Channel, custom: Mapping[str, str], org_name: str) -> None:
        transition, link = notification.transition, self.link_of(notification)
        if isinstance(channel, EmailChannel):
            self._send_mail(notification, channel, link)
        elif isinstance(channel, SlackChannel):
            self.poster.post(slack_request(channel, transition, link=link), tries_again_after=_TOO_MANY)
        elif isinstance(channel, PagerDutyChannel):
            self.poster.post(pagerduty_request(channel, transition, link=link), tries_again_after=_TOO_MANY)
        elif isinstance(channel, AlertmanagerChannel):
            seconds = DIGEST_SECONDS if notification.is_digest else FIRING_SECONDS
            request = alertmanager_request(channel, transition, link=link, firing_seconds=seconds)
            self.poster.post(request, tries_again_after=_TOO_MANY)
        else:
            request = webhook_request(
                channel, transition, custom, notification_id=notification.id, org_name=org_name, link=link
            )
            self.poster.post(request)

    def _send_mail(self, notification: Notification, channel: EmailChannel, link: str) -> None:
        if self.mailer is None:
            raise NotSent("this server has no mail server: give it one with --mail-server", is_final=True)
        mail = mail_of(
            notification.transition,
            sender=self.mail_from,
            to=channel.addresses,
            notification_id=notification.id,
            link=link,
        )
        self.mailer.send(mail, self.mail_from, channel.addresses)
