"""Whose data it is, and who may ask."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from procession.accounts.restriction import UNRESTRICTED, Restriction
from procession.accounts.scopes import Scope

SERVICE_ACCOUNT: Final = "service"
"""Whose a key is that was given no owner."""


class KeyKind(enum.Enum):
    API = "api"
    """For agents: names the org whose data they post. It opens nothing else."""
    APPLICATION = "application"
    """For readers: opens the processes of its org for reading, and what its scopes say."""
    ADMIN = "admin"
    """Makes orgs, makes and revokes keys. It stays on the machine of the server."""


@dataclass(frozen=True, slots=True)
class Org:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class RemovedOrg:
    """Nobody can ask for it or post to it any more. No other org gets its number."""

    id: int
    name: str
    removed_at: int
    """Unix seconds."""
    is_erased: bool = False
    """Nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key: the hash of the secret, never the secret itself."""

    id: str
    """Not secret: it names the key in lists, and to revoke it."""
    org_id: int
    kind: KeyKind
    name: str
    secret_hash: bytes
    """See `hash_secret`."""
    created_at: int
    """Unix seconds."""
    revoked_at: int | None = None
    """Unix seconds; None while the key is in force."""
    scopes: frozenset[Scope] = frozenset()
    """Of an application key."""
    owner: str = SERVICE_ACCOUNT
    """The id of a user, `user:anna`, or the name of a service account, which has no colon."""
    expires_at: int | None = None
    """Unix seconds, from which on it is as good as revoked."""
    restriction: Restriction = UNRESTRICTED
    """Of an application key."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """When somebody showed a key last, to the minute."""

    key_id: str
    org_id: int
    at: int
    """Unix seconds."""


def new_secret(kind: KeyKind) -> str:
    """A random secret, as long as those of Datadog: 32 hex digits for an API key, 40 for the others."""
    import secrets  # takes milliseconds, and commands for people make none

    return secrets.token_hex(16 if kind is KeyKind.API else 20)


def hash_secret(secret: str) -> bytes:
    """32 bytes of SHA-256. No salt, so that a key is found by it; secrets are too long and random to be guessed."""
    import hashlib

    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
