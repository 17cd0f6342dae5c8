"""Processes at an instant: a page of them in any order, and two numbers of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from procession.analysis import (
    DESCRIPTION_ATTRIBUTES,
    MAX_DESCRIPTIONS,
    MEASURES,
    InstantPage,
    InstantPin,
    Order,
    Points,
    Selection,
)
from procession.errors import InvalidRequest
from procession.packed import STATES
from procession.process import ProcessKey
from procession.storage.history.instants.columns.instant import Instant, is_process
from procession.storage.history.instants.columns.row_order import first_rows, sort_values
from procession.storage.history.instants.group_by import labels_of
from procession.storage.history.instants.label_counts import HOST
from procession.storage.history.instants.query_context import QueryContext
from procession.storage.history.statements.descriptions import column_of_versions
from procession.storage.history.tables.constants import NO_NICE

_KEY = ("start", "host", "pid")
_KINDS = ("user", "command", "container_id")
_NUMBERS = {"ppid": -1, "uid": -1, "gid": -1, "namespace_pid": -1, "nice": NO_NICE}
"""Numbers that only descriptions have, and what stands there for one that is not known."""
_DESCRIBED = {
    **{name: name for name in (*DESCRIPTION_ATTRIBUTES, *_NUMBERS, "comm")},
    "group": "group_name",
    "tags": "tag_set",
}
"""Columns that only descriptions have, and what they are called there."""


def instant_page(
    context: QueryContext,
    selection: Selection,
    at: int,
    order: Order,
    offset: int,
    limit: int,
    after: ProcessKey | None,
    pin: InstantPin | None,
) -> InstantPage:
    """`after`: the last process of the page before, from which `offset` counts. `pin`: what that was made of."""
    wanted = {*_KEY, "version", *_columns_of(order)}
    instant = context.instant(selection, at, wanted, pin=pin)
    total = len(instant)
    if after is not None and _row_of(instant, after) is None:
        # That it ended was reported since. Its place is where the page goes on.
        instant = context.instant(selection, at, wanted, pin=pin, kept=after)
        total = len(instant) - 1
    columns = _sort_columns(context, instant, order)
    if after is not None:
        offset += _position_of(instant, columns, after)
    if offset >= len(instant):
        return InstantPage(total, (), instant.is_known, instant.pin)
    rows = first_rows(columns, min(offset + limit, len(instant)))[offset:]
    return InstantPage(total, context.processes_at(instant, rows), instant.is_known, instant.pin)


def _columns_of(order: Order) -> set[str]:
    if order.tag_key not in (None, HOST) or order.column in _KINDS:
        return {"label_set"}
    is_there = order.tag_key == HOST or order.column in ("host", "timestamp", *_DESCRIBED)
    return set() if is_there else {order.column}


def _sort_columns(context: QueryContext, instant: Instant, order: Order) -> list[Any]:
    columns = [instant.columns[name] for name in _KEY]
    key = order.tag_key
    if key in (None, HOST):
        values = _values(context, instant, order.column if key is None else "host")
    else:
        values = _values_of_tag(context, instant, key)
    if values is None:  # by start, where only the direction is asked for
        return [-columns[0].astype(np.int64), *columns[1:]] if order.is_descending else columns
    return [sort_values(values, order), *columns]


def _values(context: QueryContext, instant: Instant, column: str) -> Any:
    """Numbers in whose order the values of a column are; -1 for what is not known. None for the start."""
    if column == "start":
        return None
    if column in MEASURES or column == "pid":
        return instant.columns[column]
    if column == "host":
        names = context.host_names(instant.columns["host"])
        return _ranked(instant.columns["host"], lambda host: names.get(host, ""))
    if column == "state":
        return _ranked(instant.columns["state"], lambda state: STATES[state])
    if column in _KINDS:
        numbers = np.unique(instant.columns["label_set"])
        label_sets = dict(zip(numbers.tolist(), context.label_sets(numbers).texts(column), strict=True))
        return _ranked(instant.columns["label_set"], lambda label_set: label_sets[label_set])
    if column == "timestamp":
        return instant.columns["seen_at"].astype(np.int64)
    values = texts_of(context, instant, _DESCRIBED[column])
    if column in _NUMBERS:
        unknown = _NUMBERS[column]
        known = {version: None if number == unknown else number for version, number in values.items()}
        return _ranked(instant.columns["version"], known.get)
    if column == "tags":
        tags = context.tags({*values.values()})
        return _ranked(instant.columns["version"], lambda version: tags.get(values.get(version, 0), ()))
    return _ranked(instant.columns["version"], lambda version: values.get(version, ""))


def _values_of_tag(context: QueryContext, instant: Instant, key: str) -> Any:
    numbers, places = np.unique(instant.columns["label_set"], return_inverse=True)
    labels = context.label_sets(numbers).labels(key)
    ranks = _ranked(labels.value, lambda value: labels.texts[value])
    last = len(labels.texts)
    first = np.full(len(numbers), last, np.int64)
    np.minimum.at(first, labels.of, ranks)
    return np.where(first == last, -1, first)[places]


def _ranked(column: Any, value_of: Callable[[int], Any]) -> Any:
    """Numbers in the order of values; -1 for what is empty or not known."""
    distinct, indices = np.unique(column, return_inverse=True)
    texts = [value_of(one) for one in distinct.tolist()]
    ranks = {value: rank for rank, value in enumerate(sorted(set(texts) - {"", (), None}))}
    return np.array([ranks.get(value, -1) for value in texts], np.int64)[indices]


def texts_of(context: QueryContext, instant: Instant, column: str) -> dict[int, Any]:
    """Version -> one column of what it is. Raises InvalidRequest where these are too many."""
    if len(instant) > MAX_DESCRIPTIONS:
        raise InvalidRequest(
            f"{len(instant)} processes are too many to look at the {column} of each;"
            f" choose at most {MAX_DESCRIPTIONS} by search, tags or host"
        )
    versions = np.unique(instant.columns["version"]).tolist()
    if not versions:
        return {}
    rows = context.rows(column_of_versions(context.org_id, instant.hours(), column, versions))
    return {row.version: row.value for row in rows}


def _position_of(instant: Instant, columns: Sequence[Any], after: ProcessKey) -> int:
    """How many processes come before the first one after this."""
    row = _row_of(instant, after)
    if row is None:
        raise InvalidRequest("Invalid query parameter page[cursor]: its process is kept no longer")
    count = 1
    is_tied = np.ones(len(instant), bool)
    for column in columns:
        count += int(np.count_nonzero(is_tied & (column < column[row])))
        is_tied &= column == column[row]
    return count


def _row_of(instant: Instant, key: ProcessKey) -> int | None:
    found = np.flatnonzero(is_process(instant.columns, key))
    return int(found[0]) if len(found) else None


def points(context: QueryContext, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points:
    instant = context.instant(selection, at, {*_KEY, "label_set", "version", x, y})
    instant = instant.where((instant.columns[x] >= 0) & (instant.columns[y] >= 0))
    keys = [instant.columns[name] for name in _KEY]
    rows = first_rows([-instant.columns[x].astype(np.float64), *keys], limit)
    chosen = instant.where(rows)
    groups: tuple[str, ...] = ()
    group: tuple[int | None, ...] = (None,) * len(chosen)
    if by is not None:
        labels = labels_of(context, chosen, by)
        groups = tuple(sorted({values[0] for values in labels if values}))
        index = {value: number for number, value in enumerate(groups)}
        group = tuple(index[values[0]] if values else None for values in labels)
    return Points(
        total=len(instant),
        groups=groups,
        keys=tuple(chosen.keys(slice(None))),
        x=tuple(chosen.columns[x].tolist()),
        y=tuple(chosen.columns[y].tolist()),
        group=group,
        is_known=instant.is_known,
    )
