"""Saved views of an org: the table `views`."""

from __future__ import annotations

from typing import NamedTuple

from procession.storage.history.engine.statement import Select, Statement
from procession.storage.history.statements.conditions import Where


class ViewRow(NamedTuple):
    name: str
    state: str
    changed_at: int


def saved_views(org_id: int) -> Select[ViewRow]:
    """By name."""
    where = Where(org_id).matches("NOT is_deleted")
    return Select(
        f"SELECT name, state, changed_at FROM views FINAL WHERE {where} ORDER BY name",
        where.parameters,
        row=ViewRow._make,
    )


def put_view(org_id: int, view: ViewRow, change: int, *, is_deleted: bool) -> Statement:
    """Of several changes of one view the one with the greatest `change` holds."""
    return Statement(
        "INSERT INTO views SELECT {org:UInt32}, {name:String}, {state:String}, {at:UInt32}, {deleted:Bool},"
        " {change:UInt64}",
        {
            "org": org_id,
            "name": view.name,
            "state": view.state,
            "at": view.changed_at,
            "deleted": is_deleted,
            "change": change,
        },
    )
