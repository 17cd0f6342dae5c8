"""What a part of the processes, or each group of them, sums up to by the minute."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from procession.analysis import Selection
from procession.analysis.over_time.group_minutes import MAX_CELLS, MAX_SIGHTINGS, GroupMinutes
from procession.analysis.over_time.host_groups import HostGroups
from procession.analysis.over_time.trends import MINUTE_SECONDS, TrendSteps
from procession.storage.history.instants.columns.selection_filters import hosts_named
from procession.storage.history.instants.group_by import code_column, values_of_numbers
from procession.storage.history.instants.label_counts import HOST
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.statements.over_time.groups import (
    MinuteSums,
    label_sets_between,
    sightings_by_minute,
)
from procession.storage.history.statements.search_conditions import filters_of

_MOST_LABEL_SETS = 20_000
"""To be named in a statement."""


class _Codes(NamedTuple):
    """What stands for a group in a statement, and the values that each code has."""

    column: str | None
    names: tuple[Sequence[int], Sequence[int]] = ((), ())
    values: Sequence[Sequence[str]] = ()
    """By code; nothing: the codes are values of the column."""


def group_minutes(
    context: QueryContext,
    selection: Selection,
    steps: TrendSteps,
    by: str | None,
    measures: Sequence[str],
    more: HostGroups | None = None,
) -> GroupMinutes | None:
    """`more`: of snapshots that are not in the tables yet. None: there are too many processes, or groups."""
    since, end = steps.minutes.start, steps.minutes.stop
    until = end if more is None else max(since, min(more.since, end))
    hosts = hosts_named(context.table, selection)
    told: dict[int, int] = {}
    for row in context.rows(sightings_by_minute(context.org_id, since, end, hosts)):
        told[row.minute] = told.get(row.minute, 0) + row.sightings
    if sum(told.values()) > MAX_SIGHTINGS:
        return None
    codes = _codes(context, by, since, end, hosts)
    if codes is None or len(codes.values) * len(steps.minutes) > MAX_CELLS:
        return None
    found = GroupMinutes(steps, measures)
    found.told([*told])
    filters = filters_of(context.org_id, selection.search, selection.tags)

    def sums(first: int, last: int) -> MinuteSums:
        return MinuteSums(filters, first, last, measures, hosts, codes.column, codes.names)

    if since < until:
        table = context.table(sums(since, until).of_groups())
        values, of = _values_of(context, by, codes, table["code"].to_numpy())
        numbers = {name: (table[f"{name}_total"].to_numpy(), table[f"{name}_is_known"].to_numpy()) for name in measures}
        found.add(values, of, _minutes(table), table["processes"].to_numpy(), numbers)
    if more is not None and until < end:
        _add_recent(context, by, codes, sums(until, end), more)
        more.into(found)
    return found


def _add_recent(context: QueryContext, by: str | None, codes: _Codes, sums: MinuteSums, more: HostGroups) -> None:
    """What the tables have of minutes of which a part waits."""
    weights, parts = context.table(sums.snapshots_of_hosts()), context.table(sums.of_hosts())
    for host, minute, snapshots, *known in _rows(
        weights, ("snapshots", *(f"{name}_snapshots" for name in sums.measures))
    ):
        more.add_snapshots(host, minute, snapshots, known)
    values, of = _values_of(context, by, codes, parts["code"].to_numpy())
    columns = ("seen", *(f"{name}_{what}" for name in sums.measures for what in ("sum", "known")))
    for (host, minute, seen, *numbers), code in zip(_rows(parts, columns), of.tolist(), strict=True):
        more.add_sightings(host, minute, values[code], seen, list(zip(numbers[::2], numbers[1::2], strict=True)))


def _rows(table: pa.Table, columns: Sequence[str]) -> Any:
    minutes = _minutes(table).tolist()
    return zip(table["host"].to_pylist(), minutes, *(table[name].to_pylist() for name in columns), strict=True)


def _minutes(table: pa.Table) -> Any:
    return table["minute"].to_numpy().astype(np.int64) * MINUTE_SECONDS


def _codes(
    context: QueryContext, by: str | None, since: int, until: int, hosts: Collection[int] | None
) -> _Codes | None:
    """None: there are too many to name them."""
    if by is None:
        return _Codes(None, values=((),))
    column = code_column(by)
    if column != "label_set":
        return _Codes(column)
    label_sets = np.unique(
        context.table(label_sets_between(context.org_id, since, until, hosts))["label_set"].to_numpy()
    )
    if len(label_sets) > _MOST_LABEL_SETS:
        return None
    lists = values_of_numbers(context, by, label_sets).lists(len(label_sets))
    # 0: of those that are not known.
    numbers: dict[tuple[str, ...], int] = {(): 0}
    codes = [numbers.setdefault(tuple(some), len(numbers)) for some in lists]
    return _Codes(column, (label_sets.tolist(), codes), [list(some) for some in numbers])


def _values_of(context: QueryContext, by: str | None, codes: _Codes, found: Any) -> tuple[Sequence[Sequence[str]], Any]:
    """The values of each code, and which of them each of those that were found has."""
    if codes.values or by is None or by not in (HOST, "state"):
        return codes.values or [[]], found.astype(np.int64)
    numbers, of = np.unique(found, return_inverse=True)
    return values_of_numbers(context, by, numbers).lists(len(numbers)), of
