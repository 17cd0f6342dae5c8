"""Hides secrets in command lines. Pure: the agent scrubs before anything leaves the host, the server once more.

Two layers. The first does exactly what a Datadog Agent does, word for word, so that a command line reads the same
whichever agent sent it. The second (`scrub_forms`, `scrub_clients`) closes what the first is known to leak: it knows
where arguments end, how URLs, JSON, headers and environment variables look, and which programs take a password in
which option.

Both take time linear in the length of the line, which is a stranger's to choose. Callers keep results: a command line
rarely changes.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from procession.scrub_clients import client_passwords
from procession.scrub_forms import SEPARATOR, Span, secret_values, url_passwords, value_end

MASK = "********"

DEFAULT_WORDS = (
    "*password*",
    "*passwd*",
    "*mysql_pwd*",
    "*access_token*",
    "*auth_token*",
    "*api_key*",
    "*apikey*",
    "*secret*",
    "*credentials*",
    "stripetoken",
)

_WORD_TEXT = re.compile(r"(?!\*\Z)[A-Za-z0-9_*]+", re.ASCII)

# A star in front or in the middle; and one at the very end.
_STAR = r"[^\t\n\f\r =:$/\0]"
_LAST_STAR = r"[^ =:\0]"

# The value in a line of arguments joined by blanks. Quotes may reach over several arguments.
_VALUE = r"""(?P<value>"[^"]*"|'[^']*'|[^ ]*)"""


@dataclass(frozen=True, slots=True)
class SensitiveWord:
    """The name of a secret, such as `*api_key`: what stands after it, behind a blank, `=` or `:`, is hidden."""

    text: str
    core: str
    """The longest part without a star, case-folded: a line without it needs no further look."""
    value: re.Pattern[str]
    """For arguments joined by blanks; the group `value` is what is hidden."""
    key: re.Pattern[str]
    """The key and what parts it from its value, anywhere in arguments joined by SEPARATOR, the first included."""

    @classmethod
    def parse(cls, text: str) -> SensitiveWord:
        """Raises ValueError for a text that is no word: a lone star, two stars in a row, or an odd character."""
        if not _WORD_TEXT.fullmatch(text):
            raise ValueError(f"{text!r} is no sensitive word: it may have letters, digits, _ and *, but not only a *")
        if "**" in text:
            raise ValueError(f"{text!r} is no sensitive word: it has two * in a row")
        parts = text.split("*")
        pattern = _word_pattern(parts)
        return cls(
            text=text,
            core=max(parts, key=len).casefold(),
            value=re.compile(rf" {pattern}(?: +|[=:]){_VALUE}", re.IGNORECASE),
            key=re.compile(rf"(?<![^ \0]){pattern}(?:[=:]|[ \0]+)", re.IGNORECASE),
        )


def _word_pattern(parts: Sequence[str]) -> str:
    """A key is a whole stretch from a blank to the next blank, `=` or `:`; so the first fit of each part is as good as
    any other, and atomic groups keep a long argument from being tried in many ways."""
    first, *rest = parts
    pattern = ("-{0,2}" + re.escape(first)) if first else ""  # a star in front takes the dashes as well
    for part in rest[:-1]:
        pattern += f"(?>{_STAR}*?{re.escape(part)})"
    if rest and rest[-1]:
        pattern += f"(?>{_STAR}*?{re.escape(rest[-1])}(?=[ =:\0]))"
    elif rest:
        pattern += f"{_LAST_STAR}*+"
    return pattern


_DEFAULTS = tuple(SensitiveWord.parse(word) for word in DEFAULT_WORDS)


