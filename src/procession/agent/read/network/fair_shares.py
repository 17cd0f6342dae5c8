"""Which network namespaces are looked at, where there is not enough for all of them."""

from __future__ import annotations

from collections.abc import Mapping


def fair_shares(sizes: Mapping[str, int], most: int, looked_at: Mapping[str, int]) -> list[str]:
    """Those of which there are no more than `most` sockets together, who waits longest first. `sizes`: the sockets of
    each; `looked_at`: in which look it had its turn last, if ever.

    The small ones always have a turn: in ascending order, each that takes no more than an equal share of what is left.
    Of the others those have it that have waited longest, as far as they fit.
    """

    def waits(name: str) -> int:
        return looked_at.get(name, 0)

    ascending = sorted(sizes, key=lambda name: sizes[name])
    chosen: list[str] = []
    left = most
    for place, name in enumerate(ascending):
        if sizes[name] * (len(ascending) - place) > left:
            break
        chosen.append(name)
        left -= sizes[name]
    for name in sorted(ascending[len(chosen) :], key=waits):
        if sizes[name] <= left:
            chosen.append(name)
            left -= sizes[name]
    return sorted(chosen, key=waits)
