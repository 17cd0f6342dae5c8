"""Values -> text that is only text where it goes. A process may call itself anything."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from procession.text.characters import encodable

HIDDEN = "…"
LEAST_SECRET = 4
"""Characters of a secret that are hidden where it is cut off; what is shorter is part of any text."""

_CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Turns the direction of what follows, or is not seen: with it, one name looks like another."""


def plain(value: str) -> str:
    """On one line: it cannot begin a line, and so no header, nor look like one of the message."""
    return _INVISIBLE.sub("\ufffd", _CONTROLS.sub(" ", encodable(value)))


def as_html(text: str) -> str:
    return html.escape(text, quote=True)


def slack(value: str) -> str:
    """Slack has three characters with a meaning; with them come `<!channel>`, `<@user>` and links."""
    return plain(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clipped(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """What a receiver says may repeat what it was sent, also cut off at the end of the text."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) < LEAST_SECRET:
            continue
        text = text.replace(secret, HIDDEN)
        bare = text.rstrip(HIDDEN)
        cut = next((n for n in range(len(secret) - 1, LEAST_SECRET - 1, -1) if bare.endswith(secret[:n])), 0)
        if cut:
            text = bare[:-cut] + HIDDEN
    return text