def sensitive_words(texts: Iterable[str]) -> tuple[tuple[SensitiveWord, ...], tuple[str, ...]]:
    """The words among the texts, and one line for each text that is none."""
    words: list[SensitiveWord] = []
    refused: list[str] = []
    for text in texts:
        try:
            words.append(SensitiveWord.parse(text.strip()))
        except ValueError as error:
            refused.append(str(error))
    return tuple(words), tuple(refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubber:
    """Which secrets are hidden. Everything is on unless switched off."""

    custom_words: tuple[SensitiveWord, ...] = ()
    """Beside DEFAULT_WORDS."""
    strip_arguments: bool = False
    """Keep no arguments at all. Wins over everything else."""
    words: bool = True
    """What a Datadog Agent hides."""
    url_passwords: bool = True
    """`scheme://user:password@host`."""
    client_passwords: bool = True
    """`mysql -p…`, `redis-cli -a …` and the like: `scrub_clients` has the list."""
    more_forms: bool = True
    """Names of secrets in more places and spellings: `scrub_forms` has the rules."""
    _all_words: tuple[SensitiveWord, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_all_words", _DEFAULTS + self.custom_words)

    def scrub(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """The arguments, each secret replaced by eight asterisks. Joined by blanks they read as a Datadog Agent has
        them, and they end where they did, but for those that a secret in quotes reaches over: these are one.
        """
        if not arguments:
            return ()
        if self.strip_arguments:
            return (arguments[0].split(" ", 1)[0],)
        line = SEPARATOR.join(arguments)
        if line.count(SEPARATOR) >= len(arguments):  # not from a kernel: there an argument ends at its first NUL
            line = SEPARATOR.join(argument.replace(SEPARATOR, " ") for argument in arguments)
        folded = line.lower() if line.isascii() else line.casefold()
        words = [word for word in self._all_words if word.core in folded] if self.words else []
        spans = _word_spans(line.replace(SEPARATOR, " "), words) if words else []
        spans += self._more_spans(line, folded, words)
        if not spans:
            return tuple(line.split(SEPARATOR))
        # An empty value is marked as well, but where more is known it is not the value: "password": "…".
        line = _mask(line, spans, also_empty=not self.more_forms)
        return tuple(line.split(SEPARATOR))

    def scrub_line(self, cmdline: str) -> str:
        """The same for arguments that were already joined by blanks, so that nobody knows any more where they ended."""
        return " ".join(self.scrub(cmdline.split(" "))) if cmdline else ""

    def _more_spans(self, line: str, folded: str, words: Iterable[SensitiveWord]) -> list[Span]:
        spans: list[Span] = []
        if self.url_passwords and "@" in line:
            spans += url_passwords(line)
        if self.client_passwords:
            spans += client_passwords(line)
        if self.more_forms:
            spans += secret_values(line, folded)
            for word in words:
                for key in word.key.finditer(line):
                    blank = line[key.end() - 1] in (" ", SEPARATOR)
                    if not (blank and key.start() == 0):  # `passwd root`: a program's name has no value behind it
                        spans.append((key.end(), value_end(line, key.start(), key.end())))
        return spans


def _word_spans(line: str, words: Iterable[SensitiveWord]) -> list[Span]:
    """The values that the words hide, one word after the other, each in what the ones before have left."""
    spans: list[Span] = []
    left = line
    for word in words:
        if found := [match.span("value") for match in word.value.finditer(left)]:
            spans = _flat(spans + _before_masking(found, spans))
            left = _mask(line, spans, also_empty=True)
    return [span for span in spans if line[span[0] : span[1]] != MASK]


def _before_masking(found: Iterable[Span], spans: Iterable[Span]) -> list[Span]:
    """Where what was found in a masked line stands in the line before; `spans` became masks."""
    edges: list[tuple[int, int]] = []  # (position in the masked line, position before)
    grown = 0
    for start, end in spans:
        edges.append((start + grown, start))
        grown += len(MASK) - (end - start)
        edges.append((end + grown, end))
    positions = [position for position, _ in edges]

    def before(position: int, *, is_end: bool) -> int:
        index = bisect_right(positions, position) if is_end else bisect_left(positions, position)
        if not is_end and index < len(edges) and positions[index] == position:
            return edges[index][1]
        if index == 0:
            return position
        masked, original = edges[index - 1]
        return original + position - masked

    return [(before(start, is_end=False), before(end, is_end=True)) for start, end in found]


def _flat(spans: Iterable[Span]) -> list[Span]:
    """In order, those that overlap made one."""
    flat: list[Span] = []
    for start, end in sorted(spans):
        if flat and (start < flat[-1][1] or end == flat[-1][1]):
            flat[-1] = (flat[-1][0], max(end, flat[-1][1]))
        else:
            flat.append((start, end))
    return flat


def _mask(line: str, spans: Iterable[Span], *, also_empty: bool) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in _flat(spans):
        if end > start or also_empty:
            pieces += (line[position:start], MASK)
            position = end
    pieces.append(line[position:])
    return "".join(pieces)
