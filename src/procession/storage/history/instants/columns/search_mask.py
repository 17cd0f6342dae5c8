"""Which rows of an instant a search matches: what processes are is looked up, their numbers are in the columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from procession.search.comparisons import compared_fields, compares
from procession.search.field_columns import measured
from procession.search.fields import FIELDS
from procession.search.named_hosts import mentions_host
from procession.search.tag_filter import TagFilter
from procession.search.tree import And, Comparison, Not, Or, SearchNode
from procession.storage.history.engine.statement import Statement
from procession.storage.history.instants.columns.instant import Columns, Instant
from procession.storage.history.instants.columns.membership import is_in, paired
from procession.storage.history.statements.descriptions import matching_versions

Read = Callable[[Statement], pa.Table]
"""Runs a statement."""


def columns_compared(search: SearchNode | None) -> set[str]:
    """Columns of an instant that tell what a search compares."""
    found: set[str] = set()
    for field in compared_fields(search):
        of_field = (*FIELDS[field].measures, *FIELDS[field].otherwise)
        found.update({"pid": ("pid",), "age": ("start",)}.get(field, of_field))
    return found


def search_mask(read: Read, org_id: int, search: SearchNode, instant: Instant) -> Any:
    if not compares(search):
        return _described_mask(read, org_id, search, instant)
    match search:
        case Not(operand):
            return ~search_mask(read, org_id, operand, instant)
        case And(operands):
            return np.logical_and.reduce(_masks(read, org_id, And, operands, instant))
        case Or(operands):
            return np.logical_or.reduce(_masks(read, org_id, Or, operands, instant))
        case Comparison() as comparison:
            return _compared(comparison, instant.columns)
        case _:
            raise AssertionError(f"{search} does not compare")


def _masks(
    read: Read, org_id: int, kind: type[And] | type[Or], operands: Sequence[SearchNode], instant: Instant
) -> list[Any]:
    """One for each operand that compares, and one for the others together: each costs a statement."""
    described = tuple(one for one in operands if not compares(one))
    together = [described[0] if len(described) == 1 else kind(described)] if described else []
    chosen = [*together, *(one for one in operands if compares(one))]
    return [search_mask(read, org_id, one, instant) for one in chosen]


def _described_mask(read: Read, org_id: int, search: SearchNode, instant: Instant) -> Any:
    with_host = mentions_host(search)
    found = read(matching_versions(org_id, instant.hours(), search, TagFilter(), with_host=with_host))
    columns = instant.columns
    if not with_host:
        return is_in(columns["version"], found["version"])
    pairs = paired(found["host"].to_numpy(), found["version"].to_numpy())
    return is_in(paired(columns["host"], columns["version"]), pa.array(pairs))


def _compared(comparison: Comparison, columns: Columns) -> Any:
    values, is_known = _numbers_of_field(comparison.field, columns)
    compare = {"<": np.less, "<=": np.less_equal, "=": np.equal, ">=": np.greater_equal, ">": np.greater}
    return compare[comparison.operator](values, comparison.number) & is_known


def _numbers_of_field(field: str, columns: Columns) -> tuple[Any, Any]:
    """The numbers, and which of them are known. At an instant nothing has ended."""
    count = len(columns["host"])
    everywhere = np.ones(count, bool)
    if field == "pid":
        return columns["pid"].astype("f8"), everywhere
    if field == "age":
        ages = columns["seen_at"].astype("i8") - columns["start"].astype("i8")
        return np.maximum(ages, 0).astype("f8"), everywhere
    if FIELDS[field].is_of_ending:
        return np.zeros(count), everywhere if field == "ended" else ~everywhere
    return measured(field, columns.__getitem__)
