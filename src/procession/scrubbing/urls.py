"""Passwords in addresses."""

from __future__ import annotations

import re

from procession.scrubbing.spans import Span

_USER = re.compile(r"""://(?P<user>[^\s\0"'/:?#@<>\[\]]*+)(?P<mark>[:@])""")
_END = re.compile(r"""[\s\0"'<>]|\Z""")
# What stands behind a colon and is no password: a port, or what a shell or template puts there; more hosts may follow.
_PORT = re.compile(
    r"(?:\d{1,5}|\$\w+|\$\{[^{}\s\0]*\}|\{[^{}\s\0]*\}|%\w+%?|\*)(?=[/?#\s\0]|,[\w.\-]+(?::\d|[/?,])|\Z)|/|[\w.\-]+@sha\d+:"
)
_LOOKS_LIKE_A_TOKEN = re.compile(r"(?=[^\d]*\d)[\w\-]{20,}")
_ORACLE = re.compile(r"\b(?:thin|oci8?):[^\s\0/@:]*+/(?P<value>[^\s\0@]++)@", re.IGNORECASE)
# Without a scheme, but before a host with a port, a path or a protocol: `app:x@db:3306/shop`, `app:x@tcp(db)/shop`.
_LOGIN = re.compile(
    r"""(?<![^\s\0"'=])(?!(?:acct|git|mailto|oci|sips?|ssh|tel|xmpp):)[\w.\-]+:(?P<value>[^\s\0"':/@]{2,})"""
    r"""@(?!sha\d+:)(?:\w+\()?[\w.\-]+(?::\d|[/(])"""
)
# Whose secret is a part of the path.
_HOOK = re.compile(
    r"""https://(?:hooks\.slack\.com/(?:services|workflows)/[A-Z]\w+/[A-Z]\w+/(?P<slack>\w+)
    |(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/(?P<discord>[\w\-]+)
    |api\.telegram\.org/bot\d+:(?P<telegram>[\w\-]+))""",
    re.VERBOSE,
)


def url_passwords(line: str, folded: str) -> list[Span]:
    """`scheme://user:password@host`, also where the password has an `@` or `/` that ought to be escaped; a long token
    in place of the user; Oracle's `thin:user/password@host`; addresses to which anybody who knows them may post."""
    spans: list[Span] = []
    end = 0  # of the URL at hand
    for match in _USER.finditer(line):
        if match.end() > end:
            end = _END.search(line, match.end()).start()  # type: ignore[union-attr]
        if _LOOKS_LIKE_A_TOKEN.fullmatch(match["user"]):
            spans.append(match.span("user"))
        if match["mark"] == "@" or _PORT.match(line, match.end()):
            continue
        at = line.find("@", match.end(), end)
        if at < 0:
            continue
        path = line.find("/", at, end)
        spans.append((match.end(), line.rfind("@", at, end if path < 0 else path)))
    spans += (match.span("value") for match in _LOGIN.finditer(line))
    if ":oci" in folded or "thin:" in folded:
        spans += (match.span("value") for match in _ORACLE.finditer(line))
    if "hook" in folded or "/bot" in folded:
        spans += (match.span(match.lastgroup or 0) for match in _HOOK.finditer(line))
    return spans
