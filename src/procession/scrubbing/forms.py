"""Where the values of names stand in command lines, beyond what a Datadog Agent looks for.

Everything here reads arguments joined by SEPARATOR, which no argument can hold, and gives the spans to hide. `names`
says which names are secret.

Covered, in an argument of its own, inside another one (`sh -c "…"`, `--env=…`), and also in the first argument:

    name=value  name: value  "name": "value"  'name' => 'value'  user[name]=value  <name>value</name>
    --name value  ?name=value&…  …;name=value;…  Name: Bearer value

At the beginning of an argument the value is all the rest of it, so a blank in a password does no harm. Inside, it ends
where its quotes do, or at white space, `&`, `;` or `,`.
"""

from __future__ import annotations

import re

from procession.scrubbing.names import WORKING_DIRECTORY, Secrecy, is_harmless, is_reference, is_switch_value, secrecy
from procession.scrubbing.spans import SEPARATOR, Span

# A line with none of these has no secret name in it; `key` alone would stand in too many.
_CUES = (
    *("pass", "pw", "psw", "psk", "otp", "secret", "cred", "token", "jwt", "cookie", "auth", "sig=", "signature"),
    *("key", "bearer", "community"),
)

_ATTACHED = re.compile(
    r"""(?<![\w.\-])(?P<name>[\w.\-]++)(?P<close>[\\"'`\])}]*+)\s*+(?P<delimiter>=>|:=|[=:])[ \t]*+"""
)
_FOLLOWED = re.compile(
    r"""(?<![^\s\0"'`(=])(?P<name>-{1,2}\w[\w.\-]*+)(?:\0|\s++)"""
    r"""(?!--\w|-(?:\w?|[A-Za-z]+(?:_[A-Za-z]+)*)(?:[\s\0]|\Z))"""
)
_BEARER = re.compile(r"""\bbearer[\s\0]++(?!-)(?P<value>[^\s\0"',;]++)""", re.IGNORECASE)
_ELEMENT = re.compile(r"<(?P<name>[\w.:\-]++)[^<>\0]*+>(?P<value>[^<\0]++)")

_OPENING_QUOTE = re.compile(r"""\\*+["'`]""")
_UNQUOTED = re.compile(r"""(?:[^\s\0&;,\\]++|\\[^\0])*+\\?""")
_AFTER_A_QUOTE = re.compile(r"""(?:[^\s\0&;,|)\]}\\"'`]++|\\[^\0])*+""")
_TOKEN_END = re.compile(r"[ \0]|\Z")
_SCHEME = re.compile(r"(?:apikey|basic|bearer|digest|negotiate|token)[\s\0]++", re.IGNORECASE)


_OPENING = tuple("{[<(\"'")
_LONG_VALUE = 500
_TEXT_FOLLOWS = re.compile(r"\0(?:-[a-z]{0,3}c|/[ck])\0\Z", re.IGNORECASE)
_OBJECT = ('{"', "{'", "{\\", '["', "['", "[{")
_KEY_OF_A_STORE = re.compile(r"(?:\d{1,6}|\*)(?![^\s\0])|:")
_USER = re.compile(r"[^\s\0:%=]+[:%=](?=[^\s\0])")
# What follows in the same text: `A=x B=y`.
_ANOTHER = re.compile(r"\s(?=[A-Za-z_][\w.]*=)")


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
        if end < hidden or (kind := _secrecy(line, match)) is Secrecy.NO:
            continue
        value_start = end + (line[end : end + 1] == SEPARATOR)
        if line.startswith(_OBJECT, value_start):  # what is secret in there has a name of its own
            continue
        value = (value_start, _attached_end(line, match, begins=begins))
        if secret := _secret_part(line, value, kind):
            hidden = value[1]
            spans.append(secret)
    hidden = 0
    for match in _FOLLOWED.finditer(line):
        if match.end() < hidden or (kind := secrecy(match["name"])) is Secrecy.NO:
            continue
        value = (match.end(), _following_end(line, match.end()))
        if secret := _secret_part(line, value, kind):
            hidden = value[1]
            spans.append(secret)
    if "bearer" in folded:
        spans += (match.span("value") for match in _BEARER.finditer(line))
    if "</" in line:
        spans += (match.span("value") for match in _ELEMENT.finditer(line) if secrecy(match["name"]) is not Secrecy.NO)
    return spans


