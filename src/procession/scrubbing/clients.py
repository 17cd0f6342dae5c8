"""Secrets in options of known programs, whose names do not say so."""

from __future__ import annotations

import re
from collections.abc import Set

from procession.scrubbing.commands import clients
from procession.scrubbing.programs import CLIENTS
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


def client_passwords(line: str, runs: Set[str]) -> list[Span]:
    """In arguments joined by SEPARATOR; `runs` are the line's runs of letters, in small ones."""
    if _STEMS.isdisjoint(runs):
        return []
    words: list[tuple[int, str]] = []
    start = 0
    for argument in line.split(SEPARATOR):
        words.append((start, argument))
        start += len(argument) + 1
    return [span for client, own in clients(words) for span in client.secrets(own)]
