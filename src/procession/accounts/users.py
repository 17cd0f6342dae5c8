"""People who sign in, with a password or by a provider: what each may do, and the rules for making, changing and
removing them."""

from __future__ import annotations

import enum
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Protocol

from procession.accounts.orgs import Key, KeyKind, Org
from procession.accounts.restriction import UNRESTRICTED, Restricted, Restriction
from procession.accounts.scopes import OF_RESTRICTED, Scope
from procession.errors import InvalidRequest, NotFound

MAX_USERS = 10_000
"""Of a store: readers take all of them every few seconds."""
_TAKE_BACK_TRIES = 3
"""Another server may write the same user at the same moment."""
USER_PREFIX: Final = "user:"
"""Of the id of somebody who is no key. Ids of keys are hexadecimal."""

# No letters that look like others, and nothing that has to be escaped in a path.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_NAME_RULE = "The name of a user has 1 to 100 of a-z, 0-9 and ._@+-, and begins with a letter or a digit"


class Role(enum.StrEnum):
    """What a user may do besides reading processes."""

    VIEWER = "viewer"
    """Looks at everything, changes nothing."""
    EDITOR = "editor"
    """Changes views, monitors and downtimes besides."""
    ADMIN = "admin"
    """Changes channels, tags of hosts and users besides, and ends sessions of others."""
    AUDITOR = "auditor"
    """Looks at everything, and at who changed what; changes nothing. No admin may, who is watched by it."""

    @property
    def scopes(self) -> frozenset[Scope]:
        return SCOPES[self]


_VIEWER = frozenset({Scope.MONITORS_READ})
_EDITOR = _VIEWER | {Scope.MONITORS_WRITE, Scope.MONITORS_DOWNTIME}
SCOPES: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.EDITOR: _EDITOR,
        # Channels lead out of the house, and tags of hosts say whose they are.
        Role.ADMIN: _EDITOR | {Scope.MANAGE_INTEGRATIONS, Scope.HOST_TAGS_WRITE, Scope.USER_ACCESS_MANAGE},
        Role.AUDITOR: _VIEWER | {Scope.AUDIT_LOGS_READ, Scope.AUDIT_READ},
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to a provider of sign-ins. Nothing else that the provider says stays the same."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in. Moments are Unix seconds."""

    name: str
    """One of all orgs of the store: who signs in names no org."""
    org_id: int
    role: Role
    password_hash: str = field(repr=False)
    """See `passwords.hash_password`."""
    created_at: int
    generation: str
    """Random, and another one whenever the sessions of the user have to end."""
    removed_at: int | None = None
    identity: Identity | None = None
    """Of who signs in by a provider, and has no password; it stays when the user is removed."""
    restriction: Restriction = UNRESTRICTED
    """Of a viewer."""

    @property
    def id(self) -> str:
        """Names the user as who changed something."""
        return f"{USER_PREFIX}{self.name}"

    @property
    def sign_in_id(self) -> str:
        """What a session of the user belongs to. It is good only as long as the user is the same as when it began."""
        return f"{USER_PREFIX}{self.generation}:{self.name}"

    def is_admin_of(self, org_id: int) -> bool:
        """One who is restricted can do nothing that admins can."""
        is_present = self.org_id == org_id and self.removed_at is None
        return is_present and self.role is Role.ADMIN and role_under(self.restriction, self.role) is Role.ADMIN

    def as_key(self) -> Key:
        """The user in place of an application key: with the scopes of the role, of which one who is restricted has
        few. No secret opens it."""
        is_restricted = self.restriction.kinds is not Restricted.NOTHING
        return Key(
            self.id,
            self.org_id,
            KeyKind.APPLICATION,
            self.name,
            b"",
            self.created_at,
            scopes=self.role.scopes & OF_RESTRICTED if is_restricted else self.role.scopes,
            owner=self.id,
            restriction=self.restriction,
        )


@dataclass(frozen=True, slots=True)
class UnreadableUser:
    """Whom a newer version wrote so that this one cannot tell what he may do. He is nobody here, and nobody else may
    have his name or identity: else his row, and what restricts him, would be overwritten."""

    name: str
    identity: Identity | None


class UserRecords(Protocol):
    """What these rules need of a store."""

    def users(self) -> tuple[User, ...]:
        """By name, without those that were removed."""

    def removed_users(self) -> tuple[User, ...]:
        """Of those the ones whom a provider had named."""

    def unreadable_users(self) -> tuple[UnreadableUser, ...]:
        """In none of the others; removed ones too."""

    def admins(self, org_id: int) -> tuple[User, ...]:
        """By name, with all that any server of the store has put before."""

    def put_user(self, user: User) -> None:
        """Add it, or replace the one with its name."""


RecordUser = Callable[[User | None, User], None]
"""Takes the user before the change, if there was one, and after it."""


class LastAdmin(InvalidRequest):
    """The change would leave an org without admins."""

    def __init__(self, user: User) -> None:
        super().__init__(f"{user.name} is the last admin of the org; make another one first")


def is_user(key: Key) -> bool:
    """Whether this is a user in place of a key."""
    return key.id.startswith(USER_PREFIX)


def roles_with(scope: Scope) -> str:
    """`editor or admin`."""
    return " or ".join(role for role in Role if scope in role.scopes)


def is_of_user(key: Key) -> bool:
    """Whether the key belongs to a user, and not to a service account."""
    return key.owner.startswith(USER_PREFIX)


def may_change_views(key: Key) -> bool:
    """Every application key of a service account may, as ever; of the users, and with their keys, those who may change
    monitors."""
    return not (is_user(key) or is_of_user(key)) or Scope.MONITORS_WRITE in key.scopes


