"""What a server notes of one request, before anything of it is made into text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class Who(msgspec.Struct, frozen=True):
    """Whose request it is, once that is known: a key, or a session that began with one."""

    key_id: str
    name: str
    """Of the key."""
    kind: str
    org_id: int
    session: str = ""
    """Names the session, and opens nothing."""

    def fields(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"key": self.key_id, "name": self.name, "kind": self.kind}
        return shown | {"session": self.session} if self.session else shown


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing in it is scrubbed yet."""

    at: float
    """Unix seconds."""
    who: Who | None
    address: str
    """Of the client, as a trusted proxy names it where there is one."""
    method: str
    route: str
    path: Mapping[str, Any] = {}
    """What stands for the names in the route."""
    query: bytes = b""
    body: bytes = b""
    """Of a question that is a body."""
    status: int | None = None
    """None: of what is to be changed, before it is."""
    rows: int | None = None
    """How many came; None where the answer is no list."""
    changes: Sequence[Mapping[str, Any]] = ()
    intent: int | None = None
    """The number of the record that was written before this change was made."""
    is_question: bool = True
    """It changes nothing, so that it may be counted with others like it."""
