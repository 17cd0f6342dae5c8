"""What was changed of orgs, and by whom, in the tables."""

from __future__ import annotations

import msgspec

from procession.accounts.change import Change, ChangeKind
from procession.storage.accounts.tables import AccountTables
from procession.window import Window

_change = msgspec.json.Decoder(Change)


class ClickHouseChanges:
    """A ChangeStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def put_change(self, change: Change) -> None:
        self._tables.write(
            "INSERT INTO changes SELECT {org:UInt32}, {at:UInt32}, {id:String}, {kind:String}, {subject:String},"
            " {body:String}",
            {
                "org": change.org_id,
                "at": change.at,
                "id": change.id,
                "kind": str(change.kind),
                "subject": change.subject,
                "body": msgspec.json.encode(change).decode(),
            },
        )

    def changes(
        self, org_id: int, window: Window, limit: int, kind: ChangeKind | None = None, subject: str | None = None
    ) -> tuple[Change, ...]:
        where = "org = {org:UInt32} AND at >= {from:UInt32} AND at <= {to:UInt32}"
        parameters: dict[str, int | str] = {"org": org_id, "from": window.from_at, "to": window.to_at, "limit": limit}
        if kind is not None:
            where, parameters = f"{where} AND kind = {{kind:String}}", parameters | {"kind": str(kind)}
        if subject is not None:
            where, parameters = f"{where} AND subject = {{subject:String}}", parameters | {"subject": subject}
        rows = self._tables.rows(
            f"SELECT body FROM changes FINAL WHERE {where} ORDER BY at DESC, id DESC LIMIT {{limit:UInt32}}", parameters
        )
        found = [_change.decode(body) for (body,) in rows]
        return tuple(sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit])  # of several shards
