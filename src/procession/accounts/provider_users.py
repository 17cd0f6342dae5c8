"""Users whom a provider names: made when they first sign in, and changed as the provider says each time after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import reduce

from procession.accounts.restriction import UNRESTRICTED, Restriction
from procession.accounts.users import (
    MAX_USERS,
    Identity,
    LastAdmin,
    RecordUser,
    Role,
    User,
    UserRecords,
    new_generation,
    put_changed,
    role_under,
    user_name,
)
from procession.errors import Forbidden

_TRIES = 100


def user_with(store: UserRecords, identity: Identity) -> User | None:
    return next((user for user in store.users() if user.identity == identity), None)


def admit(
    store: UserRecords,
    identity: Identity,
    name: str,
    provider: str,
    org_id: int,
    role_of: Callable[[Role | None], Role],
    now: int,
    *,
    may_return: bool,
    record: RecordUser,
) -> User:
    """The user with this identity, with this org and role; the earlier sessions have ended if either is another one.

    `role_of` takes the role that the user has at this moment, as an admin may just have given another one; None for a
    new user, and for one who comes from another org, whose admins gave a role in theirs alone. Nobody is found by a
    name: `name` is only what a new user is called, with `provider` added where somebody else has it. A user who is
    restricted is a viewer, whatever `role_of` gives, and the last admin of an org stays one.
    `may_return`: also one who was removed. Raises Forbidden.
    """
    users = store.users()
    user = next((one for one in users if one.identity == identity), None)
    if user is not None:
        role = role_under(user.restriction, role_of(user.role if user.org_id == org_id else None))
        if (user.org_id, user.role) == (org_id, role):
            return user
        changed = replace(user, org_id=org_id, role=role, generation=new_generation())
        try:
            put_changed(store, user, changed, record)
        except LastAdmin:
            return user
        return changed
    unreadable = store.unreadable_users()
    if any(one.identity == identity for one in unreadable):
        raise Forbidden(
            "A newer version wrote what you may do here, and this server cannot read it: it has to be updated"
        )
    removed = store.removed_users()
    former = [one for one in removed if one.identity == identity]
    if former and not may_return:
        raise Forbidden("You were removed from the users here, and an admin has to let you in again")
    if len(users) >= MAX_USERS:
        raise Forbidden(f"There are {MAX_USERS} users already, and none can be made for you")
    others = {one.name for one in (*users, *removed) if one.identity != identity} | {one.name for one in unreadable}
    restriction = _restriction_of_return(former)
    user = User(
        _free_name(name, provider, others),
        org_id,
        role_under(restriction, role_of(None)),
        "",
        now,
        new_generation(),
        identity=identity,
        restriction=restriction,
    )
    record(None, user)
    store.put_user(user)
    return user


def _restriction_of_return(former: Collection[User]) -> Restriction:
    """To be removed and come back must not lift it, be it several times and under several names: that of the last
    removal holds. Not the strictest of them all, since an admin may have lifted one in between; but of two in the same
    second nobody can say which was the last, and then both hold.
    """
    last = max((user.removed_at or 0 for user in former), default=0)
    restrictions = [user.restriction for user in former if (user.removed_at or 0) == last]
    return reduce(lambda one, other: one.within(other), restrictions, UNRESTRICTED)


def _free_name(wanted: str, provider: str, taken: Collection[str]) -> str:
    name = next((one for one in _names(wanted, provider) if one not in taken), None)
    if name is None:
        raise Forbidden(f"Too many users are called {wanted} already")
    return user_name(name)


def _names(wanted: str, provider: str) -> Iterator[str]:
    yield wanted
    tail = f"+{provider}"[:50]
    head = wanted[:45]
    yield head + tail
    yield from (f"{head}{tail}{number}" for number in range(2, _TRIES))
