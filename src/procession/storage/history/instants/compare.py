"""Two sides against each other: what is on one only, and what differs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from procession.analysis import MAX_DESCRIPTIONS, Comparison, Match, ProcessAtInstant, Selection, Side
from procession.analysis.comparison import Head, changed_process, compared_groups, differences
from procession.errors import InvalidRequest
from procession.process import ProcessDescription
from procession.storage.history.instants.columns.instant import Instant
from procession.storage.history.instants.columns.membership import is_in
from procession.storage.history.instants.columns.row_order import first_rows
from procession.storage.history.instants.columns.selection_filters import hosts_named
from procession.storage.history.instants.group_by import code_column, grouped
from procession.storage.history.instants.query_context import QueryContext
from procession.window import Window

MEASURES = ("cpu_total_percent", "rss_bytes")
PROCESS_COLUMNS = ("start", "pid", "version", "rss_bytes")
_AT_ONCE = 5000
"""Descriptions that are read together."""


def compare(
    context: QueryContext, left: Side, right: Side, match: Match, limit: int, *, without_arguments: bool
) -> Comparison:
    if match is Match.PROCESS:
        return _processes(context, left, right, limit, without_arguments)
    return _groups(context, left, right, match.value, limit)


def _instants(context: QueryContext, left: Side, right: Side, columns: Collection[str]) -> list[Instant]:
    return context.instants_together([(side.selection, side.at) for side in (left, right)], columns)


def _processes(context: QueryContext, left: Side, right: Side, limit: int, without_arguments: bool) -> Comparison:
    left_instant, right_instant = _instants(context, left, right, PROCESS_COLUMNS)
    known = _Known.of(context, left.selection, right.selection, left_instant, right_instant)
    before, after = known.comparable(left_instant), known.comparable(right_instant)
    both, rows_before, rows_after = np.intersect1d(identities(before), identities(after), return_indices=True)
    is_ended, is_started = np.ones(len(before), bool), np.ones(len(after), bool)
    is_ended[rows_before] = False
    is_started[rows_after] = False
    is_changed = before.columns["version"][rows_before] != after.columns["version"][rows_after]
    if without_arguments:
        _check_count(len(both))  # how many of them changed would tell of their arguments
        is_changed[is_changed] = _differ_in_more_than_arguments(
            context, before, rows_before[is_changed], after, rows_after[is_changed]
        )
    largest = first_rows([-after.columns["rss_bytes"][rows_after[is_changed]]], limit)
    olds = context.processes_at(before, rows_before[is_changed][largest])
    news = context.processes_at(after, rows_after[is_changed][largest])
    return known.head(context, left_instant, right_instant).comparison(
        started_total=int(is_started.sum()),
        ended_total=int(is_ended.sum()),
        changed_total=int(is_changed.sum()),
        same_total=len(both) - int(is_changed.sum()),
        started=_largest(context, after, is_started, limit),
        ended=_largest(context, before, is_ended, limit),
        changed=tuple(
            changed_process(old, new, without_arguments=without_arguments) for old, new in zip(olds, news, strict=True)
        ),
    )


def _check_count(processes: int) -> None:
    """Raises InvalidRequest."""
    if processes > MAX_DESCRIPTIONS:
        raise InvalidRequest(
            f"{processes} processes are too many to compare what is left of each without its arguments;"
            f" choose at most {MAX_DESCRIPTIONS} by search, tags or host"
        )


def _differ_in_more_than_arguments(
    context: QueryContext, before: Instant, rows_before: Any, after: Instant, rows_after: Any
) -> Any:
    found = np.zeros(len(rows_before), bool)
    for begin in range(0, len(found), _AT_ONCE):
        some = slice(begin, begin + _AT_ONCE)
        olds, news = _described(context, before, rows_before[some]), _described(context, after, rows_after[some])
        found[some] = [bool(differences(*pair, without_arguments=True)) for pair in zip(olds, news, strict=True)]
    return found


def _described(context: QueryContext, instant: Instant, rows: Any) -> list[ProcessDescription]:
    seen_at = instant.columns["seen_at"][rows].tolist()
    window = Window(min(seen_at), max(seen_at))
    return context.descriptions(instant.keys(rows), instant.columns["version"][rows].tolist(), window)


@dataclass(slots=True)
class ComparedSide:
    """One side, for whoever has the other."""

    org_id: int
    instant: Instant
    identities: Any
    rss_bytes: Any
    seen_at: Any
    versions: Any
    is_known: bool
    told: Collection[int]
    """Keys of hosts that told of their processes."""

    @classmethod
    def of(cls, context: QueryContext, selection: Selection, at: int, match: Match) -> ComparedSide:
        groups = () if match is Match.PROCESS else (code_column(match.value), *MEASURES)
        instant = context.instant(selection, at, {*PROCESS_COLUMNS, *groups})
        found = instant.columns
        return cls(
            context.org_id,
            instant,
            identities(instant),
            found["rss_bytes"],
            found["seen_at"],
            found["version"],
            instant.is_known,
            instant.snapshots.moments().keys(),
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

    def head(self, context: QueryContext, left: Instant, right: Instant) -> Head:
        silent = (self.names(context, hosts) for hosts in (self.left_silent, self.right_silent))
        return Head(len(left), len(right), left.is_known, right.is_known, *silent)

    @staticmethod
    def names(context: QueryContext, hosts: frozenset[int]) -> tuple[str, ...]:
        names = context.host_names(sorted(hosts))
        return tuple(sorted(names.get(host, "") for host in hosts))


def identities(instant: Instant) -> Any:
    """Host key, start and pid of each process."""
    found = np.empty(len(instant), [(name, np.uint64) for name in ("host", "start", "pid")])
    for name in ("host", "start", "pid"):
        found[name] = instant.columns[name]
    return found


def _largest(context: QueryContext, instant: Instant, mask: Any, limit: int) -> tuple[ProcessAtInstant, ...]:
    """Those with the most memory first."""
    rows = np.flatnonzero(mask)
    keys = [instant.columns[name][rows] for name in ("start", "host", "pid")]
    return context.processes_at(instant, rows[first_rows([-instant.columns["rss_bytes"][rows], *keys], limit)])


def _groups(context: QueryContext, left: Side, right: Side, by: str, limit: int) -> Comparison:
    left_instant, right_instant = _instants(context, left, right, {code_column(by), *MEASURES})
    known = _Known.of(context, left.selection, right.selection, left_instant, right_instant)
    before, after = (
        grouped(context, known.comparable(instant), by, MEASURES) for instant in (left_instant, right_instant)
    )
    return compared_groups(known.head(context, left_instant, right_instant), before, after, limit)
