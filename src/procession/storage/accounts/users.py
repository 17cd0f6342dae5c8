"""Users in the tables."""

from __future__ import annotations

from typing import NamedTuple

from procession.accounts.users import Role, User
from procession.storage.accounts.tables import AccountTables


class _UserRow(NamedTuple):
    name: str
    org: int
    role: str
    password_hash: str
    created_at: int
    generation: str

    def user(self) -> User:
        return User(self.name, self.org, Role(self.role), self.password_hash, self.created_at, self.generation)


class ClickHouseUsers:
    """A UserStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def users(self) -> tuple[User, ...]:
        rows = map(
            _UserRow._make,
            self._tables.rows(
                "SELECT name, org, role, password_hash, created_at, generation FROM users FINAL"
                " WHERE removed_at IS NULL"
            ),
        )
        gone = {int(org) for (org,) in self._tables.rows("SELECT org FROM removed_orgs FINAL")}
        # A newer server may know more roles: whoever has one of those is nobody to this one.
        return tuple(row.user() for row in sorted(rows) if row.org not in gone and row.role in list(Role))

    def put_user(self, user: User) -> None:
        self._tables.change(
            "users WHERE name = {name:String}",
            "INSERT INTO users SELECT {name:String}, {org:UInt32}, {role:String}, {password_hash:String},"
            " {created_at:Int64}, {generation:String}, {removed_at:Nullable(Int64)}, {change:UInt64}",
            {
                "name": user.name,
                "org": user.org_id,
                "role": str(user.role),
                "password_hash": user.password_hash,
                "created_at": user.created_at,
                "generation": user.generation,
                "removed_at": user.removed_at,
            },
        )
