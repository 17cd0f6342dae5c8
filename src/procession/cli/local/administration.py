"""Changing orgs, keys, users and tags of hosts: through the server that runs on a data folder, else in its store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from procession.accounts import administration as rules
from procession.accounts import users as user_rules
from procession.accounts.change import key_fields, restriction_fields
from procession.accounts.hosts import HostTags, TagSource
from procession.accounts.key_owners import owner_kind, owner_name, owner_named
from procession.accounts.orgs import SERVICE_ACCOUNT, Key, KeyKind, Org
from procession.accounts.restriction import UNRESTRICTED, Restriction
from procession.accounts.scopes import Scope
from procession.accounts.users import Role, User
from procession.cli.access import Access
from procession.cli.client import Unreachable
from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.local_keys import record_by_owner, record_user_by_owner
from procession.cli.options import read_settings
from procession.cli.serving.open_store import address_of, open_accounts, open_whole
from procession.config import ClientSettings, ServerSettings
from procession.errors import RequestError, UsageError

if TYPE_CHECKING:
    from procession.storage.embedded.store import EmbeddedStore
    from procession.storage.store import ClickHouseStore

    OpenedStore = EmbeddedStore | ClickHouseStore
    Opening = Callable[[ServerSettings, Path], OpenedStore]

PATH = "/api/procession/v1/admin"
REMOVAL_SECONDS = 600.0
"""To wait for an org to be erased."""
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class KeyRow:
    """What is shown of a key: everything but its secret."""

    id: str
    org_id: int
    kind: str
    name: str
    created_at: int
    revoked_at: int | None
    scopes: Sequence[str] = ()
    owner: str = SERVICE_ACCOUNT
    owner_kind: str = "service"
    expires_at: int | None = None
    last_used_at: int | None = None
    rows: str = ""
    without_arguments: bool = False

    @property
    def restriction(self) -> Restriction:
        return Restriction(self.rows, self.without_arguments)


@dataclass(frozen=True)
class UserRow:
    """What is shown of a user: everything but the password."""

    name: str
    org_id: int
    role: str
    created_at: int
    rows: str = ""
    without_arguments: bool = False

    @property
    def restriction(self) -> Restriction:
        return Restriction(self.rows, self.without_arguments)


class Administration(Protocol):
    """Orgs, keys, users and tags of hosts. All methods raise UsageError."""

    def orgs(self) -> list[Org]: ...
    def create_org(self, name: str) -> Org: ...
    def rows_of_org(self, org_id: int) -> Mapping[str, int]:
        """What there is of an org: tables and how many rows."""

    def remove_org(self, org_id: int) -> bool:
        """Whether nothing is left of it; else the servers of the store erase it."""

    def keys(self) -> list[KeyRow]: ...
    def create_key(
        self,
        org_id: int,
        kind: KeyKind,
        name: str,
        scopes: Sequence[Scope] = (),
        *,
        owner: str = SERVICE_ACCOUNT,
        expires_at: int | None = None,
        restriction: Restriction = UNRESTRICTED,
    ) -> tuple[KeyRow, str]:
        """The key and its secret."""

    def revoke_key(self, key_id: str) -> KeyRow: ...
    def users(self) -> list[UserRow]: ...
    def create_user(
        self, org_id: int, name: str, role: Role, password: str, restriction: Restriction = UNRESTRICTED
    ) -> UserRow: ...
    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        restriction: Restriction | None = None,
    ) -> UserRow:
        """Where anything else is given than before, the sessions of the user end."""

    def remove_user(self, name: str) -> UserRow: ...
    def host_tags(self) -> list[HostTags]: ...
    def change_host_tags(self, org_id: int, host: str, add: Sequence[str], remove: Sequence[str]) -> HostTags:
        """All that the user said of the host so far."""


@contextlib.contextmanager
def administration(*, data_dir: str, **store: str) -> Iterator[Administration]:
    """Administration by the server of this machine that uses the data folder, or in the store if none runs."""
    with _administration(open_accounts, data_dir, store) as found:
        yield found


@contextlib.contextmanager
def whole_administration(*, data_dir: str, **store: str) -> Iterator[Administration]:
    """The same, with all that agents have posted: what is done to orgs as a whole."""
    with _administration(open_whole, data_dir, store) as found:
        yield found


@contextlib.contextmanager
def _administration(opening: Opening, data_dir: str, store: Mapping[str, str]) -> Iterator[Administration]:
    access = Access.of(ClientSettings(data_dir=data_dir))
    if access.local.address() is not None:
        over_http = OverHttp(access)
        # Where a server was killed its address is still there, and nobody answers.
        with contextlib.suppress(Unreachable):
            over_http.orgs()
            yield over_http
            return
    with _store_without_server(access.local, read_settings(ServerSettings, store), opening) as opened:
        yield InStore(opened, access.local.data_dir)


@contextlib.contextmanager
def _store_without_server(local: LocalFiles, settings: ServerSettings, opening: Opening) -> Iterator[OpenedStore]:
    folder = local.data_dir if (address := address_of(settings)) is None else address
    if isinstance(folder, Path) and not folder.is_dir():
        raise UsageError(f"there is no store in {folder} yet; `procession up` or `procession serve` makes it")
    with contextlib.closing(opening(settings, local.data_dir)) as opened:
        yield opened


class OverHttp:
    """Through a running server, which then knows at once."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def orgs(self) -> list[Org]:
        return [Org(**org) for org in self._ask("GET", "/orgs", None)["orgs"]]

    def create_org(self, name: str) -> Org:
        return Org(**self._ask("POST", "/orgs", {"name": name})["org"])

    def rows_of_org(self, org_id: int) -> Mapping[str, int]:
        rows: Mapping[str, int] = self._ask("GET", f"/orgs/{org_id}", None)["rows"]
        return rows

    def remove_org(self, org_id: int) -> bool:
        self._ask("DELETE", f"/orgs/{org_id}", None)
        deadline = time.monotonic() + REMOVAL_SECONDS
        while not self._is_erased(org_id):
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True

    def _is_erased(self, org_id: int) -> bool:
        removed = self._ask("GET", "/orgs", None)["removed"]
        return any(org["id"] == org_id and org["is_erased"] for org in removed)

    def keys(self) -> list[KeyRow]:
        return [KeyRow(**key) for key in self._ask("GET", "/keys", None)["keys"]]

    def create_key(
        self,
        org_id: int,
        kind: KeyKind,
        name: str,
        scopes: Sequence[Scope] = (),
        *,
        owner: str = SERVICE_ACCOUNT,
        expires_at: int | None = None,
        restriction: Restriction = UNRESTRICTED,
    ) -> tuple[KeyRow, str]:
        body = {
            "org_id": org_id,
            "kind": kind.value,
            "name": name,
            "scopes": list(scopes),
            "owner": owner,
            "expires_at": expires_at,
            **_said(restriction),
        }
        answer = self._ask("POST", "/keys", body)
        return KeyRow(**answer["key"]), answer["secret"]

    def revoke_key(self, key_id: str) -> KeyRow:
        return KeyRow(**self._ask("POST", f"/keys/{quote(key_id, safe='')}/revoke", None)["key"])

    def users(self) -> list[UserRow]:
        return [UserRow(**user) for user in self._ask("GET", "/users", None)["users"]]

    def create_user(
        self, org_id: int, name: str, role: Role, password: str, restriction: Restriction = UNRESTRICTED
    ) -> UserRow:
        body = {"org_id": org_id, "name": name, "role": role, "password": password, **_said(restriction)}
        return UserRow(**self._ask("POST", "/users", body)["user"])

    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        restriction: Restriction | None = None,
    ) -> UserRow:
        body: dict[str, Any] = {"role": role, "password": password}
        if restriction is not None:
            body["restriction"] = restriction._asdict()
        return UserRow(**self._ask("PATCH", _path_of_user(name), body)["user"])

    def remove_user(self, name: str) -> UserRow:
        return UserRow(**self._ask("DELETE", _path_of_user(name), None)["user"])

    def host_tags(self) -> list[HostTags]:
        return [_host_tags(entry) for entry in self._ask("GET", "/hosts/tags", None)["host_tags"]]

    def change_host_tags(self, org_id: int, host: str, add: Sequence[str], remove: Sequence[str]) -> HostTags:
        body = {"org_id": org_id, "host": host, "add": list(add), "remove": list(remove)}
        return _host_tags(self._ask("POST", "/hosts/tags", body)["host_tags"])

    def _ask(self, method: str, path: str, body: Any) -> Any:
        return self._access.administer(method, PATH + path, body)


