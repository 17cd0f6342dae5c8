"""Secrets in options of known programs, whose names do not say so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

from procession.scrubbing.commands import clients
from procession.scrubbing.programs import CLIENTS, SHOWN, Client
from procession.scrubbing.spans import SEPARATOR, Span

# Runs of letters that stand in many a line without a client.
_COMMON = frozenset(
    ("archiver", "client", "config", "console", "download", "export", "find", "import", "install", "kill", "load")
)


def _stem(name: str) -> str:
    """The run of letters that tells most about a name."""
    runs: list[str] = re.findall("[a-z]+", name)
    return max(runs, key=lambda run: (run not in _COMMON, len(run)))


# A line that holds none of them has no client, under whatever version or extension.
_STEMS = frozenset(map(_stem, CLIENTS))
_SHOWN_STEMS = frozenset(map(_stem, SHOWN))


def client_passwords(line: str, runs: Set[str]) -> list[Span]:
    """In arguments joined by SEPARATOR; `runs` are the line's runs of letters, in small ones."""
    return _values(line, CLIENTS) if not _STEMS.isdisjoint(runs) else []


def harmless_values(line: str, runs: Set[str]) -> list[Span]:
    """The values of options that look like secrets by their names, and are none of their program's."""
    return _values(line, SHOWN) if not _SHOWN_STEMS.isdisjoint(runs) else []


def _values(line: str, table: Mapping[str, Client]) -> list[Span]:
    words: list[tuple[int, str]] = []
    start = 0
    for argument in line.split(SEPARATOR):
        words.append((start, argument))
        start += len(argument) + 1
    return [span for name, own in clients(words) if name in table for span in table[name].secrets(own)]
