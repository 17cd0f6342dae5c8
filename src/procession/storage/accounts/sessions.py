"""Sessions and one-time links in the tables."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from procession.sessions import Link, Session
from procession.storage.accounts.changes import next_change
from procession.storage.history.engine.connection import ConnectionPool
from procession.storage.history.engine.errors import unavailable_on_failure


class ClickHouseSessions:
    """A SessionStore."""

    def __init__(self, engine: ConnectionPool) -> None:
        self._engine = engine

    def sessions(self, now: int) -> tuple[Session, ...]:
        rows = self._query(
            "SELECT token_hash, org, key_id, created_at, expires_at FROM sessions FINAL"
            " WHERE expires_at > {now:Int64} AND ended_at IS NULL ORDER BY created_at, token_hash",
            {"now": now},
        )
        return tuple(Session(bytes.fromhex(token_hash), *rest) for token_hash, *rest in rows)

    def put_session(self, session: Session) -> None:
        token_hash = session.token_hash.hex()
        change = next_change(self._query, "sessions WHERE token_hash = {token_hash:String}", {"token_hash": token_hash})
        self._query(
            "INSERT INTO sessions SELECT {token_hash:String}, {org:UInt32}, {key_id:String}, {created_at:UInt32},"
            " {expires_at:UInt32}, {ended_at:Nullable(UInt32)}, {change:UInt64}",
            {
                "token_hash": token_hash,
                "org": session.org_id,
                "key_id": session.key_id,
                "created_at": session.created_at,
                "expires_at": session.expires_at,
                "ended_at": session.ended_at,
                "change": change,
            },
        )

    def put_link(self, link: Link) -> None:
        self._query(
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
        rows = self._query(
            "SELECT org, key_id, expires_at FROM links WHERE token_hash = {token_hash:String}"
            " AND expires_at > {now:Int64} LIMIT 1",
            text | {"now": now},
        )
        if not rows:
            return None
        # Nothing here compares and sets in one step. So everybody says first that they take it, and then looks who else
        # has: of two at the same moment at least one sees the other, and who sees another gets nothing.
        self._query(
            "INSERT INTO link_uses SELECT {token_hash:String}, {use:UInt64}, {at:UInt32}",
            text | {"use": secrets.randbits(64), "at": now},
        )
        counts = self._query("SELECT uniqExact(use) FROM link_uses WHERE token_hash = {token_hash:String}", text)
        uses = sum(count for (count,) in counts)  # one from each shard that was asked
        return Link(token_hash, *rows[0]) if uses == 1 else None

    def _query(self, text: str, parameters: dict[str, Any]) -> Sequence[Any]:
        with unavailable_on_failure(), self._engine.connection() as connection:
            rows: Sequence[Any] = connection.query(text, parameters).result_rows
            return rows
