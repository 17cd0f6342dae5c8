"""Monitors in the tables, with the states of their groups and their transitions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from time import time_ns
from typing import Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa

from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.silences import Silence
from procession.monitors.lease import EvaluationLease
from procession.monitors.monitor import Monitor
from procession.monitors.transition import Late, Transition
from procession.storage.accounts.tables import AccountTables
from procession.window import Window

_ROWS = 200
_BYTES = 64 * 1024
"""Of one insert: a server takes no more than 128 KiB for a parameter."""
_INSERTED_ROWS = 25_000
_INSERTED_BYTES = 8 * 1024 * 1024
"""Of one insert of states, of which there may be as many in a minute as there are hosts and monitors."""

_monitor = msgspec.json.Decoder(Monitor)
_group_state = msgspec.json.Decoder(GroupState)
_transition = msgspec.json.Decoder(Transition)


class _MonitorRow(NamedTuple):
    definition: str


class _GroupRow(NamedTuple):
    org: int
    monitor: int
    state: str


class _TransitionRow(NamedTuple):
    transition: str


class _NewGroup(NamedTuple):
    name: str
    state: str


class _NewTransition(NamedTuple):
    of: Transition
    name: str
    transition: str


class _NewSilence(NamedTuple):
    host: str
    of: Silence


_R = TypeVar("_R", _NewGroup, _NewTransition, _NewSilence)


class ClickHouseMonitors:
    """A MonitorStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def monitors(self, org_id: int | None = None) -> tuple[Monitor, ...]:
        where = "" if org_id is None else " AND org = {org:UInt32}"
        rows = self._tables.rows(
            f"SELECT definition FROM monitors FINAL WHERE NOT is_deleted{where} ORDER BY org, monitor",
            {} if org_id is None else {"org": org_id},
        )
        found = [_monitor.decode(_MonitorRow._make(row).definition) for row in rows]
        return tuple(sorted(found, key=lambda one: (one.org_id, one.id)))  # of several shards

    def put_monitor(self, monitor: Monitor) -> None:
        self._put(monitor.org_id, monitor.id, msgspec.json.encode(monitor).decode(), is_deleted=False)

    def delete_monitor(self, org_id: int, monitor_id: int) -> None:
        self._put(org_id, monitor_id, "", is_deleted=True)
        self.drop_groups(org_id, monitor_id, [one.group for one in self.groups(org_id, monitor_id)])

    def groups(self, org_id: int | None = None, monitor_id: int | None = None) -> tuple[GroupState, ...]:
        return tuple(state for found in self.groups_by_monitor(org_id, monitor_id).values() for state in found)

    def groups_by_monitor(
        self, org_id: int | None = None, monitor_id: int | None = None
    ) -> dict[tuple[int, int], tuple[GroupState, ...]]:
        where = "state != ''"
        parameters = {}
        if org_id is not None:
            where, parameters["org"] = f"{where} AND org = {{org:UInt32}}", org_id
        if monitor_id is not None:
            where, parameters["monitor"] = f"{where} AND monitor = {{monitor:UInt64}}", monitor_id
        rows = self._tables.rows(
            f"SELECT org, monitor, state FROM monitor_groups FINAL WHERE {where} ORDER BY org, monitor, name",
            parameters,
        )
        found: dict[tuple[int, int], list[GroupState]] = {}
        for row in map(_GroupRow._make, rows):
            found.setdefault((row.org, row.monitor), []).append(_group_state.decode(row.state))
        return {key: tuple(states) for key, states in found.items()}

    def put_groups(self, org_id: int, monitor_id: int, states: Sequence[GroupState]) -> None:
        rows = (_NewGroup(_name(one.group), msgspec.json.encode(one).decode()) for one in states)
        self._put_groups(org_id, monitor_id, rows)

    def drop_groups(self, org_id: int, monitor_id: int, groups: Sequence[Group]) -> None:
        self._put_groups(org_id, monitor_id, (_NewGroup(_name(group), "") for group in groups))

    def put_transitions(self, transitions: Sequence[Transition]) -> None:
        rows = (_NewTransition(one, _name(one.group), msgspec.json.encode(one).decode()) for one in transitions)
        for some in _pieces(rows):
            self._tables.write(
                "INSERT INTO monitor_transitions SELECT one.1, one.2, one.3, one.4, one.5, one.6 FROM (SELECT"
                " arrayJoin(arrayZip({org:Array(UInt32)}, {at:Array(UInt32)}, {monitor:Array(UInt64)}, "
                "{name:Array(String)}, {kind:Array(String)}, {transition:Array(String)})) AS one)",
                {
                    "org": [row.of.org_id for row in some],
                    "at": [row.of.at for row in some],
                    "monitor": [row.of.monitor_id for row in some],
                    "name": [row.name for row in some],
                    "kind": [_kind(row.of) for row in some],
                    "transition": [row.transition for row in some],
                },
            )

    def transitions(
        self,
        org_id: int,
        window: Window,
        limit: int,
        monitor_id: int | None = None,
        *,
        among: Collection[int] | None = None,
    ) -> tuple[Transition, ...]:
        parameters: dict[str, Any] = {"org": org_id, "from": window.from_at, "to": window.to_at, "limit": limit}
        where = ""
        if monitor_id is not None:
            where += " AND monitor = {monitor:UInt64}"
            parameters["monitor"] = monitor_id
        if among is not None:
            where += " AND has({among:Array(UInt64)}, monitor)"
            parameters["among"] = sorted(among)
        rows = self._tables.rows(
            "SELECT transition FROM monitor_transitions FINAL WHERE org = {org:UInt32} AND at >= {from:UInt32}"
            f" AND at <= {{to:UInt32}}{where} ORDER BY at DESC, monitor, name, kind LIMIT {{limit:UInt32}}",
            parameters,
        )
        found = [_transition.decode(_TransitionRow._make(row).transition) for row in rows]
        return tuple(sorted(found, key=lambda one: -one.at)[:limit])

    def silences(self) -> tuple[Silence, ...]:
        rows = self._tables.rows("SELECT org, host, since, ended_at FROM host_silences FINAL WHERE NOT is_over")
        return tuple(Silence(*row) for row in sorted(rows))

    def put_silences(self, silences: Sequence[Silence]) -> None:
        self._put_silences(silences, is_over=False)

    def drop_silences(self, silences: Sequence[Silence]) -> None:
        self._put_silences(silences, is_over=True)

    def _put_silences(self, silences: Sequence[Silence], *, is_over: bool) -> None:
        for some in _pieces(_NewSilence(one.host, one) for one in silences):
            self._tables.write(
                "INSERT INTO host_silences SELECT one.1, one.2, one.3, one.4, {over:Bool}, {change:UInt64} FROM (SELECT"
                " arrayJoin(arrayZip({org:Array(UInt32)}, {host:Array(String)}, {since:Array(UInt32)},"
                " {ended:Array(UInt32)})) AS one)",
                {
                    "org": [row.of.org_id for row in some],
                    "host": [row.host for row in some],
                    "since": [row.of.since for row in some],
                    "ended": [row.of.ended_at for row in some],
                    "over": is_over,
                    "change": time_ns(),
                },
            )

    def leases(self) -> tuple[EvaluationLease, ...]:
        rows = self._tables.rows(
            "SELECT owner, argMax(since, change), argMax(until, change), argMax(evaluated_at, change)"
            " FROM evaluation_leases GROUP BY owner",
        )
        return tuple(EvaluationLease(*row) for row in rows)

    def put_lease(self, lease: EvaluationLease) -> None:
        self._tables.change(
            "evaluation_leases WHERE owner = {owner:String}",
            "INSERT INTO evaluation_leases SELECT {owner:String}, {since:UInt64}, {until:UInt32},"
            " {evaluated_at:UInt32}, {change:UInt64}",
            {
                "owner": lease.owner,
                "since": lease.since,
                "until": lease.until,
                "evaluated_at": lease.evaluated_at,
            },
        )

    def _put(self, org_id: int, monitor_id: int, definition: str, *, is_deleted: bool) -> None:
        self._tables.change(
            "monitors WHERE org = {org:UInt32} AND monitor = {monitor:UInt64}",
            "INSERT INTO monitors SELECT {org:UInt32}, {monitor:UInt64}, {definition:String}, {deleted:Bool},"
            " {change:UInt64}",
            {"org": org_id, "monitor": monitor_id, "definition": definition, "deleted": is_deleted},
        )

    def _put_groups(self, org_id: int, monitor_id: int, rows: Iterable[_NewGroup]) -> None:
        for some in _pieces(rows, _INSERTED_ROWS, _INSERTED_BYTES):
            columns = {
                "org": pa.repeat(pa.scalar(org_id, pa.uint32()), len(some)),
                "monitor": pa.repeat(pa.scalar(monitor_id, pa.uint64()), len(some)),
                "name": pa.array([row.name for row in some], pa.string()),
                "state": pa.array([row.state for row in some], pa.string()),
                "change": pa.repeat(pa.scalar(time_ns(), pa.uint64()), len(some)),
            }
            self._tables.insert("monitor_groups", pa.table(columns))


def _name(group: Group) -> str:
    """One text for a group, which no value can make look like another's."""
    return msgspec.json.encode(group).decode()


def _kind(transition: Transition) -> str:
    """What was found later stands beside what was said at that instant, and what is refuted in its place."""
    return f"{transition.kind}, {transition.late}" if transition.late is Late.ADDED else str(transition.kind)


def _pieces(rows: Iterable[_R], most_rows: int = _ROWS, most_bytes: int = _BYTES) -> Iterator[list[_R]]:
    """As many rows as one insert takes; one that is larger stands alone."""
    piece: list[_R] = []
    held = 0
    for row in rows:
        size = sum(_size(text) for text in row if isinstance(text, str))
        if piece and (len(piece) == most_rows or held + size > most_bytes):
            yield piece
            piece, held = [], 0
        piece.append(row)
        held += size
    if piece:
        yield piece


def _size(text: str) -> int:
    """In bytes, as it stands in a list of a statement: escaped."""
    return len(text.encode()) + text.count("\\") + text.count("'")
