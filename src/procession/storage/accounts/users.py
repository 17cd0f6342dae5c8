"""Users in the tables."""

from __future__ import annotations

from typing import NamedTuple

from procession.accounts.users import Identity, Role, UnreadableUser, User
from procession.storage.accounts.restrictions import restriction_of, texts_of
from procession.storage.accounts.tables import AccountTables

_IDENTITY = "oidc "
"""In place of a password: then the issuer, which has no space in it, and the subject. No hash of argon2 begins so, so
that a server of before opens to no password either."""

_COLUMNS = "name, org, role, password_hash, created_at, generation"


class _UserRow(NamedTuple):
    name: str
    org: int
    role: str
    """And, a line for each, how the user is restricted."""
    password_hash: str
    created_at: int
    generation: str

    def user(self, removed_at: int | None = None) -> User | None:
        """None: a newer server may know more roles and restrictions, and who has one of those is nobody to this one."""
        role, *restricted = self.role.split("\n")
        restriction = restriction_of(restricted)
        if role not in list(Role) or restriction is None:
            return None
        identity = self.identity
        return User(
            self.name,
            self.org,
            Role(role),
            self.password_hash if identity is None else "",
            self.created_at,
            self.generation,
            removed_at,
            identity,
            restriction,
        )

    @property
    def identity(self) -> Identity | None:
        if not self.password_hash.startswith(_IDENTITY):
            return None
        issuer, _, subject = self.password_hash.removeprefix(_IDENTITY).partition(" ")
        return Identity(issuer, subject)


class ClickHouseUsers:
    """A UserStore."""

    def __init__(self, tables: AccountTables) -> None:
        self._tables = tables

    def users(self) -> tuple[User, ...]:
        rows = map(
            _UserRow._make,
            self._tables.rows(f"SELECT {_COLUMNS} FROM users FINAL WHERE removed_at IS NULL"),
        )
        gone = {int(org) for (org,) in self._tables.rows("SELECT org FROM removed_orgs FINAL")}
        found = (row.user() for row in sorted(rows) if row.org not in gone)
        return tuple(user for user in found if user is not None)

    def removed_users(self) -> tuple[User, ...]:
        rows = self._tables.rows(
            f"SELECT {_COLUMNS}, removed_at FROM users FINAL"
            f" WHERE removed_at IS NOT NULL AND startsWith(password_hash, '{_IDENTITY}')"
        )
        found = (_UserRow._make(row[:-1]).user(int(row[-1])) for row in sorted(rows))
        return tuple(user for user in found if user is not None)

    def unreadable_users(self) -> tuple[UnreadableUser, ...]:
        rows = map(_UserRow._make, self._tables.rows(f"SELECT {_COLUMNS} FROM users FINAL"))
        return tuple(UnreadableUser(row.name, row.identity) for row in sorted(rows) if row.user() is None)

    def admins(self, org_id: int) -> tuple[User, ...]:
        newest: dict[str, tuple[int, User | None]] = {}
        rows = self._tables.rows_of_all_replicas(f"{_COLUMNS}, removed_at, change", "users")
        for *columns, removed_at, change in rows:
            row = _UserRow._make(columns)
            if row.name not in newest or newest[row.name][0] < int(change):
                newest[row.name] = int(change), row.user() if removed_at is None else None
        return tuple(user for _, (_, user) in sorted(newest.items()) if user is not None and user.is_admin_of(org_id))

    def put_user(self, user: User) -> None:
        self._tables.change(
            "users WHERE name = {name:String}",
            "INSERT INTO users SELECT {name:String}, {org:UInt32}, {role:String}, {password_hash:String},"
            " {created_at:Int64}, {generation:String}, {removed_at:Nullable(Int64)}, {change:UInt64}",
            {
                "name": user.name,
                "org": user.org_id,
                "role": "\n".join([str(user.role), *texts_of(user.restriction)]),
                "password_hash": _secret_of(user),
                "created_at": user.created_at,
                "generation": user.generation,
                "removed_at": user.removed_at,
            },
        )


def _secret_of(user: User) -> str:
    identity = user.identity
    return user.password_hash if identity is None else f"{_IDENTITY}{identity.issuer} {identity.subject}"
