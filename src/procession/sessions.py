"""Who is signed in to the page: a session, and the one-time link that opens one. Both come from an application key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

SESSION_SECONDS = 12 * 3600
LINK_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Session:
    """What is kept of a session: never the token itself. It is good for as long as its key is, but no longer than it
    says."""

    token_hash: bytes
    org_id: int
    key_id: str
    created_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What is kept of a link that signs in once."""

    token_hash: bytes
    org_id: int
    key_id: str
    expires_at: int


def new_token() -> str:
    """43 characters that go into a cookie or an address as they are."""
    return secrets.token_urlsafe(32)
