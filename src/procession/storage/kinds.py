"""What processes are counted by: their kinds, and the values that these have of a tag key or an attribute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from procession.analysis import Facet, ValueCount
from procession.patterns import fold
from procession.process import ProcessDescription, generated_tags

HOST = "host"


class Kind(msgspec.Struct, frozen=True):
    command: str
    user: str
    container_id: str
    is_zombie: bool
    tags: tuple[str, ...]

    def all_tags(self) -> tuple[str, ...]:
        """But for the one that names the host."""
        about = ProcessDescription(command=self.command, user=self.user, is_zombie=self.is_zombie)
        return (*self.tags, *generated_tags("", about)[1:])

    def values(self, key: str) -> set[str]:
        """Of a folded tag key, other than that of the host."""
        return {value for name, value in self._pairs() if name == key}

    def by_key(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for key, value in self._pairs():
            found.setdefault(key, set()).add(value)
        return found

    def _pairs(self) -> Iterable[tuple[str, str]]:
        for tag in self.all_tags():
            key, separator, value = tag.partition(":")
            if separator:
                yield fold(key), value


def facets_of(
    keys: Iterable[str],
    hosts: Mapping[str, int],
    kinds: Sequence[tuple[Kind, int]],
    *,
    limit: int,
    prefix: str = "",
) -> tuple[Facet, ...]:
    """From how many processes there are on each host and of each kind. `prefix`: of the values to list."""
    return tuple(_facet(key, hosts, kinds, limit, fold(prefix)) for key in keys)


def _facet(key: str, hosts: Mapping[str, int], kinds: Sequence[tuple[Kind, int]], limit: int, prefix: str) -> Facet:
    counts: Counter[str] = Counter()
    processes = 0
    if key == HOST:
        counts.update(hosts)
        processes = sum(hosts.values())
    else:
        for kind, count in kinds:
            values = kind.values(key)
            processes += count if values else 0
            for value in values:
                counts[value] += count
    found = [(value, count) for value, count in counts.items() if fold(value).startswith(prefix)]
    found.sort(key=lambda item: (-item[1], item[0]))
    return Facet(key, processes, len(found), tuple(ValueCount(*item) for item in found[:limit]))


def keys_of(hosts: Mapping[str, int], kinds: Sequence[tuple[Kind, int]]) -> dict[str, int]:
    """Tag key -> how many processes have it."""
    counts: Counter[str] = Counter()
    for kind, count in kinds:
        for key in kind.by_key():
            counts[key] += count
    counts[HOST] = sum(hosts.values())
    return {key: count for key, count in counts.items() if count}