class InStore:
    """In a store that no server has open."""

    def __init__(self, store: OpenedStore, data_dir: Path) -> None:
        """`data_dir`: of the server that does not run now, with its audit trail."""
        self._store = store
        self._data_dir = data_dir

    def orgs(self) -> list[Org]:
        return list(self._store.keys.orgs())

    def create_org(self, name: str) -> Org:
        with _as_usage_error():
            self._record("org", name, "created", None)
            return rules.create_org(self._store.keys, name)

    def rows_of_org(self, org_id: int) -> Mapping[str, int]:
        with _as_usage_error():
            return self._store.erasure.rows_of_org(org_id)

    def remove_org(self, org_id: int) -> bool:
        """On ClickHouse servers it is not erased here: others may still take what comes with its keys."""
        with _as_usage_error():
            self._record("org", str(org_id), "deleted", org_id)
            removed = rules.remove_org(self._store.keys, org_id, int(time.time()))
            if not self._store.keys.is_only_writer:
                return False
            self._store.erasure.erase_org(org_id)
            self._store.keys.put_removed_org(replace(removed, is_erased=True))
        return True

    def keys(self) -> list[KeyRow]:
        keys, uses = self._store.keys.keys(), self._store.keys.key_uses()
        return [_row(key, uses.get(key.id)) for key in keys]

    def create_key(
        self,
        org_id: int,
        kind: KeyKind,
        name: str,
        scopes: Sequence[Scope] = (),
        *,
        owner: str = SERVICE_ACCOUNT,
        expires_at: int | None = None,
        restriction: Restriction = UNRESTRICTED,
    ) -> tuple[KeyRow, str]:
        now = int(time.time())
        record = self._record_key(now)
        with _as_usage_error():
            key, secret = rules.create_key(
                self._store.keys,
                org_id,
                kind,
                name,
                now,
                scopes=scopes,
                owner=owner_named(owner, org_id, self._store.users.users()),
                expires_at=expires_at,
                restriction=restriction,
                record=record,
            )
        return _row(key), secret

    def revoke_key(self, key_id: str) -> KeyRow:
        now = int(time.time())
        with _as_usage_error():
            return _row(rules.revoke_key(self._store.keys, key_id, now, record=self._record_key(now)))

    def users(self) -> list[UserRow]:
        return [_user_row(user) for user in self._store.users.users()]

    def create_user(
        self, org_id: int, name: str, role: Role, password: str, restriction: Restriction = UNRESTRICTED
    ) -> UserRow:
        now = int(time.time())
        record = record_user_by_owner(self._store.changes, now)
        with _as_usage_error():
            self._record("user", name, "created", org_id, {"role": str(role), **restriction_fields(restriction)})
            orgs, digest, users = self._store.keys.orgs(), _hashed(password), self._store.users
            user = user_rules.create_user(
                users, orgs, org_id, name, role, digest, now, restriction=restriction, record=record
            )
        return _user_row(user)

    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        restriction: Restriction | None = None,
    ) -> UserRow:
        record = record_user_by_owner(self._store.changes, int(time.time()))
        with _as_usage_error():
            digest = None if password is None else _hashed(password)
            user = user_rules.find_user(self._store.users, name)
            what: dict[str, Any] = {"role": None if role is None else str(role), "password": digest is not None}
            if restriction is not None:
                what["restriction"] = restriction._asdict()
            self._record("user", user.name, "changed", user.org_id, what)
            user = user_rules.change_user(
                self._store.users, name, role=role, restriction=restriction, password_hash=digest, record=record
            )
        return _user_row(user)

    def remove_user(self, name: str) -> UserRow:
        now = int(time.time())
        record = record_user_by_owner(self._store.changes, now)
        with _as_usage_error():
            user = user_rules.find_user(self._store.users, name)
            self._record("user", user.name, "deleted", user.org_id)
            removed = user_rules.remove_user(self._store.users, name, now, record=record)
            rules.revoke_keys_of(self._store.keys, removed, now, record=self._record_key(now))
            return _user_row(removed)

    def host_tags(self) -> list[HostTags]:
        return list(self._store.hosts.host_tags())

    def change_host_tags(self, org_id: int, host: str, add: Sequence[str], remove: Sequence[str]) -> HostTags:
        with _as_usage_error():
            self._record("host_tags", host, "changed", org_id, {"add": list(add), "remove": list(remove)})
            return rules.change_host_tags(self._store.hosts, org_id, host, add, remove)

    def _record_key(self, now: int) -> rules.RecordKey:
        by_owner = record_by_owner(self._store.changes, now)

        def record(before: Key | None, after: Key) -> None:
            action = "created" if before is None else "changed"
            self._record("key", after.id, action, after.org_id, key_fields(after))
            by_owner(before, after)

        return record

    def _record(self, kind: str, subject: str, action: str, org_id: int | None, after: Any = None) -> None:
        """In the audit trail, before it is done."""
        from procession.audit import AuditFolder
        from procession.audit.commands import record_command

        change = {"kind": kind, "subject": subject, "action": action, "org_id": org_id, "after": after}
        known = {name: value for name, value in change.items() if value is not None}
        record_command(AuditFolder.of(self._data_dir), known, org_id=org_id, now=time.time())


