"""How many processes there were and what they used, at instants one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from procession.analysis import Selection, TimeSeries
from procession.analysis.all_cpus import CpusOfHosts, over_all_cpus
from procession.analysis.grouping.code_labels import ValueLabels
from procession.analysis.series_of_groups import GroupsThen, Steps, time_series
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.group_by import Sums, code_column, coded, grouped
from procession.storage.history.instants.query_context import QueryContext
from procession.window import Window


def timeseries(
    context: QueryContext,
    selection: Selection,
    window: Window,
    by: str | None,
    measures: Sequence[str],
    rank: str,
    limit: int,
    points: int,
    cpus: CpusOfHosts | None = None,
) -> TimeSeries:
    columns = {*measures, *(() if rank == "count" else (rank,)), *(() if by is None else (code_column(by),))}
    steps = Steps.of(window, points, len(context.instant(selection, window.to_at, ())))
    found = []
    for each in context.instants(selection, steps.times, columns):
        instant = each if cpus is None else _over_all_cpus(context, each, cpus)
        if by is not None:
            groups = grouped(context, instant, by, sorted(columns - {code_column(by)}))
        else:
            sums = Sums(instant.columns["state"] * 0, instant.columns, sorted(columns))
            whole = sums.into(ValueLabels.of_lists([[]] * len(sums.codes))).all()
            groups = {one.value: one for one in whole}
        found.append(GroupsThen(groups, instant.is_known))
    return time_series(steps, found, measures, None if by is None else rank, limit)


def _over_all_cpus(context: QueryContext, instant: Instant, cpus: CpusOfHosts) -> Instant:
    hosts, places = coded(instant.columns["host"])
    names = context.host_names(hosts)
    counts = [cpus.get(names.get(host, ""), 0) for host in hosts.tolist()]
    return replace(instant, columns=over_all_cpus(instant.columns, places, counts))
