"""Two sides against each other: what is on one only, and what differs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from procession.analysis import (
    ChangedGroup,
    ChangedProcess,
    Comparison,
    Match,
    Order,
    ProcessAtInstant,
    Selection,
    Side,
)
from procession.analysis.group_order import in_order
from procession.process import ProcessDescription
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.columns.membership import is_in
from procession.storage.history.instants.columns.row_order import first_rows
from procession.storage.history.instants.columns.selection_filters import hosts_named
from procession.storage.history.instants.group_by import code_column, grouped
from procession.storage.history.instants.query_context import QueryContext

_MEASURES = ("cpu_total_percent", "rss_bytes")
_PROCESS_COLUMNS = ("start", "pid", "version", "rss_bytes")


def compare(context: QueryContext, left: Side, right: Side, match: Match, limit: int) -> Comparison:
    if match is Match.PROCESS:
        return _processes(context, left, right, limit)
    return _groups(context, left, right, match.value, limit)


def _instants(context: QueryContext, left: Side, right: Side, columns: Collection[str]) -> list[Instant]:
    return context.instants_together([(side.selection, side.at) for side in (left, right)], columns)


def _processes(context: QueryContext, left: Side, right: Side, limit: int) -> Comparison:
    left_instant, right_instant = _instants(context, left, right, _PROCESS_COLUMNS)
    known = _Known.of(context, left.selection, right.selection, left_instant, right_instant)
    before, after = known.comparable(left_instant), known.comparable(right_instant)
    both, rows_before, rows_after = np.intersect1d(_identities(before), _identities(after), return_indices=True)
    is_ended, is_started = np.ones(len(before), bool), np.ones(len(after), bool)
    is_ended[rows_before] = False
    is_started[rows_after] = False
    is_changed = before.columns["version"][rows_before] != after.columns["version"][rows_after]
    largest = first_rows([-after.columns["rss_bytes"][rows_after[is_changed]]], limit)
    olds = context.processes_at(before, rows_before[is_changed][largest])
    news = context.processes_at(after, rows_after[is_changed][largest])
    return Comparison(
        left_total=len(left_instant),
        right_total=len(right_instant),
        left_known=left_instant.is_known,
        right_known=right_instant.is_known,
        left_silent=known.names(context, known.left_silent),
        right_silent=known.names(context, known.right_silent),
        started_total=int(is_started.sum()),
        ended_total=int(is_ended.sum()),
        changed_total=int(is_changed.sum()),
        same_total=len(both) - int(is_changed.sum()),
        started=_largest(context, after, is_started, limit),
        ended=_largest(context, before, is_ended, limit),
        changed=tuple(ChangedProcess(old, new, _differences(old, new)) for old, new in zip(olds, news, strict=True)),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """Of which hosts something is known on one side only: that a process is missing there says nothing."""

    is_any: bool
    """Whether something is known of either side."""
    left_silent: frozenset[int]
    right_silent: frozenset[int]

    @classmethod
    def of(cls, context: QueryContext, left: Selection, right: Selection, before: Instant, after: Instant) -> _Known:
        named = [hosts_named(context.table, side) for side in ((left,) if left == right else (left, right))]
        meant = [hosts for hosts in (before.looked_at, after.looked_at, *named) if hosts is not None]
        here, there = (
            frozenset(np.unique(one.columns["host"]).tolist()).intersection(*meant) for one in (before, after)
        )
        return cls(
            before.is_known and after.is_known,
            there - before.snapshots.moments().keys(),
            here - after.snapshots.moments().keys(),
        )

    def comparable(self, instant: Instant) -> Instant:
        if not self.is_any:
            return instant.where(np.zeros(len(instant), bool))
        silent = self.left_silent | self.right_silent
        if not silent:
            return instant
        hosts = instant.columns["host"]
        return instant.where(~is_in(hosts, np.array(sorted(silent), np.uint64).astype(hosts.dtype)))

    @staticmethod
    def names(context: QueryContext, hosts: frozenset[int]) -> tuple[str, ...]:
        names = context.host_names(sorted(hosts))
        return tuple(sorted(names.get(host, "") for host in hosts))


def _identities(instant: Instant) -> Any:
    found = np.empty(len(instant), [(name, np.uint64) for name in ("host", "start", "pid")])
    for name in ("host", "start", "pid"):
        found[name] = instant.columns[name]
    return found


def _largest(context: QueryContext, instant: Instant, mask: Any, limit: int) -> tuple[ProcessAtInstant, ...]:
    """Those with the most memory first."""
    rows = np.flatnonzero(mask)
    keys = [instant.columns[name][rows] for name in ("start", "host", "pid")]
    return context.processes_at(instant, rows[first_rows([-instant.columns["rss_bytes"][rows], *keys], limit)])


def _differences(old: ProcessAtInstant, new: ProcessAtInstant) -> tuple[str, ...]:
    before, after = old.process.description, new.process.description
    return tuple(name for name in ProcessDescription.__struct_fields__ if getattr(before, name) != getattr(after, name))


def _groups(context: QueryContext, left: Side, right: Side, by: str, limit: int) -> Comparison:
    left_instant, right_instant = _instants(context, left, right, {code_column(by), *_MEASURES})
    known = _Known.of(context, left.selection, right.selection, left_instant, right_instant)
    before, after = (
        grouped(context, known.comparable(instant), by, _MEASURES) for instant in (left_instant, right_instant)
    )
    order = Order("sum:rss_bytes", is_descending=True)
    started = in_order((one for value, one in after.items() if value not in before), order)
    ended = in_order((one for value, one in before.items() if value not in after), order)
    common = in_order((one for value, one in after.items() if value in before), order)
    changed = [one for one in common if one.count != before[one.value].count]
    return Comparison(
        left_total=len(left_instant),
        right_total=len(right_instant),
        left_known=left_instant.is_known,
        right_known=right_instant.is_known,
        left_silent=known.names(context, known.left_silent),
        right_silent=known.names(context, known.right_silent),
        started_total=len(started),
        ended_total=len(ended),
        changed_total=len(changed),
        same_total=len(common) - len(changed),
        started=tuple(started[:limit]),
        ended=tuple(ended[:limit]),
        changed=tuple(ChangedGroup(one.value, before[one.value], one) for one in changed[:limit]),
    )
