"""Where secrets stand in command lines, beyond what a Datadog Agent looks for. Part of `scrub`.

Everything here reads arguments joined by SEPARATOR, which no argument can hold, and gives the spans to hide. A name is
secret by what it says once `-`, `_` and `.` are taken out, so that `--api-key`, `DD_API_KEY` and `apiKey` are one.

Covered, in an argument of its own, inside another one (`sh -c "…"`, `--env=…`), and also in the first argument:

    name=value  name: value  "name": "value"  'name' => 'value'  user[name]=value  <name>value</name>
    --name value  ?name=value&…  …;name=value;…  Name: Bearer value

At the beginning of an argument the value is all the rest of it, so a blank in a password does no harm. Inside, it ends
where its quotes do, or at white space, `&`, `;` or `,`.
"""

from __future__ import annotations

import re
from functools import lru_cache

Span = tuple[int, int]

SEPARATOR = "\0"
"""What the kernel has between arguments."""

_WITHIN = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "mysqlpwd",
    "accesstoken",
    "authtoken",
    "apikey",
    "stripetoken",
)
_AT_THE_END = (
    "pass",
    "pwd",
    "passcode",
    "token",
    "jwt",
    "cookie",
    "authorization",
    "masterauth",
    "signature",
    *(f"{kind}key" for kind in ("access", "account", "app", "application", "auth", "encryption", "license")),
    *(f"{kind}key" for kind in ("master", "private", "shared", "signing")),
)
_INNOCENT_ENDS = ("bypass", "compass", "trespass")
_LONG_NAME = 100
_WORKING_DIRECTORY = frozenset({"PWD", "OLDPWD"})

# A line with none of these has no secret name in it; `key` alone would stand in too many.
_CUES = ("pass", "pwd", "secret", "credential", "token", "jwt", "cookie", "auth", "signature", "key", "bearer")

_ATTACHED = re.compile(
    r"""(?<![\w.\-])(?P<name>[\w.\-]++)(?P<close>[\\"'`\])}]*+)\s*+(?P<delimiter>=>|:=|[=:])[ \t]*+"""
)
_FOLLOWED = re.compile(r"""(?<![^\s\0"'`(=])(?P<name>-{1,2}\w[\w.\-]*+)(?:\0|\s++)(?!--\w|-\w?(?:[\s\0]|\Z))""")
_BEARER = re.compile(r"""\bbearer[\s\0]++(?P<value>[^\s\0"',;]++)""", re.IGNORECASE)
_ELEMENT = re.compile(r"<(?P<name>[\w.:\-]++)[^<>\0]*+>(?P<value>[^<\0]++)")

_OPENING_QUOTE = re.compile(r"""\\*+["'`]""")
_UNQUOTED = re.compile(r"""(?:[^\s\0&;,\\]++|\\[^\0])*+\\?""")
_AFTER_A_QUOTE = re.compile(r"""(?:[^\s\0&;,|)\]}\\"'`]++|\\[^\0])*+""")
_TOKEN_END = re.compile(r"[ \0]|\Z")
_SCHEME = re.compile(r"(?:apikey|basic|bearer|digest|negotiate|token)[\s\0]++", re.IGNORECASE)

