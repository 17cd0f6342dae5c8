"""Tags of processes and hosts, in the one form in which they are kept and compared."""

from __future__ import annotations

from collections.abc import Iterable

from procession.text.characters import text

MAX_TAG_LENGTH = 1000
"""In characters. Tags of Datadog have 200 at most."""


def normal_tags(values: Iterable[str | bytes]) -> tuple[str, ...]:
    """The tags without blanks around them, lower-cased, cut at MAX_TAG_LENGTH, sorted and unique; empty ones are left
    out."""
    return tuple(sorted({tag for value in values if (tag := text(value).strip().lower()[:MAX_TAG_LENGTH])}))
