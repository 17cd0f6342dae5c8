"""Hides secrets in command lines. Pure: the agent scrubs before anything leaves the host, the server once more.

Two layers. The first (`words`) does exactly what a Datadog Agent does, word for word, so that a command line reads the
same whichever agent sent it; save that what is plainly about a secret, such as the name of its file, is shown. The
second (`forms`, `urls`, `token_shapes`, `clients`) closes what the first is known to leak: it knows where arguments
end, how URLs, JSON, headers and environment variables look, and which programs take a password in which option.

Both take time linear in the length of the line, which is a stranger's to choose. Callers keep results: a command line
rarely changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from procession.scrubbing.clients import client_passwords, harmless_values
from procession.scrubbing.forms import secret_values, value_end
from procession.scrubbing.masking import MASK, masked
from procession.scrubbing.pardons import is_pardoned
from procession.scrubbing.spans import SEPARATOR, Span
from procession.scrubbing.token_shapes import tokens
from procession.scrubbing.urls import url_passwords
from procession.scrubbing.words import DEFAULTS, SensitiveWord, word_spans

__all__ = ["MASK", "Scrubber"]

_LETTERS = re.compile("[a-z]+")


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
    """`mysql -p…`, `redis-cli -a …` and the like: `programs` has the list."""
    more_forms: bool = True
    """Names of secrets in more places and spellings: `forms` and `names` have the rules."""
    _all_words: tuple[SensitiveWord, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_all_words", DEFAULTS + self.custom_words)

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
        spans = word_spans(line.replace(SEPARATOR, " "), words, self._is_pardoned) if words else []
        spans += self._more_spans(line, folded, words)
        if self.client_passwords:
            runs = frozenset(_LETTERS.findall(folded))
            if self.more_forms and spans and (harmless := harmless_values(line, runs)):
                spans = [span for span in spans if not _lies_within(span, harmless)]
            spans += client_passwords(line, runs)
        if not spans:
            return tuple(line.split(SEPARATOR))
        # An empty value is marked as well, but where more is known it is not the value: "password": "…".
        return tuple(masked(line, spans, also_empty=not self.more_forms).split(SEPARATOR))

    def scrub_line(self, cmdline: str) -> str:
        """The same for arguments that were already joined by blanks, so that nobody knows any more where they ended."""
        return " ".join(self.scrub(cmdline.split(" "))) if cmdline else ""

    def _is_pardoned(self, word: SensitiveWord, key: str, value: str) -> bool:
        """Whether what a Datadog Agent takes for a secret is none."""
        return self.more_forms and word not in self.custom_words and is_pardoned(key, value)

    def _more_spans(self, line: str, folded: str, words: Iterable[SensitiveWord]) -> list[Span]:
        spans: list[Span] = []
        if self.url_passwords and ("@" in line or "https://" in line):
            spans += url_passwords(line, folded)
        if self.more_forms:
            spans += tokens(line, frozenset(_LETTERS.findall(folded)))
            spans += secret_values(line, folded)
            spans += (span for word in words for span in self._named_by(word, line))
        return spans

    def _named_by(self, word: SensitiveWord, line: str) -> Iterator[Span]:
        """The values behind a word, with arguments as they are."""
        for key in word.key.finditer(line):
            blank = line[key.end() - 1] in (" ", SEPARATOR)
            if blank and key.start() == 0:  # `passwd root`: a program's name has no value behind it
                continue
            value = (key.end(), value_end(line, key.start(), key.end()))
            if not self._is_pardoned(word, key[0].replace(SEPARATOR, " "), line[slice(*value)]):
                yield value


def _lies_within(span: Span, others: Iterable[Span]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in others)