_URL_USER = re.compile(r"""://(?P<user>[^\s\0"'/:?#@<>]*+)(?P<mark>[:@])""")
_URL_END = re.compile(r"""[\s\0"'<>]|\Z""")
_PORT = re.compile(r"\d{1,5}(?=[/?#\s\0])")
_LOOKS_LIKE_A_TOKEN = re.compile(r"(?=[^\d]*\d)[\w\-]{20,}")
_ORACLE = re.compile(r"\b(?:thin|oci8?):[^\s\0/@:]*+/(?P<value>[^\s\0@]++)@", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is to be hidden; leading dashes belong to the name."""
    return _is_secret(name) if len(name) > _LONG_NAME else _is_known_secret(name)


def _is_secret(name: str) -> bool:
    if name in _WORKING_DIRECTORY:
        return False
    plain = name.casefold().replace("-", "").replace("_", "").replace(".", "")
    return any(part in plain for part in _WITHIN) or (
        plain.endswith(_AT_THE_END) and not plain.endswith(_INNOCENT_ENDS)
    )


_is_known_secret = lru_cache(maxsize=4096)(_is_secret)


def secret_values(line: str, folded: str) -> list[Span]:
    """The values behind names that are secret."""
    if not any(cue in folded for cue in _CUES):
        return []
    spans: list[Span] = []
    hidden = leads_to = 0
    for match in _ATTACHED.finditer(line):
        start, end = match.span()
        # What `--env=` leads to is as good as an argument of its own.
        begins = start == leads_to or line[start - 1] == SEPARATOR
        if begins:
            leads_to = end
        if end >= hidden and is_secret_name(match["name"]) and not _is_path(line, match):
            hidden = _attached_end(line, match, begins=begins)
            spans.append((end + (line[end : end + 1] == SEPARATOR), hidden))
    hidden = 0
    for match in _FOLLOWED.finditer(line):
        if match.end() >= hidden and is_secret_name(match["name"]):
            hidden = _following_end(line, match.end())
            spans.append((match.end(), hidden))
    if "bearer" in folded:
        spans += (match.span("value") for match in _BEARER.finditer(line))
    if "</" in line:
        spans += (match.span("value") for match in _ELEMENT.finditer(line) if is_secret_name(match["name"]))
    return spans


def value_end(line: str, key_start: int, start: int) -> int:
    """Where the value ends that begins at `start`, behind a key that stands after a blank or begins an argument.

    Never before the place where a Datadog Agent ends it.
    """
    mark = line[start - 1]
    if mark == SEPARATOR or (mark != " " and (key_start == 0 or line[key_start - 1] == SEPARATOR)):
        return _following_end(line, start) if mark == SEPARATOR else _rest_of_argument(line, start)
    return max(_TOKEN_END.search(line, start).start(), _quoted_end(line, start))  # type: ignore[union-attr]


def url_passwords(line: str) -> list[Span]:
    """`scheme://user:password@host`, also where the password has an `@` or `/` that ought to be escaped; a long token
    in place of the user; and Oracle's `thin:user/password@host`."""
    spans: list[Span] = []
    end = 0  # of the URL at hand
    for match in _URL_USER.finditer(line):
        if match.end() > end:
            end = _URL_END.search(line, match.end()).start()  # type: ignore[union-attr]
        if _LOOKS_LIKE_A_TOKEN.fullmatch(match["user"]):
            spans.append(match.span("user"))
        if match["mark"] == "@" or _PORT.match(line, match.end()):
            continue
        at = line.find("@", match.end(), end)
        if at < 0:
            continue
        path = line.find("/", at, end)
        spans.append((match.end(), line.rfind("@", at, end if path < 0 else path)))
    if ":oci" in line.lower() or "thin:" in line.lower():
        spans += (match.span("value") for match in _ORACLE.finditer(line))
    return spans


def _is_path(line: str, match: re.Match[str]) -> bool:
    """`/run/secrets/token:/token` is two paths; `/password:x`, at the beginning of an argument, is none."""
    start = match.start()
    return (
        match["delimiter"] == ":" and start > 1 and line[start - 1] == "/" and line[start - 2] not in (SEPARATOR, " ")
    )


def _attached_end(line: str, match: re.Match[str], *, begins: bool) -> int:
    start, end = match.span()
    if begins:
        if match["delimiter"] == ":" and line[end : end + 1] == SEPARATOR:  # a header, come apart at its blanks
            scheme = _SCHEME.match(line, end + 1)
            return _rest_of_argument(line, scheme.end() if scheme else end + 1)
        return _rest_of_argument(line, end)
    quote = line[start - 1]
    if quote in "\"'`" and not match["close"]:  # "Name: Bearer value": the quotes hold name and value
        closing = line.find(quote, end)
        if closing >= 0:
            return closing
    scheme = _SCHEME.match(line, end)
    return _inner_end(line, scheme.end() if scheme else end)


def _following_end(line: str, start: int) -> int:
    """Of a value that is an argument of its own, or the next word within one."""
    return _rest_of_argument(line, start) if line[start - 1] == SEPARATOR else _inner_end(line, start)


def _rest_of_argument(line: str, start: int) -> int:
    end = line.find(SEPARATOR, start)
    return max(len(line) if end < 0 else end, _quoted_end(line, start))


def _inner_end(line: str, start: int) -> int:
    return _quoted_end(line, start) or _UNQUOTED.match(line, start).end()  # type: ignore[union-attr]


def _quoted_end(line: str, start: int) -> int:
    """Where a value ends that begins with a quote; 0 where it does not, or where nothing closes it.

    The quotes may have backslashes, as within a text in quotes. A shell joins what stands side by side: 'it'"'"'s' is
    one word, and so is 'it'\\''s'.
    """
    end = 0
    while quote := _OPENING_QUOTE.match(line, start):
        mark = quote[0]
        closing = line.find(mark, quote.end())
        while closing >= 0 and len(mark) == 1 and mark != "'" and _is_escaped(line, closing):
            closing = line.find(mark, closing + 1)
        if closing < 0:
            break
        start = end = _AFTER_A_QUOTE.match(line, closing + len(mark)).end()  # type: ignore[union-attr]
    return end


def _is_escaped(line: str, position: int) -> bool:
    backslashes = 0
    while position - backslashes > 0 and line[position - backslashes - 1] == "\\":
        backslashes += 1
    return backslashes % 2 == 1
