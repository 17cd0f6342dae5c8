"""Numbers of containers over time, found as those of processes are."""

from __future__ import annotations

from collections.abc import Sequence

from procession.analysis import Selection, TimeSeries
from procession.analysis.all_cpus import CpusOfHosts
from procession.containers.container import Container
from procession.containers.matching import is_chosen
from procession.storage import ContainerStore
from procession.window import Window


class ContainerSeries:
    """A SeriesStore, by name. A container without one is by itself, under its id."""

    def __init__(self, store: ContainerStore) -> None:
        self._store = store

    def timeseries(
        self,
        selection: Selection,
        window: Window,
        _by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
        cpus: CpusOfHosts | None,
    ) -> TimeSeries:
        """At instants from the beginning of the window on."""

        def group_of(container: Container) -> str | None:
            is_asked_for = is_chosen(container, selection.search, selection.tags)
            return (container.name or container.container_id) if is_asked_for else None

        step = max((window.to_at - window.from_at) // points, 1)
        times = range(window.from_at, window.to_at + 1, step)
        return self._store.timeseries(selection.org_id, times, measures, rank, limit, group_of, cpus)
