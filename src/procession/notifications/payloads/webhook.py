"""A webhook of Datadog's form: its own payload and headers, with variables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from procession.errors import InvalidRequest
from procession.monitors.transition import Transition
from procession.notifications.channels import Encoding, Webhook
from procession.notifications.payloads.http_request import HttpRequest
from procession.notifications.variables import Variables, event_variables, tag_variables

DEFAULT_PAYLOAD = """{
    "body": "$EVENT_MSG",
    "last_updated": "$LAST_UPDATED",
    "event_type": "$EVENT_TYPE",
    "title": "$EVENT_TITLE",
    "date": "$DATE",
    "org": {
        "id": "$ORG_ID",
        "name": "$ORG_NAME"
    },
    "id": "$ID"
}"""
"""Datadog's."""
MAX_BODY_BYTES = 256 * 1024
MAX_URL_CHARACTERS = 8_192

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = frozenset(("content-length", "content-type", "host", "connection", "transfer-encoding", "te", "upgrade"))
"""Headers that say how the message is framed, and where it goes."""


def webhook_request(
    webhook: Webhook,
    transition: Transition,
    custom: Mapping[str, str],
    *,
    notification_id: str,
    org_name: str,
    link: str,
) -> HttpRequest:
    """`custom`: the org's own variables. Raises InvalidRequest where no request can be made of it."""
    event = event_variables(transition, notification_id=notification_id, link=link) | {"ORG_NAME": org_name}
    variables = Variables(event, tag_variables(transition), custom)
    url = variables.in_url(webhook.url)
    if len(url) > MAX_URL_CHARACTERS:
        raise InvalidRequest(f"the URL has more than {MAX_URL_CHARACTERS} characters once its variables are filled in")
    value = _parsed(variables.in_json(webhook.payload or DEFAULT_PAYLOAD))
    body, content_type = _encoded(value, webhook.encode_as)
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequest(f"the payload has more than {MAX_BODY_BYTES} bytes once its variables are filled in")
    headers = [(name, variables.in_header(text)) for name, text in parse_headers(webhook.custom_headers)]
    headers += [("X-Procession-Notification", notification_id), ("X-Procession-Cycle-Key", transition.cycle_key)]
    return HttpRequest(url, body, content_type, tuple(headers))


def check_webhook(webhook: Webhook) -> None:
    """Raises InvalidRequest for a payload that is no JSON whatever is filled in, and for headers that are none."""
    _parsed(Variables({}, {}, {}).in_json(_with_samples(webhook.payload or DEFAULT_PAYLOAD)))
    parse_headers(webhook.custom_headers)


def parse_headers(text: str | None) -> list[tuple[str, str]]:
    """Raises InvalidRequest."""
    if not (text or "").strip():
        return []
    try:
        headers = json.loads(text or "")
    except ValueError as error:
        raise InvalidRequest(f"custom_headers: they are no JSON: {error}") from None
    if not isinstance(headers, dict):
        raise InvalidRequest("custom_headers: they are no JSON object")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidRequest(f"custom_headers: {name[:100]!r} is no name of a header")
        if name.lower() in _OURS:
            raise InvalidRequest(f"custom_headers: {name} is not for webhooks to set")
        if not isinstance(value, str) or not value.isprintable():
            raise InvalidRequest(f"custom_headers: {name} has no printable text")
    return list(headers.items())


def _with_samples(payload: str) -> str:
    """A variable outside of a string is a value of JSON, as `Variables.in_json` makes it one."""
    return re.sub(
        r'"(?:[^"\\]|\\.)*"|\$[A-Z][A-Z0-9_]*(?:\[[^\[\]\s"$]{1,200}\])?',
        lambda match: match[0] if match[0].startswith('"') else "0",
        payload,
        flags=re.DOTALL,
    )


def _parsed(payload: str) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"payload: it is no JSON: {error}") from None


def _encoded(value: Any, encoding: Encoding) -> tuple[bytes, str]:
    if encoding is Encoding.FORM:
        if not isinstance(value, dict):
            raise InvalidRequest("payload: a form takes a JSON object")
        fields = {name: one if isinstance(one, str) else json.dumps(one) for name, one in value.items()}
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"
    return json.dumps(value).encode(), "application/json"
