"""Sessions and one-time links in the tables."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from procession.accounts.sessions import Link, Session
from procession.storage.accounts.tables import AccountTables


class _SessionRow(NamedTuple):
    token_hash: str
    """In hexadecimal."""
    org: int
    key_id: str
    created_at: int
    expires_at: int


class _LinkRow(NamedTuple):
    org: int
    key_id: str
    expires_at: int


class ClickHouseSessions:
    """A SessionStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def sessions(self, now: int) -> tuple[Session, ...]:
        rows = self._tables.rows(
            "SELECT token_hash, org, key_id, created_at, expires_at FROM sessions FINAL"
            " WHERE expires_at > {now:Int64} AND ended_at IS NULL ORDER BY created_at, token_hash",
            {"now": now},
        )
        return tuple(
            Session(bytes.fromhex(row.token_hash), row.org, row.key_id, row.created_at, row.expires_at)
            for row in map(_SessionRow._make, rows)
        )

    def put_session(self, session: Session) -> None:
        self._tables.change(
            "sessions WHERE token_hash = {token_hash:String}",
            "INSERT INTO sessions SELECT {token_hash:String}, {org:UInt32}, {key_id:String}, {created_at:UInt32},"
            " {expires_at:UInt32}, {ended_at:Nullable(UInt32)}, {change:UInt64}",
            {
                "token_hash": session.token_hash.hex(),
                "org": session.org_id,
                "key_id": session.key_id,
                "created_at": session.created_at,
                "expires_at": session.expires_at,
                "ended_at": session.ended_at,
            },
        )

    def put_link(self, link: Link) -> None:
        self._tables.write(
            "INSERT INTO links SELECT {token_hash:String}, {org:UInt32}, {key_id:String}, {expires_at:UInt32}",
            {
                "token_hash": link.token_hash.hex(),
                "org": link.org_id,
                "key_id": link.key_id,
                "expires_at": link.expires_at,
            },
        )

    def take_link(self, token_hash: bytes, now: int) -> Link | None:
        text = {"token_hash": token_hash.hex()}
        rows = self._tables.rows(
            "SELECT org, key_id, expires_at FROM links WHERE token_hash = {token_hash:String}"
            " AND expires_at > {now:Int64} LIMIT 1",
            text | {"now": now},
        )
        if not rows:
            return None
        # Nothing here compares and sets in one step. So everybody says first that they take it, and then looks who else
        # has: of two at the same moment at least one sees the other, and who sees another gets nothing.
        self._tables.write(
            "INSERT INTO link_uses SELECT {token_hash:String}, {use:UInt64}, {at:UInt32}",
            text | {"use": secrets.randbits(64), "at": now},
        )
        counts = self._tables.rows("SELECT uniqExact(use) FROM link_uses WHERE token_hash = {token_hash:String}", text)
        uses = sum(count for (count,) in counts)  # one from each shard that was asked
        link = _LinkRow._make(rows[0])
        return Link(token_hash, link.org, link.key_id, link.expires_at) if uses == 1 else None
