"""Containers, too simple to be wrong: all that was ever said, looked through for each question."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from procession.analysis import Series, TimeSeries
from procession.analysis.all_cpus import CpusOfHosts
from procession.containers.container import NUMBERS, Container, ContainerSnapshot, ContainerStats
from procession.containers.history import ContainerHistory, GroupOf
from procession.containers.metrics import GREATEST
from procession.containers.presence import FoundContainer
from procession.search.tag_filter import EVERYTHING, TagFilter
from procession.window import Window


def _over_all_cpus(container: Container, cpus: int | None) -> Container:
    names = ("cpu_total_percent", "cpu_user_percent", "cpu_system_percent", "cpu_limit_percent")
    used = {name: getattr(container.numbers, name) for name in names}
    shares = {name: value / cpus if cpus and value is not None else None for name, value in used.items()}
    return msgspec.structs.replace(container, numbers=msgspec.structs.replace(container.numbers, **shares))


class OracleContainers:
    def __init__(self) -> None:
        self._told: list[tuple[int, ContainerSnapshot]] = []

    def add(self, snapshots: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        self._told.extend(snapshots)

    def add_stats(self, stats: Sequence[tuple[int, ContainerStats]]) -> None:
        """Not kept."""

    def present(self, org_id: int, at: int) -> tuple[FoundContainer, ...]:
        """The newest of each up to the end of the minute, unless its host has told for 15 seconds without it."""
        until = at // 60 * 60 + 59
        since = (at // 60 - 5) * 60
        told = [one for org, one in self._told if org == org_id and since <= one.taken_at <= until]
        found = {}
        for snapshot in sorted(told, key=lambda one: one.taken_at):
            for container in snapshot.containers:
                key = (snapshot.host, container.container_id)
                found[key] = FoundContainer(snapshot.host, snapshot.taken_at, container)
        newest = {host: max(one.seen_at for one in found.values() if one.host == host) for host, _ in found}
        there = [one for one in found.values() if one.seen_at >= newest[one.host] - 15]
        return tuple(
            sorted(there, key=lambda one: (one.container.started_at or 0, one.host, one.container.container_id))
        )

    def history(
        self,
        org_id: int,
        host: str,
        container_id: str,
        window: Window,
        step_seconds: int,
        tags: TagFilter = EVERYTHING,
    ) -> ContainerHistory:
        newest = {}
        for org, snapshot in sorted(self._told, key=lambda one: one[1].taken_at):
            for container in snapshot.containers:
                minute = snapshot.taken_at // 60
                is_asked = (org, snapshot.host, container.container_id) == (org_id, host, container_id)
                if is_asked and window.from_at // 60 <= minute <= window.to_at // 60:
                    newest[minute] = container
        by_minute = {minute: one.numbers for minute, one in newest.items() if tags.accepts(one.tags)}
        step = max(step_seconds // 60, 1)
        begins = sorted({minute // step for minute in by_minute})
        numbers = {}
        for name in NUMBERS:
            means = []
            for begin in begins:
                known = [
                    value
                    for minute, one in by_minute.items()
                    if minute // step == begin and (value := getattr(one, name)) is not None
                ]
                means.append(sum(known) / len(known) if known else None)
            numbers[name] = tuple(means)
        return ContainerHistory(
            step_seconds=step * 60, times=tuple(begin * step * 60 for begin in begins), numbers=numbers
        )

    def timeseries(
        self,
        org_id: int,
        times: Sequence[int],
        measures: Sequence[str],
        rank: str,
        limit: int,
        group_of: GroupOf,
        cpus: CpusOfHosts | None = None,
    ) -> TimeSeries:
        """The newest that was told of each in the minute before each instant, group by group."""
        newest = []
        for at in times:
            of_minute = {}
            for org, snapshot in sorted(self._told, key=lambda one: one[1].taken_at):
                if org == org_id and snapshot.taken_at // 60 == at // 60 - 1:
                    told = snapshot.containers
                    if cpus is not None:
                        told = tuple(_over_all_cpus(one, cpus.get(snapshot.host)) for one in told)
                    of_minute.update({(snapshot.host, one.container_id): one for one in told})
            newest.append(list(of_minute.values()))

        def number(group: set[str], measure: str, containers: Sequence[Container]) -> float | None:
            those = [one for one in containers if group_of(one) in group]
            if measure == "count":
                return len(those)
            known = [value for one in those if (value := getattr(one.numbers, measure)) is not None]
            return (max if measure in GREATEST else sum)(known) if known else None

        names = sorted({name for those in newest for one in those if (name := group_of(one)) is not None})
        totals = {name: sum(number({name}, rank, those) or 0 for those in newest) for name in names}
        shown = sorted(names, key=lambda name: (-totals[name], name))[:limit]
        groups: list[tuple[str | None, set[str]]] = [(name, {name}) for name in shown]
        if len(shown) < len(names):
            groups.append((None, set(names) - set(shown)))
        series = [
            Series(
                name,
                name is None,
                tuple(int(number(group, "count", those) or 0) if those else None for those in newest),
                {measure: tuple(number(group, measure, those) for those in newest) for measure in measures},
            )
            for name, group in groups
        ]
        step = times[1] - times[0] if len(times) > 1 else 1
        return TimeSeries(step, tuple(times), tuple(series), any(newest))
