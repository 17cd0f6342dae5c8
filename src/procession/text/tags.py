"""Tags of processes and hosts, in the one form in which they are kept and compared."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from procession.text.characters import text

MAX_TAG_LENGTH = 1000
"""In characters. Tags of Datadog have 200 at most."""


_REMEMBERED = 2048
_MOST_TAGS, _MOST_CHARACTERS = 60, 3000
"""Of what is remembered, each time. Processes of one host or container have the same tags."""


def normal_tags(values: Iterable[str | bytes]) -> tuple[str, ...]:
    """The tags without blanks around them, lower-cased, cut at MAX_TAG_LENGTH, sorted and unique; empty ones are left
    out."""
    values = tuple(values)
    if len(values) > _MOST_TAGS or sum(map(len, values)) > _MOST_CHARACTERS:
        return _normal(values)
    return _normal_again(values)


def _normal(values: tuple[str | bytes, ...]) -> tuple[str, ...]:
    return tuple(sorted({tag for value in values if (tag := text(value).strip().lower()[:MAX_TAG_LENGTH])}))


_normal_again = lru_cache(_REMEMBERED)(_normal)
