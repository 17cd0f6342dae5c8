"""What those who answer a request say of it for the audit trail: whose it is, what came, what was changed.

The note of a request is found by whoever works for it, on whatever thread: see `runtime/thread_pools.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

import msgspec

from procession.accounts.orgs import Key, KeyKind
from procession.accounts.sessions import Session
from procession.accounts.users import is_user
from procession.audit import Who

MOST_BODY_BYTES = 4096

_ROWS_IN = ("data", "processes", "containers", "hosts", "series", "trends", "facets", "values", "views", "monitors")
"""Where an answer has what was asked for. Else it is in its first list."""


class AuditNote:
    """Of one request."""

    __slots__ = ("body", "changes", "intent", "on_identified", "rows", "who")

    def __init__(self, on_identified: Callable[[AuditNote], Awaitable[None]] | None = None) -> None:
        """`on_identified`: called once it is known whose request it is, before anything is done for it."""
        self.who: Who | None = None
        self.rows: int | None = None
        self.body = b""
        self.changes: list[dict[str, Any]] = []
        self.intent: int | None = None
        self.on_identified = on_identified


CURRENT: ContextVar[AuditNote | None] = ContextVar("audit note", default=None)


async def identified(key: Key, session: Session | None = None) -> None:
    """It is the request of this key, or of this session. Raises Unavailable where it is to change something and that
    cannot be recorded."""
    note = CURRENT.get()
    if note is None or (key.kind is KeyKind.API and note.who is not None):
        return
    kind = "user" if is_user(key) else key.kind.value
    note.who = Who(key.id, key.name, kind, key.org_id, "" if session is None else session_name(session))
    if note.on_identified is not None and key.kind is not KeyKind.API:
        on_identified, note.on_identified = note.on_identified, None
        await on_identified(note)


def note_rows(count: int | None) -> None:
    """So many came."""
    note = CURRENT.get()
    if note is not None and count is not None:
        note.rows = count


def noted_rows() -> int | None:
    note = CURRENT.get()
    return None if note is None else note.rows


def note_answer(found: Any) -> None:
    """How many rows are in what is about to be encoded."""
    note = CURRENT.get()
    if note is not None:
        rows = _rows_in(found)
        if rows is not None:
            note.rows = rows


def note_body(body: bytes | bytearray) -> None:
    """The question itself, where it is no query string."""
    note = CURRENT.get()
    if note is not None:
        note.body = bytes(body[:MOST_BODY_BYTES])


def note_change(kind: str, subject: str, action: str, *, org_id: int, before: Any = None, after: Any = None) -> None:
    """What is changed by this request. Nothing secret may be in it."""
    note = CURRENT.get()
    if note is not None:
        change = {"kind": kind, "subject": subject, "action": action, "org_id": org_id}
        also = {"before": before, "after": after}
        note.changes.append(change | {name: value for name, value in also.items() if value is not None})


def session_name(session: Session) -> str:
    """Of the hash of its token: it opens nothing."""
    return session.token_hash.hex()[:12]


def _rows_in(found: Any) -> int | None:
    fields = found if isinstance(found, Mapping) else None
    if fields is None and isinstance(found, msgspec.Struct):
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
    if fields is None or "errors" in fields:
        return None
    for name in _ROWS_IN:
        if isinstance(fields.get(name), list | tuple):
            return len(fields[name])
    lists = (value for value in fields.values() if isinstance(value, list | tuple))
    return next((len(value) for value in lists if not value or not isinstance(value[0], str)), None)
