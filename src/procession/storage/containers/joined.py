"""Containers in a data folder: those of now are in memory, all others in the tables, after what waits for its flush."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from procession.analysis import TimeSeries
from procession.analysis.all_cpus import CpusOfHosts
from procession.containers.container import ContainerSnapshot, ContainerStats
from procession.containers.history import ContainerHistory, GroupOf
from procession.containers.presence import REACH_SECONDS, FoundContainer
from procession.search.tag_filter import EVERYTHING, TagFilter
from procession.storage import ContainerStore
from procession.storage.containers.table import ContainerTable
from procession.window import Window

_MINUTE = 60
_NOW_SECONDS = 10
"""An instant so short ago is now."""


class EmbeddedContainers:
    """A ContainerStore."""

    def __init__(
        self,
        table: ContainerTable,
        history: ContainerStore,
        append: Callable[[int, ContainerSnapshot], Future[None]],
        flush_what_concerns: Callable[[int, Window], None],
        now: Callable[[], int],
    ) -> None:
        """`append` is done once a snapshot is safe on disk and in the table."""
        self._table = table
        self._history = history
        self._append = append
        self._flush_what_concerns = flush_what_concerns
        self._now = now
        self._loaded: set[int] = set()
        """Orgs of which the table has what a server before this one knew."""
        self._loading = threading.Lock()

    def add(self, snapshots: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        for waiting in [self._append(org_id, snapshot) for org_id, snapshot in snapshots]:
            waiting.result()

    def add_stats(self, stats: Sequence[tuple[int, ContainerStats]]) -> None:
        for org_id, of_host in stats:
            self._table.put_stats(org_id, of_host)

    def present(self, org_id: int, at: int) -> tuple[FoundContainer, ...]:
        if at > self._now() - _NOW_SECONDS and self._table.holds(org_id):
            self._load(org_id)
            return self._table.present(org_id, at)
        self._flush_what_concerns(org_id, Window(at - REACH_SECONDS - _MINUTE, at // _MINUTE * _MINUTE + _MINUTE - 1))
        return self._history.present(org_id, at)

    def history(
        self,
        org_id: int,
        host: str,
        container_id: str,
        window: Window,
        step_seconds: int,
        tags: TagFilter = EVERYTHING,
    ) -> ContainerHistory:
        self._flush_what_concerns(org_id, Window(window.from_at - _MINUTE, window.to_at + _MINUTE))
        return self._history.history(org_id, host, container_id, window, step_seconds, tags)

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
        self._flush_what_concerns(org_id, Window(times[0] - 2 * _MINUTE, times[-1]))
        return self._history.timeseries(org_id, times, measures, rank, limit, group_of, cpus)

    def forget_org(self, org_id: int) -> None:
        self._table.forget_org(org_id)
        self._loaded.add(org_id)

    def _load(self, org_id: int) -> None:
        if org_id in self._loaded:
            return
        with self._loading:
            if org_id not in self._loaded:
                for one in self._history.present(org_id, self._now()):
                    snapshot = ContainerSnapshot(host=one.host, taken_at=one.seen_at, containers=(one.container,))
                    self._table.put(org_id, snapshot)
                self._loaded.add(org_id)