def _host_tags(entry: dict[str, Any]) -> HostTags:
    return HostTags(entry["org_id"], entry["host"], TagSource(entry["source"]), tuple(entry["tags"]))


def _row(key: Key, last_used_at: int | None = None) -> KeyRow:
    return KeyRow(
        key.id,
        key.org_id,
        key.kind.value,
        key.name,
        key.created_at,
        key.revoked_at,
        sorted(key.scopes),
        owner_name(key),
        owner_kind(key),
        key.expires_at,
        last_used_at,
        *key.restriction,
    )


def _user_row(user: User) -> UserRow:
    return UserRow(user.name, user.org_id, str(user.role), user.created_at, *user.restriction)


def _said(restriction: Restriction) -> dict[str, Any]:
    """Nothing to a server of before that is to restrict nothing."""
    return {} if restriction == UNRESTRICTED else restriction._asdict()


def _path_of_user(name: str) -> str:
    return f"/users/{quote(name, safe='')}"


def _hashed(password: str) -> str:
    from procession.accounts.passwords import checked_password, hash_password

    return hash_password(checked_password(password))


@contextlib.contextmanager
def _as_usage_error() -> Iterator[None]:
    try:
        yield
    except RequestError as error:
        raise UsageError(str(error)) from None


def restriction_from(rows: str, without_arguments: bool) -> Restriction:
    """Of the options of a command. Raises UsageError."""
    with _as_usage_error():
        return Restriction.parse(rows, without_arguments=without_arguments)


def org_named(admin: Administration, name: str | None) -> Org:
    """By name or number; the first one where no name is given."""
    orgs = admin.orgs()
    if name is None and orgs:
        return orgs[0]
    for org in orgs:
        if name in (org.name, str(org.id)):
            return org
    raise UsageError(f"there is no org {name!r}; `procession orgs list` shows those there are")
