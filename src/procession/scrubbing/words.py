"""The first layer: the words after which a Datadog Agent hides what follows, as it does, and custom ones."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from procession.scrubbing.masking import MASK, flat, masked
from procession.scrubbing.spans import Span

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
    """A key is a whole stretch from a blank to the next blank, `=` or `:`; so the first match of each part will
    do, and atomic groups keep a long argument from being tried in many ways."""
    first, *rest = parts
    pattern = ("-{0,2}" + re.escape(first)) if first else ""  # a star in front takes the dashes as well
    for part in rest[:-1]:
        pattern += f"(?>{_STAR}*?{re.escape(part)})"
    if rest and rest[-1]:
        pattern += f"(?>{_STAR}*?{re.escape(rest[-1])}(?=[ =:\0]))"
    elif rest:
        pattern += f"{_LAST_STAR}*+"
    return pattern


DEFAULTS = tuple(SensitiveWord.parse(word) for word in DEFAULT_WORDS)


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


def word_spans(
    line: str, words: Iterable[SensitiveWord], is_pardoned: Callable[[SensitiveWord, str, str], bool]
) -> list[Span]:
    """The values that the words hide, one word after the other, each in what the ones before have left.

    `is_pardoned` is asked of each word, the key that it was found in with what parts it from its value, and the value.
    """
    spans: list[Span] = []
    left = line
    for word in words:
        found = [
            match.span("value")
            for match in word.value.finditer(left)
            if not is_pardoned(word, left[match.start() + 1 : match.start("value")], match["value"])
        ]
        if found:
            spans = flat(spans + _before_masking(found, spans))
            left = masked(line, spans, also_empty=True)
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
