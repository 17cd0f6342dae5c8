"""What the kernel tells of exits that were heard of: whether the OOM killer did it, and what the process has used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from procession.agent.read.exits.ended import Ended
from procession.agent.read.exits.oom_kills import OomKills
from procession.agent.read.exits.task_stats import TaskStats
from procession.process import ExitCost, ExitFacts


class StatsSource(Protocol):
    """As `TaskStatsListener`."""

    def take(self) -> tuple[list[TaskStats], bool]: ...

    def close(self) -> None: ...


class ExitFactsReader:
    """For one thread. Nothing is known of what it has no source for."""

    def __init__(self, oom_kills: OomKills | None = None, task_stats: StatsSource | None = None) -> None:
        self._oom_kills = oom_kills
        self._task_stats = task_stats
        self._left: list[TaskStats] = []
        """Of exits that had not been heard of at the last time. The kernel tells of both in this order."""

    def added_to(self, ended: Iterable[Ended]) -> list[Ended]:
        """Each with its facts. To be asked again and again, also where nothing has ended: what the kernel keeps for us
        is not without bounds."""
        if self._oom_kills is not None:
            self._oom_kills.look()
        taken = [] if self._task_stats is None else self._task_stats.take()[0]
        by_pid = _by_pid((*self._left, *taken))
        found = [msgspec.structs.replace(one, facts=self._facts_of(one, by_pid)) for one in ended]
        left = {id(one) for of_pid in by_pid.values() for one in of_pid}
        self._left = [one for one in taken if id(one) in left]
        return found

    def close(self) -> None:
        for source in (self._oom_kills, self._task_stats):
            if source is not None:
                source.close()

    def _facts_of(self, ended: Ended, stats: Mapping[int, list[TaskStats]]) -> ExitFacts:
        oom = ExitFacts() if self._oom_kills is None else self._oom_kills.facts_of(ended.pid, ended.exit_code)
        of_pid = stats.get(ended.pid)
        return msgspec.structs.replace(oom, cost=_cost_of(ended, of_pid)) if of_pid else oom


def _by_pid(stats: Iterable[TaskStats]) -> dict[int, list[TaskStats]]:
    """In order. Where a process had several threads, what an older kernel says of its first one is not of all of it."""
    found: dict[int, list[TaskStats]] = {}
    for one in stats:
        if one.exit_code is None:
            found[one.pid] = [one]
        else:
            found.setdefault(one.pid, []).append(one)
    return found


def _cost_of(ended: Ended, of_pid: list[TaskStats]) -> ExitCost | None:
    """Of a pid that was used again there are several: each is that of the next exit with its code."""
    for place, one in enumerate(of_pid):
        if one.exit_code is None or one.exit_code == ended.exit_code:
            del of_pid[: place + 1]
            return ExitCost(
                one.cpu_user_seconds,
                one.cpu_system_seconds,
                one.peak_rss_bytes,
                one.read_bytes,
                one.written_bytes,
                is_final=one.cpu_user_seconds is not None,
            )
    return None
