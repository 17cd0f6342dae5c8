"""Which groups a process is in by the keys of a monitor, and how many groups there may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from procession.monitors.group_state import Group
from procession.monitors.query import ATTRIBUTES, MonitorQuery
from procession.process import ProcessSummary

MAX_GROUPS = 1000
MAX_HOST_GROUPS = 25_000


class TooMuch(Exception):
    """This monitor is not evaluated; the text says why."""


def most_groups(query: MonitorQuery) -> int:
    """More by host than by anything else: a host is what a fleet has many of."""
    return MAX_HOST_GROUPS if query.by == ("host",) else MAX_GROUPS


def too_many_groups(query: MonitorQuery, count: int, most: int) -> str:
    return f"it has {count} groups; by {', '.join(query.by)} there may be {most}"


def check_groups(query: MonitorQuery, count: int) -> None:
    """Raises TooMuch."""
    if query.by and count > most_groups(query):
        raise TooMuch(too_many_groups(query, count, most_groups(query)))


def counted(query: MonitorQuery, processes: Iterator[ProcessSummary]) -> Mapping[Group, float]:
    """Processes in each group. Raises TooMuch as soon as there are too many groups."""
    counts: Counter[Group] = Counter()
    if not query.by:
        return {(): float(sum(1 for _ in processes))}
    for one in processes:
        counts.update(groups_of(one, query.by))
        check_groups(query, len(counts))
    return {group: float(count) for group, count in counts.items()}


def _values_of(process: ProcessSummary, key: str) -> tuple[str, ...]:
    if key == "host":
        return (process.identity.host,)
    if key in ATTRIBUTES:
        value = str(getattr(process.description, key))
        return (value,) if value else ()
    start = f"{key}:"
    return tuple(dict.fromkeys(tag[len(start) :] for tag in process.all_tags if tag.startswith(start)))


def groups_of(process: ProcessSummary, by: Sequence[str]) -> list[Group]:
    """A process is in several groups if it has several values of a key, and in none if it has none."""
    groups: list[Group] = [()]
    for key in by:
        groups = [(*group, (key, value)) for group in groups for value in _values_of(process, key)]
    return groups


def has_group(process: ProcessSummary, by: Sequence[str], group: Group) -> bool:
    return not by or group in groups_of(process, by)
