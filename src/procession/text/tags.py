"""Tags of processes and hosts, in the one form in which they are kept and compared."""

from __future__ import annotations

from collections.abc import Iterable

from procession.text.characters import text

MAX_TAG_LENGTH = 1000
"""Datadog's have 200 at most."""


def normal_tags(values: Iterable[str | bytes]) -> tuple[str, ...]:
    """Lower-cased, sorted, unique."""
    return tuple(sorted({tag for value in values if (tag := text(value).strip().lower()[:MAX_TAG_LENGTH])}))
