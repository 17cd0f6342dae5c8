"""The first keys of a store, and those that the commands of this machine use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from procession.accounts.administration import RecordKey, create_key, create_org
from procession.accounts.change import STORE_OWNER, key_change, user_change
from procession.accounts.orgs import Key, KeyKind, hash_secret, new_secret
from procession.accounts.scopes import Scope
from procession.accounts.users import RecordUser, User
from procession.cli.local.data_folder import LocalFiles
from procession.errors import InvalidRequest, UsageError

if TYPE_CHECKING:
    from procession.storage import ChangeStore, KeyStore

FIRST_ORG = "main"
SCOPES = frozenset(Scope) - {Scope.AUDIT_READ}
"""Of the application key of this machine: whoever runs a server is one of those that its audit trail watches."""
ADOPTED_VARIABLES = {KeyKind.API: "DD_API_KEY", KeyKind.APPLICATION: "DD_APP_KEY"}


def record_by_owner(changes: ChangeStore | None, now: int) -> RecordKey:
    """Records what whoever owns the store does to a key, without a key of theirs."""

    def record(before: Key | None, after: Key) -> None:
        change = key_change(STORE_OWNER, now, before, after)
        if changes is not None and change is not None:
            changes.put_change(change)

    return record


def record_user_by_owner(changes: ChangeStore, now: int) -> RecordUser:
    """The same for a user."""

    def record(before: User | None, after: User) -> None:
        change = user_change(STORE_OWNER, now, before, after)
        if change is not None:
            changes.put_change(change)

    return record


@dataclass(frozen=True)
class NewKey:
    """A key made at this start: its secret, and the variable that it was adopted from."""

    secret: str
    variable: str | None


def ensure_local_keys(
    store: KeyStore, local: LocalFiles, environment: Mapping[str, str], *, now: int, changes: ChangeStore | None = None
) -> dict[KeyKind, NewKey]:
    """See that each file of a local key holds a secret that is good, and give those made for it.

    A store without keys adopts DD_API_KEY and DD_APP_KEY. A file that was lost, or whose key was revoked, gets another
    key. What is made is recorded in `changes`. The file is written first: a start that is killed in between goes on
    with the secret in the file. Once an org was removed nothing is adopted that the store does not know: it may be a
    key of that org, and agents that still have it would post to another one.
    """
    org_id = (store.orgs() or (create_org(store, FIRST_ORG),))[0].id
    keys = store.keys()
    may_adopt = not store.removed_orgs()
    new_keys = {}
    for kind in KeyKind:
        keys_by_hash = {key.secret_hash: key for key in keys if key.kind is kind}
        secret, variable = local.secret(kind), None
        key_of_file = keys_by_hash.get(hash_secret(secret)) if secret else None
        if key_of_file is not None and key_of_file.revoked_at is None:
            continue
        if key_of_file is not None or not may_adopt:
            secret = None
        if may_adopt and secret is None and not keys_by_hash and environment.get(ADOPTED_VARIABLES.get(kind, "")):
            variable = ADOPTED_VARIABLES[kind]
            secret = environment[variable].strip()
        new_keys[kind] = NewKey(_store_key(store, local, org_id, kind, secret, variable, now, changes), variable)
    return new_keys


def _store_key(
    store: KeyStore,
    local: LocalFiles,
    org_id: int,
    kind: KeyKind,
    secret: str | None,
    variable: str | None,
    now: int,
    changes: ChangeStore | None,
) -> str:
    if secret is None:
        secret = new_secret(kind)
    local.write_secret(kind, secret)
    try:
        # Whoever may read the file runs the server; one that was adopted others may have as well.
        scopes = SCOPES if kind is KeyKind.APPLICATION and variable is None else ()
        record = record_by_owner(changes, now)
        create_key(store, org_id, kind, "this machine", now, secret, scopes, record=record)
    except InvalidRequest as error:
        if variable:
            local.remove_secret(kind)
        raise UsageError(f"cannot adopt the key in {variable or local.key_file(kind)}: {error}") from None
    return secret