def user_name(text: str) -> str:
    """Lower-cased. Raises InvalidRequest."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise InvalidRequest(_NAME_RULE)
    return name


def create_user(
    store: UserRecords,
    orgs: Iterable[Org],
    org_id: int,
    name: str,
    role: Role,
    password_hash: str,
    now: int,
    *,
    restriction: Restriction = UNRESTRICTED,
    record: RecordUser,
) -> User:
    """`record` is told before. Raises InvalidRequest for an unfit name or one that is taken, be it in another org, for
    an org that there is not, and for a restriction of another than a viewer."""
    _refuse_restricted(role, restriction)
    name = user_name(name)
    if all(org.id != org_id for org in orgs):
        raise InvalidRequest(f"There is no org {org_id}")
    users = store.users()
    if any(user.name == name for user in users):
        raise InvalidRequest(f"There is a user named {name} already")
    if any(user.name == name for user in store.removed_users()):
        # Else nothing would be left that keeps that user out.
        raise InvalidRequest(f"{name} was a user whom a provider of sign-ins had named; take another name")
    if is_unreadable(store, name):
        raise InvalidRequest(f"{name} is, or was, a user whom only a newer version can read; take another name")
    if len(users) >= MAX_USERS:
        raise InvalidRequest(f"There are {MAX_USERS} users already; remove one first")
    user = User(name, org_id, role, password_hash, now, new_generation(), restriction=restriction)
    record(None, user)
    store.put_user(user)
    return user


def change_user(
    store: UserRecords,
    name: str,
    *,
    role: Role | None = None,
    restriction: Restriction | None = None,
    password_hash: str | None = None,
    record: RecordUser,
) -> User:
    """The user with all that is given, in one write, or nothing is changed. The sessions have ended if anything is
    another one than before, or a password is given.

    Raises NotFound, and InvalidRequest for the last admin of an org, for another role than a viewer's together with a
    restriction, and for a password of one who has none.
    """
    user = find_user(store, name)
    if password_hash is not None:
        check_has_password(user)
    changed = replace(
        user,
        role=user.role if role is None else role,
        restriction=user.restriction if restriction is None else restriction,
        password_hash=user.password_hash if password_hash is None else password_hash,
    )
    if changed == user and password_hash is None:
        return user
    _refuse_restricted(changed.role, changed.restriction)
    changed = replace(changed, generation=new_generation())
    put_changed(store, user, changed, record)
    return changed


def put_changed(store: UserRecords, user: User, changed: User, record: RecordUser) -> None:
    """Replace `user`, of which `record` is told before. Raises LastAdmin, with all as it was, for the last admin of an
    org who would be none of it.

    Several servers and threads may do so at the same moment with all admins of an org, and nothing locks the store for
    them. So each one writes, and then looks who is left. Whoever writes last sees what all the others wrote: if no
    admin is left then, that one at least takes back what it wrote. Each takes back only its own.
    """
    if not user.is_admin_of(user.org_id) or changed.is_admin_of(user.org_id):
        record(user, changed)
        store.put_user(changed)
        return
    # Before anything is written: also so that nothing is, where not all of the store can be asked.
    if all(admin.name == user.name for admin in store.admins(user.org_id)):
        raise LastAdmin(user)
    record(user, changed)
    try:
        store.put_user(changed)
        is_left = bool(store.admins(user.org_id))
    except Exception:
        _take_back(store, user, changed, record)
        raise
    if not is_left:
        _take_back(store, user, changed, record)
        raise LastAdmin(user)


def _take_back(store: UserRecords, user: User, changed: User, record: RecordUser) -> None:
    try:
        for _ in range(_TAKE_BACK_TRIES):
            store.put_user(user)
            if store.admins(user.org_id):
                break
    finally:
        record(changed if changed.removed_at is None else None, user)


def check_has_password(user: User) -> None:
    """Raises InvalidRequest for one who signs in by a provider."""
    if user.identity is not None:
        raise InvalidRequest(f"{user.name} signs in by {user.identity.issuer} and has no password here")


def end_sessions(store: UserRecords, name: str) -> User:
    """The user, whose sessions have ended. Raises NotFound."""
    user = find_user(store, name)
    changed = replace(user, generation=new_generation())
    store.put_user(changed)
    return changed


def remove_user(store: UserRecords, name: str, now: int, *, record: RecordUser) -> User:
    """The user, who was one. Raises NotFound, and InvalidRequest for the last admin of an org."""
    user = find_user(store, name)
    removed = replace(user, password_hash="", generation=new_generation(), removed_at=now)
    put_changed(store, user, removed, record)
    return removed


def find_user(store: UserRecords, name: str) -> User:
    """Raises NotFound."""
    wanted = name.strip().lower()
    user = next((user for user in store.users() if user.name == wanted), None)
    if user is None and is_unreadable(store, wanted):
        raise NotFound(f"There is no user {wanted} whom this version can read: a newer one wrote it; use that one")
    if user is None:
        raise NotFound(f"There is no user {name[:100]}")
    return user


def is_unreadable(store: UserRecords, name: str) -> bool:
    return any(user.name == name for user in store.unreadable_users())


def role_under(restriction: Restriction, role: Role) -> Role:
    """The role that somebody with this restriction has who is given `role`: a restriction and a role that could lift it
    exclude each other, and the restriction wins."""
    return role if restriction.kinds is Restricted.NOTHING else Role.VIEWER


def _refuse_restricted(role: Role, restriction: Restriction) -> None:
    if role_under(restriction, role) is not role:
        raise InvalidRequest("Only a viewer can be restricted: all others see or change what is of the whole org")


def new_generation() -> str:
    """Another one than ever before."""
    return secrets.token_hex(8)
