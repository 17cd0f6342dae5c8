"""Who is signed in to the page: a session, and the one-time link that opens one. Both come from an application key."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from typing import Protocol

from procession.accounts.orgs import Key, KeyKind, hash_secret

SESSION_SECONDS = 12 * 3600
LINK_SECONDS = 3600

MAX_SESSIONS = 100
"""How many sessions one key may have at a time. Beginning one more ends the oldest."""


@dataclass(frozen=True, slots=True)
class Session:
    """What is kept of a session: the hash of its token, never the token itself. All moments are Unix seconds.

    A session is good until `expires_at`, and only while its key is in force.
    """

    token_hash: bytes
    org_id: int
    key_id: str
    created_at: int
    expires_at: int
    ended_at: int | None = None

    def is_good(self, key: Key | None, now: int) -> bool:
        """Whether the session opens something at `now`. `key` is the key of `key_id`, or None if that is revoked."""
        return key is not None and key.org_id == self.org_id and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Link:
    """What is kept of a link that signs in once: the hash of its token, never the token itself."""

    token_hash: bytes
    org_id: int
    key_id: str
    expires_at: int

    def signs_in_by(self, key: Key) -> bool:
        """Whether the link opens a session for `key`, which is the key of `key_id` and in force."""
        return key.kind is KeyKind.APPLICATION and key.org_id == self.org_id


class LinkRecords(Protocol):
    """What is needed of a store to make links."""

    def put_link(self, link: Link) -> None: ...


class SessionRecords(Protocol):
    """What is needed of a store to begin sessions."""

    def sessions(self, now: int) -> tuple[Session, ...]:
        """Those that have neither expired nor ended, the oldest first."""

    def put_session(self, session: Session) -> None: ...


def create_link(store: LinkRecords, key: Key, now: int) -> tuple[str, Link]:
    """The token of a new link, and what is kept of it. The link opens one session, which may see what `key` may see."""
    token = new_token()
    link = Link(hash_secret(token), key.org_id, key.id, now + LINK_SECONDS)
    store.put_link(link)
    return token, link


def begin_session(store: SessionRecords, key: Key, now: int) -> tuple[str, Session]:
    """The token of a new session, and what is kept of it. The caller sees to it that one session of a key is begun at a
    time: otherwise there may be more than MAX_SESSIONS."""
    token = new_token()
    session = Session(hash_secret(token), key.org_id, key.id, now, now + SESSION_SECONDS)
    of_key = [other for other in store.sessions(now) if other.key_id == key.id]
    for oldest in of_key[: max(0, len(of_key) + 1 - MAX_SESSIONS)]:
        store.put_session(dataclasses.replace(oldest, ended_at=now))
    store.put_session(session)
    return token, session


def new_token() -> str:
    """43 random characters, which need no escaping in a cookie or a URL."""
    return secrets.token_urlsafe(32)
