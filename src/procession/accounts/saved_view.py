"""Views of the page that an org has saved, and how many and how large they may be."""

from __future__ import annotations

from typing import Protocol

import msgspec

from procession.errors import InvalidRequest

MAX_VIEWS = 500
MAX_NAME_LENGTH = 100
MAX_STATE_LENGTH = 8000


class SavedView(msgspec.Struct, frozen=True):
    """A view that is saved for an org: every reader of the org sees it and may change it."""

    name: str
    state: str
    """At most MAX_STATE_LENGTH characters. Only the page knows what they mean."""
    changed_at: int
    """Unix seconds."""


class ViewRecords(Protocol):
    """What these rules need of a store."""

    def views(self, org_id: int) -> tuple[SavedView, ...]: ...

    def put_view(self, org_id: int, view: SavedView) -> None:
        """Add it, or replace the one with its name."""


def save_view(store: ViewRecords, org_id: int, view: SavedView) -> None:
    """Add a view, or replace the one with its name. Raises InvalidRequest if the org has MAX_VIEWS others already."""
    views = store.views(org_id)
    if len(views) >= MAX_VIEWS and view.name not in {other.name for other in views}:
        raise InvalidRequest(f"There are {MAX_VIEWS} views already; delete one first")
    store.put_view(org_id, view)


def view_name(text: str) -> str:
    """The name of a view, without blanks around it.

    Raises InvalidRequest if it is empty, longer than MAX_NAME_LENGTH, or has characters that cannot be printed.
    """
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(f"A view has a name of 1 to {MAX_NAME_LENGTH} printable characters")
    return name
