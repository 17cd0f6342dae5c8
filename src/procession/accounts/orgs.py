"""Whose data it is, and who may ask."""

from __future__ import annotations

import enum
import hashlib
import secrets
from dataclasses import dataclass


class KeyKind(enum.Enum):
    API = "api"
    """Names the org: all that an agent needs. Can only post."""
    APPLICATION = "application"
    """Names the reader. Can only read."""
    ADMIN = "admin"
    """Makes and revokes keys and orgs. Stays on the machine of the server."""


@dataclass(frozen=True, slots=True)
class Org:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key: never the secret itself."""

    id: str
    """Public, to name the key by when it is to be revoked."""
    org_id: int
    kind: KeyKind
    name: str
    secret_hash: bytes
    created_at: int
    revoked_at: int | None = None


def new_secret(kind: KeyKind) -> str:
    """As long as Datadog's: 32 hex digits for an API key, 40 for the others."""
    return secrets.token_hex(16 if kind is KeyKind.API else 20)


def hash_secret(secret: str) -> bytes:
    """SHA-256, unsalted: secrets are random and long, so there is nothing to guess, and the hash can be looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
