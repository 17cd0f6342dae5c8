"""Saved views in the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from procession.accounts.saved_view import SavedView
from procession.storage.accounts.tables import AccountTables


class _ViewRow(NamedTuple):
    name: str
    state: str
    changed_at: int


class ClickHouseViews:
    """A ViewStore."""

    def __init__(self, tables: AccountTables, now: Callable[[], int]) -> None:
        self._tables = tables
        self._now = now

    def views(self, org_id: int) -> tuple[SavedView, ...]:
        rows = self._tables.rows(
            "SELECT name, state, changed_at FROM views FINAL WHERE org = {org:UInt32} AND NOT is_deleted ORDER BY name",
            {"org": org_id},
        )
        return tuple(SavedView(row.name, row.state, row.changed_at) for row in map(_ViewRow._make, rows))

    def put_view(self, org_id: int, view: SavedView) -> None:
        self._change(org_id, view, is_deleted=False)

    def delete_view(self, org_id: int, name: str) -> None:
        self._change(org_id, SavedView(name, "", self._now()), is_deleted=True)

    def _change(self, org_id: int, view: SavedView, *, is_deleted: bool) -> None:
        self._tables.change(
            "views WHERE org = {org:UInt32} AND name = {name:String}",
            "INSERT INTO views SELECT {org:UInt32}, {name:String}, {state:String}, {at:UInt32}, {deleted:Bool},"
            " {change:UInt64}",
            {"org": org_id, "name": view.name, "state": view.state, "at": view.changed_at, "deleted": is_deleted},
        )
