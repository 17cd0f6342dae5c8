"""Regular expressions of the agent's user, for command lines: which are sent, and which tags they get.

Command lines are a stranger's, and Python's expressions may take for ever on a text that was made for it. So a line is
looked at up to a bound, and an expression that repeats what already repeats, as `(a+)+` does, is refused.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from re import _parser as parser  # there is no other way to look into one
from typing import Any

from procession.agent.read.process_reading import ProcessReading
from procession.agent.tag_text import tag_of
from procession.command_line.arguments import line_of
from procession.errors import UsageError

MAX_LOOKED_AT = 4096
"""Characters of a command line that expressions are tried on."""

MAX_TAGS = 20

SLOW_SECONDS = 0.25
"""A rule that took this long on one line is not used again."""


class ProcessFilter:
    """Which processes are sent at all."""

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        """Raises UsageError for what is no expression, or a dangerous one."""
        self._include = [compiled(text, "include-patterns") for text in include]
        self._exclude = [compiled(text, "exclude-patterns") for text in exclude]

    def wants(self, reading: ProcessReading) -> bool:
        """By its arguments, else by its executable, else by its name, each as it is: nothing is hidden yet.

        Where anything is included, all else is not; what is excluded never is.
        """
        line = (line_of(reading.facts.arguments) or reading.facts.exe or reading.stat.comm)[:MAX_LOOKED_AT]
        if any(pattern.search(line) for pattern in self._exclude):
            return False
        return not self._include or any(pattern.search(line) for pattern in self._include)

    def __bool__(self) -> bool:
        return bool(self._include or self._exclude)


class TagRules:
    """Tags out of command lines: `name:value` for each named group that took part in a match."""

    def __init__(self, rules: Iterable[str], report: Callable[[str], None]) -> None:
        """Raises UsageError for what is no rule."""
        self._rules = [compiled(text, "tag-rules") for text in rules]
        self._report = report
        for rule in self._rules:
            if not rule.groupindex:
                raise UsageError(f"tag-rules: {rule.pattern!r} has no named group, as in (?P<team>[a-z]+)")

    def tags_of(self, cmdline: str) -> list[str]:
        """The tags that the rules make of a scrubbed command line. In one that is not, a secret could become a tag."""
        line = cmdline[:MAX_LOOKED_AT]
        tags: list[str] = []
        for rule in tuple(self._rules):
            begun = time.monotonic()
            found = rule.search(line)
            seconds = time.monotonic() - begun
            if seconds >= SLOW_SECONDS:
                self._rules.remove(rule)
                self._report(f"tag-rules: {rule.pattern!r} took {seconds:.1f} s on one command line; left out from now")
            if found is not None:
                tags += (tag for name, value in found.groupdict().items() if (tag := tag_of(name, value)))
        return tags[:MAX_TAGS]

    def __len__(self) -> int:
        return len(self._rules)


def compiled(text: str, setting: str) -> re.Pattern[str]:
    """Raises UsageError with the reason."""
    try:
        parsed = parser.parse(text)
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"{setting}: {text!r} is no regular expression: {error}") from None
    if _explodes(parsed, within=False):
        raise UsageError(
            f"{setting}: {text!r} repeats what repeats itself, which may take for ever on some texts; "
            "without the one in the other, or with ++ and *+, it does not"
        )
    return pattern


_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
_BINDING = ("POSSESSIVE_REPEAT", "ATOMIC_GROUP")
_FEW = 10


def _explodes(parsed: Iterable[Any], *, within: bool) -> bool:
    """Whether something of no fixed length stands within what is repeated many times, so that a text can be taken
    apart in ever more ways. What binds itself, once matched, is tried in one way only."""
    for operation, argument in parsed:
        name = str(operation)
        if name in _BINDING:
            continue
        if name in _REPEATS:
            least, most, item = argument
            if within and least != most:
                return True
            if _explodes(item, within=within or most > _FEW):
                return True
        elif name == "BRANCH":
            if within:
                return True
            if any(_explodes(branch, within=False) for branch in argument[1]):
                return True
        elif any(_explodes(part, within=within) for part in _parts(argument)):
            return True
    return False


def _parts(argument: Any) -> Iterator[Any]:
    """What is nested in a group, a look-around or a condition."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, Sequence) and not isinstance(argument, str):
        for item in argument:
            if isinstance(item, parser.SubPattern):
                yield item
