"""Who changed what of an org: a monitor, a channel, a downtime, a key or a user, with what it was before."""

from __future__ import annotations

import enum
import json
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from procession.accounts.orgs import Key
from procession.accounts.restriction import Restriction
from procession.accounts.users import User

MAX_FIELD_CHARACTERS = 4_000
"""Of a field as JSON; what is longer is kept as the beginning of that text."""
HIDDEN = "…"
"""Stands for what may hold a secret."""


class ChangeKind(enum.StrEnum):
    MONITOR = "monitor"
    CHANNEL = "channel"
    VARIABLE = "variable"
    DOWNTIME = "downtime"
    KEY = "key"
    USER = "user"


class ChangeAction(enum.StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


class Author(msgspec.Struct, frozen=True):
    """Who changes something: a key, or whoever may write to the store itself."""

    key_id: str
    name: str

    @classmethod
    def of(cls, key: Key) -> Author:
        return cls(key.id, key.name)


STORE_OWNER = Author("", "owner of the store")
"""Who changed it on the machine of the store, while no server ran."""


class Change(msgspec.Struct, frozen=True):
    org_id: int
    at: int
    """Unix seconds."""
    id: str
    """Later ones are greater."""
    kind: ChangeKind
    subject: str
    """The id of a monitor, a downtime or a key; what calls a channel, as `webhook-ops`; the name of a variable, of a
    user."""
    action: ChangeAction
    author: Author
    before: Mapping[str, Any] | None
    """The fields that were others, with what they were; all of them of what is deleted, None of what is new."""
    after: Mapping[str, Any] | None


def new_change(
    org_id: int,
    at: int,
    author: Author,
    kind: ChangeKind,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    hidden: Collection[str] = (),
) -> Change | None:
    """None where nothing is other than before. `hidden`: fields whose values are not kept, only that they changed."""
    if before == after:
        return None
    action = ChangeAction.CHANGED
    if before is None:
        action = ChangeAction.CREATED
    elif after is None:
        action = ChangeAction.DELETED
    return Change(
        org_id,
        at,
        f"{time.time_ns():016x}{secrets.token_hex(4)}",
        kind,
        subject,
        action,
        author,
        _kept(before, after, hidden),
        _kept(after, before, hidden),
    )


def key_change(author: Author, at: int, before: Key | None, after: Key) -> Change | None:
    """A key that was made, or revoked. Nothing of its secret is in it."""
    return new_change(
        after.org_id,
        at,
        author,
        ChangeKind.KEY,
        after.id,
        None if before is None else key_fields(before),
        key_fields(after),
    )


def key_fields(key: Key) -> dict[str, Any]:
    return {
        "kind": key.kind.value,
        "name": key.name,
        "revoked_at": key.revoked_at,
        "scopes": sorted(str(scope) for scope in key.scopes),
        "owner": key.owner,
        "expires_at": key.expires_at,
        **restriction_fields(key.restriction),
    }


def user_change(author: Author, at: int, before: User | None, after: User) -> Change | None:
    """A user who was made, changed or removed. Of a password it says only when it became another one."""
    return new_change(
        after.org_id,
        at,
        author,
        ChangeKind.USER,
        after.name,
        None if before is None else user_fields(before),
        user_fields(after) if after.removed_at is None else None,
        hidden=("password",),
    )


def user_fields(user: User) -> dict[str, Any]:
    fields = {
        "name": user.name,
        "role": str(user.role),
        "password": user.password_hash,
        **restriction_fields(user.restriction),
    }
    if user.identity is None:
        return fields
    return fields | {"issuer": user.identity.issuer, "subject": user.identity.subject}


def restriction_fields(restriction: Restriction) -> dict[str, Any]:
    """Those that restrict."""
    rows = {"rows": restriction.rows} if restriction.rows else {}
    return rows | {"without_arguments": True} if restriction.without_arguments else rows


def _kept(
    fields: Mapping[str, Any] | None, others: Mapping[str, Any] | None, hidden: Collection[str]
) -> dict[str, Any] | None:
    """The fields that `others` have not so."""
    if fields is None:
        return None
    missing = object()
    return {
        name: HIDDEN if name in hidden and value is not None else _bounded(value)
        for name, value in fields.items()
        if others is None or others.get(name, missing) != value
    }


def _bounded(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MAX_FIELD_CHARACTERS else f"{text[:MAX_FIELD_CHARACTERS]}{HIDDEN}"