def value_end(line: str, key_start: int, start: int) -> int:
    """Where the value ends that begins at `start`, behind a key that stands after a blank or begins an argument.

    Never before the place where a Datadog Agent ends it.
    """
    mark = line[start - 1]
    if line[key_start : key_start + 1] in _OPENING and mark not in (
        " ",
        SEPARATOR,
    ):  # of JSON: `secret_values` knows more
        return max(_TOKEN_END.search(line, start).start(), _quoted_end(line, start))  # type: ignore[union-attr]
    if mark == "=" and _begins_a_text(line, key_start):
        return max(_TOKEN_END.search(line, start).start(), _quoted_end(line, start))  # type: ignore[union-attr]
    if mark == SEPARATOR or (mark != " " and (key_start == 0 or line[key_start - 1] == SEPARATOR)):
        return _following_end(line, start) if mark == SEPARATOR else _rest_of_argument(line, start)
    return max(_TOKEN_END.search(line, start).start(), _quoted_end(line, start))  # type: ignore[union-attr]


def _secrecy(line: str, match: re.Match[str]) -> Secrecy:
    """How secret the value is that is attached to a name."""
    name, start, end = match["name"], match.start(), match.end()
    if name in WORKING_DIRECTORY and (name != "PWD" or line[end : end + 1] in ("/", "~", "$", "`", "(", "")):
        return Secrecy.NO
    if name == "sig" and line[start - 1 : start] in ("?", "&"):  # of a shared access signature
        return Secrecy.UNLESS_HARMLESS
    kind = secrecy(name)
    if match["delimiter"] == ":" and not name.startswith("-") and _is_key_of_a_store(line, match):
        return Secrecy.NO
    return Secrecy.NO if kind is not Secrecy.NO and _is_path(line, match) else kind


def _is_key_of_a_store(line: str, match: re.Match[str]) -> bool:
    """`token:332`, `auth:*`, `:auth:test` and `recipe[auth::web]` are names that are parted by colons."""
    return line[match.start() - 1 : match.start()] == ":" or bool(_KEY_OF_A_STORE.match(line, match.end()))


def _secret_part(line: str, value: Span, kind: Secrecy) -> Span | None:
    """What is to be hidden of a value; None where it looks like no secret."""
    start, end = value
    if end - start > _LONG_VALUE:
        return value
    text = line[start:end].strip("\\\"'`,")
    if is_reference(text) or is_switch_value(text):
        return None
    if kind is Secrecy.YES:
        return value
    if is_harmless(text) or (text[:1] == "/" and is_harmless(text.partition(",")[0])):
        return None
    if kind in (Secrecy.LOGIN, Secrecy.OF_A_LOGIN) and (user := _USER.match(line, start, end)):
        return user.end(), end
    return None if kind is Secrecy.OF_A_LOGIN else value


def _is_path(line: str, match: re.Match[str]) -> bool:
    """`/run/secrets/token:/token` is two paths; `/password:x`, at the beginning of an argument, is none."""
    start = match.start()
    return (
        match["delimiter"] == ":" and start > 1 and line[start - 1] == "/" and line[start - 2] not in (SEPARATOR, " ")
    )


def _attached_end(line: str, match: re.Match[str], *, begins: bool) -> int:
    start, end = match.span()
    if begins and not _begins_a_text(line, start):
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


def _begins_a_text(line: str, start: int) -> bool:
    """Whether what begins here is the text of `sh -c`, where `A=x` ends at the next blank."""
    return _TEXT_FOLLOWS.search(line, max(0, start - 8), start) is not None


def _following_end(line: str, start: int) -> int:
    """The end of a value that is an argument of its own, or the next word within an argument."""
    return _rest_of_argument(line, start) if line[start - 1] == SEPARATOR else _inner_end(line, start)


def _rest_of_argument(line: str, start: int) -> int:
    end = line.find(SEPARATOR, start)
    end = len(line) if end < 0 else end
    quoted = _quoted_end(line, start)
    if not quoted and line[start - 1] == "=" and (another := _ANOTHER.search(line, start, end)):
        return another.start()
    return max(end, quoted)


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
