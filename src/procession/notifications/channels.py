"""Where notifications go: webhooks, mail, Slack, PagerDuty, Alertmanager; messages call each by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import msgspec

from procession.errors import InvalidRequest
from procession.notifications.template import MAX_TEMPLATE_CHARACTERS

MAX_CHANNELS = 500
MAX_VARIABLES = 500
MAX_URL_CHARACTERS = 2_048
MAX_HEADERS_CHARACTERS = 8_192
MAX_ADDRESSES = 50
MAX_VALUE_CHARACTERS = 4_096

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?")
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


class Encoding(StrEnum):
    JSON = "json"
    FORM = "form"


class Webhook(msgspec.Struct, frozen=True, tag="webhook", tag_field="kind"):
    """As Datadog's: what is posted, with `$VARIABLES` in its address, headers and payload."""

    name: str
    url: str
    payload: str | None = None
    """None: Datadog's own."""
    custom_headers: str | None = None
    """A JSON object."""
    encode_as: Encoding = Encoding.JSON


class EmailChannel(msgspec.Struct, frozen=True, tag="email", tag_field="kind"):
    """Addresses that mail may go to: all of them by `@email-NAME`, each by itself as `@address`."""

    name: str
    addresses: tuple[str, ...]


class SlackChannel(msgspec.Struct, frozen=True, tag="slack", tag_field="kind"):
    name: str
    url: str
    """Of an incoming webhook; a secret."""


class PagerDutyChannel(msgspec.Struct, frozen=True, tag="pagerduty", tag_field="kind"):
    name: str
    routing_key: str
    """Of an integration with Events v2; a secret."""
    url: str = "https://events.pagerduty.com/v2/enqueue"


class AlertmanagerChannel(msgspec.Struct, frozen=True, tag="alertmanager", tag_field="kind"):
    name: str
    url: str
    """Before `/api/v2/alerts`."""


Channel: TypeAlias = Webhook | EmailChannel | SlackChannel | PagerDutyChannel | AlertmanagerChannel


class CustomVariable(msgspec.Struct, frozen=True):
    """A `$NAME` of an org's webhooks."""

    name: str
    value: str
    is_secret: bool = False
    """Whether nobody may read it back."""


def kind_of(channel: Channel) -> str:
    """`webhook`, ...: the first word of its name in messages."""
    kind = type(channel).__struct_config__.tag
    assert isinstance(kind, str)  # noqa: S101 (each class above has one)
    return kind


def handle_of(channel: Channel) -> str:
    """How a message calls it, without the @."""
    return f"{kind_of(channel)}-{channel.name}"


def secrets_of(channel: Channel, variables: Iterable[CustomVariable]) -> list[str]:
    """What is sent with a notification and nobody may read, as it is and as it stands in an address."""
    found = [one.value for one in variables if one.is_secret]
    if isinstance(channel, SlackChannel):
        found += [channel.url, urlsplit(channel.url).path]
    elif isinstance(channel, PagerDutyChannel):
        found.append(channel.routing_key)
    return [*found, *map(quote, found)]


def check_name(name: str) -> None:
    """Raises InvalidRequest."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("A name has 1 to 100 letters, digits, _ and -, or a . between them")


def check_channel(channel: Channel) -> None:
    """Raises InvalidRequest. Which address a URL leads to is looked at when something is sent."""
    check_name(channel.name)
    if isinstance(channel, EmailChannel):
        if not 1 <= len(channel.addresses) <= MAX_ADDRESSES:
            raise InvalidRequest(f"addresses: give 1 to {MAX_ADDRESSES}")
        for address in channel.addresses:
            if not _ADDRESS.fullmatch(address):
                raise InvalidRequest(f"addresses: {address[:100]!r} is no address of mail")
        return
    if not re.match(r"https?://[^\s/]", channel.url) or len(channel.url) > MAX_URL_CHARACTERS:
        raise InvalidRequest(f"url: it is no http or https URL of at most {MAX_URL_CHARACTERS} characters")
    if not channel.url.isprintable() or not channel.url.isascii() or " " in channel.url:
        raise InvalidRequest("url: it has characters that no URL has")
    if isinstance(channel, PagerDutyChannel) and not re.fullmatch(r"[A-Za-z0-9]{1,64}", channel.routing_key):
        raise InvalidRequest("routing_key: it has not 1 to 64 letters and digits")
    if isinstance(channel, Webhook):
        if len(channel.payload or "") > MAX_TEMPLATE_CHARACTERS:
            raise InvalidRequest(f"payload: it has more than {MAX_TEMPLATE_CHARACTERS} characters")
        if len(channel.custom_headers or "") > MAX_HEADERS_CHARACTERS:
            raise InvalidRequest(f"custom_headers: they have more than {MAX_HEADERS_CHARACTERS} characters")


def check_variable(variable: CustomVariable) -> None:
    """Raises InvalidRequest."""
    if not _VARIABLE_NAME.fullmatch(variable.name):
        raise InvalidRequest("name: a variable has 1 to 100 capital letters, digits and _, a letter first")
    if len(variable.value) > MAX_VALUE_CHARACTERS:
        raise InvalidRequest(f"value: it has more than {MAX_VALUE_CHARACTERS} characters")
    if not variable.value.isprintable():
        raise InvalidRequest("value: it has characters that cannot be printed")
