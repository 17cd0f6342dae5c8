"""Rows that a newer version wrote: they open nothing here, and stay as they are."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any

import pytest

from procession.accounts.orgs import Key, KeyKind, Org
from procession.accounts.provider_users import admit
from procession.accounts.users import Identity, Role, UnreadableUser, User, change_user, create_user, find_user
from procession.errors import Forbidden, InvalidRequest, NotFound
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON

ISSUER = "https://login.acme.example"


class NewerKind(Enum):
    FEDERATION = "federation"


def ignore(before: User | None, after: User) -> None:
    pass


@pytest.mark.parametrize(
    "role", ["owner", "viewer\nrestricted:hosts=web-*", "viewer\nrestricted:rows=a:b\nrestricted:x"]
)
@pytest.mark.parametrize("removed_at", [None, NOON])
def test_nobody_gets_the_name_or_the_identity_of_a_user_whom_this_version_cannot_read(
    clickhouse: ClickHouseStore, org: int, role: Any, removed_at: int | None
) -> None:
    users, orgs = clickhouse.users, (Org(org, "main"),)
    local = User(f"bob.{org}", org, role, "a hash", NOON, "generation", removed_at)
    identity = Identity(ISSUER, f"anna {org}")
    named = dataclasses.replace(local, name=f"anna.{org}", password_hash="", identity=identity)
    for user in (local, named):
        users.put_user(user)
    kept = rows_of(clickhouse, org)

    unreadable = [one for one in users.unreadable_users() if one.name.endswith(f".{org}")]
    assert unreadable == [UnreadableUser(named.name, identity), UnreadableUser(local.name, None)]
    for user in (local, named):
        with pytest.raises(InvalidRequest, match=f"{user.name} is, or was, a user whom only a newer version can read"):
            create_user(users, orgs, org, user.name, Role.VIEWER, "", NOON, record=ignore)
        with pytest.raises(NotFound, match=f"no user {user.name} whom this version can read"):
            change_user(users, user.name, role=Role.EDITOR, record=ignore)
    with pytest.raises(Forbidden, match="A newer version wrote what you may do here"):
        sign_in(clickhouse, identity, named.name, org)
    assert sign_in(clickhouse, Identity(ISSUER, f"bob {org}"), local.name, org).name == f"{local.name}+acme"

    assert [row for row in rows_of(clickhouse, org) if "acme" not in row[0]] == kept


def test_who_is_not_there_is_said_not_to_be(clickhouse: ClickHouseStore) -> None:
    with pytest.raises(NotFound, match=r"There is no user carl$"):
        find_user(clickhouse.users, "carl")


def test_a_key_of_a_newer_kind_opens_nothing_and_hinders_no_other(clickhouse: ClickHouseStore, org: int) -> None:
    known = Key(f"known-{org}", org, KeyKind.API, "known", bytes(32), NOON)
    newer: Any = NewerKind.FEDERATION
    store = clickhouse.keys
    store.put_key(known)
    store.put_key(dataclasses.replace(known, id=f"newer-{org}", kind=newer))

    found = store.keys()
    assert [key for key in found if key.org_id == org] == [known]


def sign_in(store: ClickHouseStore, identity: Identity, name: str, org: int) -> User:
    return admit(store.users, identity, name, "acme", org, lambda _: Role.EDITOR, NOON, may_return=True, record=ignore)


def rows_of(store: ClickHouseStore, org: int) -> list[Any]:
    text = "SELECT * FROM users FINAL WHERE org = {org:UInt32} ORDER BY name"
    return list(store.users._tables.rows(text, {"org": org}))
