"""Whose a key is, a user's or a service account's, and what follows from it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence

from procession.accounts.orgs import SERVICE_ACCOUNT, Key, KeyKind
from procession.accounts.restriction import Restricted
from procession.accounts.scopes import OF_RESTRICTED, Scope
from procession.accounts.users import USER_PREFIX, User, is_of_user
from procession.errors import InvalidRequest
from procession.process import MAX_UINT32

MAX_KEYS = 100
"""Of a user, that were not revoked."""
MAX_KEYS_A_DAY = 200
"""That a user makes: those that were revoked are kept for ever, and all servers read them every few seconds."""
DAY_SECONDS = 86400

_SERVICE_PREFIX = f"{SERVICE_ACCOUNT}:"
_SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_SERVICE_RULE = "The name of a service account has 1 to 100 of a-z, 0-9 and ._@+-, and begins with a letter or a digit"


def owner_named(text: str, org_id: int, users: Iterable[User]) -> User | str:
    """The user of the org with this name, or the service account that is written `service:NAME`, or `service`.

    Raises InvalidRequest for a name that neither can have, and for a user that the org does not have: else a key of
    whoever is misspelt would go on when the user is removed.
    """
    wanted = text.strip().lower()
    name = wanted.removeprefix(_SERVICE_PREFIX)
    if not _SERVICE_NAME.fullmatch(name):
        raise InvalidRequest(_SERVICE_RULE)
    # Whoever names nobody means the service account, even where there is such a user.
    if wanted in (SERVICE_ACCOUNT, f"{_SERVICE_PREFIX}{name}"):
        return name
    user = next((user for user in users if user.name == wanted and user.org_id == org_id), None)
    if user is None:
        raise InvalidRequest(
            f"The org has no user {wanted} to own the key; a service account is written {_SERVICE_PREFIX}{wanted}"
        )
    return user


def owner_text(owner: User | str) -> str:
    """As a key has it."""
    return owner if isinstance(owner, str) else owner.id


def owner_name(key: Key) -> str:
    return key.owner.removeprefix(USER_PREFIX)


def owner_kind(key: Key) -> str:
    return "user" if is_of_user(key) else "service"


def check_owner(owner: User | str, org_id: int, kind: KeyKind, scopes: Iterable[Scope]) -> None:
    """Raises InvalidRequest for a key that its owner cannot have."""
    if isinstance(owner, str):
        if not _SERVICE_NAME.fullmatch(owner):
            raise InvalidRequest(_SERVICE_RULE)
        return
    if owner.org_id != org_id:
        raise InvalidRequest(f"{owner.name} is a user of another org")
    if kind is not KeyKind.APPLICATION:
        raise InvalidRequest(f"Only an application key can be a user's, and this is to be an {kind.value} key")
    beyond = sorted(set(scopes) - owner.as_key().scopes)
    if beyond:
        raise InvalidRequest(f"{owner.name} is {owner.role}, and may give no key the scope {beyond[0]}")


def check_expiry(expires_at: int | None, now: int) -> None:
    """Raises InvalidRequest for what is no moment to come."""
    if expires_at is not None and not now < expires_at <= MAX_UINT32:
        raise InvalidRequest("A key expires at a moment that is still to come, in Unix seconds")


def check_count(keys: Sequence[Key], user: User, now: int) -> None:
    """Raises InvalidRequest for a user who has too many keys for another one, or made too many of late."""
    if len(keys_of_user(keys, user)) >= MAX_KEYS:
        raise InvalidRequest(f"{user.name} has {MAX_KEYS} keys already; revoke one first")
    if sum(key.owner == user.id and key.created_at > now - DAY_SECONDS for key in keys) >= MAX_KEYS_A_DAY:
        raise InvalidRequest(f"{user.name} got {MAX_KEYS_A_DAY} keys within a day; wait until tomorrow")


def is_over(key: Key, now: int) -> bool:
    return key.expires_at is not None and key.expires_at <= now


def keys_in_force(keys: Iterable[Key], users: Callable[[], Iterable[User]]) -> list[Key]:
    """Those that were not revoked and whose owners are there, each with the scopes that its owner has now, and no less
    restricted. Whether it has expired depends on the moment: see `is_over`. `users` is asked only where a key is of
    one."""
    good = [key for key in keys if key.revoked_at is None]
    if not any(map(is_of_user, good)):
        return good
    by_id = {user.id: user for user in users()}
    found = (_as_of_owner(key, by_id.get(key.owner)) if is_of_user(key) else key for key in good)
    return [key for key in found if key is not None]


def _as_of_owner(key: Key, owner: User | None) -> Key | None:
    # A user with the name of one who was removed is somebody else.
    if owner is None or owner.org_id != key.org_id or owner.created_at > key.created_at:
        return None
    restriction = key.restriction.within(owner.restriction)
    is_restricted = restriction.kinds is not Restricted.NOTHING
    scopes = key.scopes & owner.role.scopes
    if is_restricted:
        scopes &= OF_RESTRICTED
    if (scopes, restriction) == (key.scopes, key.restriction):
        return key
    return dataclasses.replace(key, scopes=scopes, restriction=restriction)


def keys_of_user(keys: Iterable[Key], user: User) -> Sequence[Key]:
    """Those that were not revoked."""
    return [key for key in keys if key.owner == user.id and key.org_id == user.org_id and key.revoked_at is None]
