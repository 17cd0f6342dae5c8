"""Puts asterisks where the secrets were."""

from __future__ import annotations

from collections.abc import Iterable

from procession.scrubbing.spans import Span

MASK = "********"


def flat(spans: Iterable[Span]) -> list[Span]:
    """In order, those that overlap made one."""
    flat: list[Span] = []
    for start, end in sorted(spans):
        if flat and (start < flat[-1][1] or end == flat[-1][1]):
            flat[-1] = (flat[-1][0], max(end, flat[-1][1]))
        else:
            flat.append((start, end))
    return flat


def masked(line: str, spans: Iterable[Span], *, also_empty: bool) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in flat(spans):
        if end > start or also_empty:
            pieces += (line[position:start], MASK)
            position = end
    pieces.append(line[position:])
    return "".join(pieces)
