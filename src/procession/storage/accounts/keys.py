"""Orgs and keys in the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from procession.accounts.administration import is_lasting_admin
from procession.accounts.orgs import Key, KeyKind, KeyUse, Org, RemovedOrg
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.storage.accounts.restrictions import restriction_of, texts_of
from procession.storage.accounts.tables import AccountTables

_COLUMNS = "id, org, kind, name, secret_hash, created_at, revoked_at, scopes, owner, expires_at"
_KINDS = frozenset(kind.value for kind in KeyKind)


class _OrgRow(NamedTuple):
    id: int
    name: str


class _KeyRow(NamedTuple):
    id: str
    org: int
    kind: str
    name: str
    secret_hash: str
    """In hexadecimal."""
    created_at: int
    revoked_at: int | None
    scopes: list[str]
    """And how it is restricted."""
    owner: str
    expires_at: int | None

    def key(self) -> Key | None:
        """None: nobody may have it who does not know what it opens, or how it is restricted. No other key gets its id,
        so that its row stays."""
        restriction = restriction_of(self.scopes)
        if restriction is None or self.kind not in _KINDS:
            return None
        return self._restricted(restriction)

    def _restricted(self, restriction: Restriction) -> Key:
        return Key(
            self.id,
            self.org,
            KeyKind(self.kind),
            self.name,
            bytes.fromhex(self.secret_hash),
            self.created_at,
            self.revoked_at,
            # A newer server may know more of them.
            frozenset(Scope(scope) for scope in self.scopes if scope in list(Scope)),
            owner=self.owner,
            expires_at=self.expires_at,
            restriction=restriction,
        )


class ClickHouseKeys:
    """A KeyStore."""

    def __init__(self, tables: AccountTables, *, is_only_writer: bool) -> None:
        self._tables = tables
        self.is_only_writer = is_only_writer

    def orgs(self) -> tuple[Org, ...]:
        rows = map(_OrgRow._make, self._tables.rows("SELECT id, name FROM orgs FINAL"))
        removed = self._removed_ids()
        return tuple(Org(row.id, row.name) for row in sorted(rows) if row.id not in removed)

    def keys(self) -> tuple[Key, ...]:
        rows = map(_KeyRow._make, self._tables.rows(f"SELECT {_COLUMNS} FROM keys FINAL"))
        removed = self._removed_ids()
        ordered = sorted(rows, key=lambda row: (row.created_at, row.id))
        found = (row.key() for row in ordered if row.org not in removed)
        return tuple(key for key in found if key is not None)

    def admin_keys(self) -> tuple[Key, ...]:
        newest: dict[str, tuple[int, _KeyRow]] = {}
        for *columns, change in self._tables.rows_of_all_replicas(f"{_COLUMNS}, change", "keys"):
            row = _KeyRow._make(columns)
            if row.id not in newest or newest[row.id][0] < int(change):
                newest[row.id] = int(change), row
        removed = {int(org) for (org,) in self._tables.rows_of_all_replicas("org", "removed_orgs")}
        found = (row.key() for _, (_, row) in sorted(newest.items()) if row.org not in removed)
        return tuple(key for key in found if key is not None and is_lasting_admin(key))

    def removed_orgs(self) -> tuple[RemovedOrg, ...]:
        rows = self._tables.rows("SELECT org, name, removed_at, is_erased FROM removed_orgs FINAL")
        return tuple(RemovedOrg(int(org), name, int(at), bool(is_erased)) for org, name, at, is_erased in sorted(rows))

    def put_removed_org(self, org: RemovedOrg) -> None:
        self._tables.change(
            "removed_orgs WHERE org = {org:UInt32}",
            "INSERT INTO removed_orgs SELECT {org:UInt32}, {name:String}, {removed_at:UInt32}, {is_erased:Bool},"
            " {change:UInt64}",
            {"org": org.id, "name": org.name, "removed_at": org.removed_at, "is_erased": org.is_erased},
        )

    def _removed_ids(self) -> frozenset[int]:
        return frozenset(org.id for org in self.removed_orgs())

    def put_org(self, org: Org) -> None:
        self._tables.change(
            "orgs WHERE id = {id:UInt32}",
            "INSERT INTO orgs SELECT {id:UInt32}, {name:String}, {change:UInt64}",
            {"id": org.id, "name": org.name},
        )

    def put_key(self, key: Key) -> None:
        self._tables.change(
            "keys WHERE id = {id:String}",
            "INSERT INTO keys SELECT {id:String}, {org:UInt32}, {kind:String}, {name:String}, {secret_hash:String},"
            " {created_at:Int64}, {revoked_at:Nullable(Int64)}, {change:UInt64}, {scopes:Array(String)},"
            " {owner:String}, {expires_at:Nullable(Int64)}",
            {
                "id": key.id,
                "org": key.org_id,
                "kind": key.kind.value,
                "name": key.name,
                "secret_hash": key.secret_hash.hex(),
                "created_at": key.created_at,
                "revoked_at": key.revoked_at,
                "owner": key.owner,
                "expires_at": key.expires_at,
                "scopes": [*sorted(key.scopes), *texts_of(key.restriction)],
            },
        )

    def key_uses(self) -> Mapping[str, int]:
        rows = self._tables.rows("SELECT id, max(used_at) FROM key_uses GROUP BY id")
        return {str(key_id): int(at) for key_id, at in rows}

    def put_key_uses(self, uses: Sequence[KeyUse]) -> None:
        if uses:
            columns = {
                "id": pa.array([use.key_id for use in uses], pa.string()),
                "org": pa.array([use.org_id for use in uses], pa.uint32()),
                "used_at": pa.array([use.at for use in uses], pa.uint32()),
            }
            self._tables.insert("key_uses", pa.table(columns))
