"""A view of the page that an org has saved."""

from __future__ import annotations

import msgspec


class SavedView(msgspec.Struct, frozen=True):
    """All who may read of the org see it and may change it. What its state means is the page's business."""

    name: str
    state: str
    changed_at: int
    """Unix seconds."""
