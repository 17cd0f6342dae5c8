"""The contract of changes in plain Python."""

from __future__ import annotations

from procession.accounts.change import Change, ChangeKind
from procession.window import Window


class OracleChanges:
    """A ChangeStore in memory."""

    def __init__(self) -> None:
        self._changes: dict[tuple[int, str], Change] = {}

    def put_change(self, change: Change) -> None:
        self._changes[change.org_id, change.id] = change

    def changes(
        self, org_id: int, window: Window, limit: int, kind: ChangeKind | None = None, subject: str | None = None
    ) -> tuple[Change, ...]:
        found = [
            one
            for one in self._changes.values()
            if one.org_id == org_id
            and window.from_at <= one.at <= window.to_at
            and kind in (None, one.kind)
            and subject in (None, one.subject)
        ]
        return tuple(sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit])
