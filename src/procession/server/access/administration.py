"""Making and revoking orgs and keys, whoever asks: the admin API, or a command on the machine of the store."""

from __future__ import annotations

import dataclasses
import secrets

from procession.errors import InvalidRequest, NotFound
from procession.orgs import Key, KeyKind, Org, hash_secret, new_secret
from procession.storage import KeyStore

MAX_NAME_LENGTH = 100

_SPREAD = 100_000
"""Two servers of one store that each make an org at the same moment must not take the same number: one org would read
what is the other's. Nothing in the store can tell them; so they choose by chance among so many."""


def create_org(store: KeyStore, name: str) -> Org:
    """Raises InvalidRequest for an unfit name, or one that an org has."""
    name = _checked_name(name)
    orgs = store.orgs()
    if any(org.name == name for org in orgs):
        raise InvalidRequest(f"There is an org named {name} already")
    step = 1 if store.is_alone or not orgs else 1 + secrets.randbelow(_SPREAD)
    org = Org(max((org.id for org in orgs), default=0) + step, name)
    store.put_org(org)
    return org


def create_key(
    store: KeyStore, org_id: int, kind: KeyKind, name: str, now: int, secret: str | None = None
) -> tuple[Key, str]:
    """A key and its secret, which is nowhere to be had again. A given secret is adopted instead of making one up.

    Raises InvalidRequest for an unfit name or secret, and for an org that does not exist.
    """
    name = _checked_name(name)
    if all(org.id != org_id for org in store.orgs()):
        raise InvalidRequest(f"There is no org {org_id}")
    secret = new_secret(kind) if secret is None else _checked_secret(store, kind, secret)
    key = Key(secrets.token_hex(6), org_id, kind, name, hash_secret(secret), created_at=now)
    store.put_key(key)
    return key, secret


def revoke_key(store: KeyStore, key_id: str, now: int) -> Key:
    """The key, good for nothing from now on; one that was revoked before stays as it is.

    Raises NotFound, and InvalidRequest for the last admin key: nobody could make another through a running server.
    """
    keys = store.keys()
    key = next((key for key in keys if key.id == key_id), None)
    if key is None:
        raise NotFound(f"There is no key {key_id[:100]}")
    if key.revoked_at is not None:
        return key
    if key.kind is KeyKind.ADMIN and sum(k.kind is KeyKind.ADMIN and k.revoked_at is None for k in keys) == 1:
        raise InvalidRequest("It is the last admin key; make another one first")
    key = dataclasses.replace(key, revoked_at=now)
    store.put_key(key)
    return key


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(f"A name has 1 to {MAX_NAME_LENGTH} printable characters")
    return name


def _checked_secret(store: KeyStore, kind: KeyKind, secret: str) -> str:
    # It has to travel in a header, unchanged.
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InvalidRequest("A key has printable ASCII characters without blanks")
    digest = hash_secret(secret)
    known = store.keys()
    if any(key.kind is kind and key.secret_hash == digest for key in known):
        raise InvalidRequest(f"This {kind.value} key exists, or was revoked; choose another one")
    return secret
