"""Whose a key is, and what follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest

from procession.accounts.administration import create_key, revoke_key, revoke_keys_of
from procession.accounts.key_owners import (
    is_over,
    keys_in_force,
    owner_kind,
    owner_name,
    owner_named,
)
from procession.accounts.orgs import Key, KeyKind, Org
from procession.accounts.scopes import Scope
from procession.accounts.users import Role, User, may_change_views
from procession.errors import InvalidRequest
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

ORG = 1
ANNA = User("anna", ORG, Role.EDITOR, "hash", NOON - 60, "first")


@pytest.fixture
def store() -> OracleStore:
    store = OracleStore()
    store.put_org(Org(ORG, "main"))
    return store


def a_key(owner: User | str = "service", **fields: object) -> Key:
    text = owner if isinstance(owner, str) else owner.id
    key = Key("7", ORG, KeyKind.APPLICATION, "bot", b"", NOON, owner=text)
    return dataclasses.replace(key, **fields)  # type: ignore[arg-type]  # of any field


def in_force(key: Key, *users: User) -> list[Key]:
    return keys_in_force([key], lambda: users)


def nobody() -> Iterable[User]:
    raise AssertionError("asked for users, which takes the store a while")


def test_a_name_is_that_of_a_user_of_the_org_or_of_a_service_account() -> None:
    theirs = dataclasses.replace(ANNA, name="bob", org_id=2)

    assert owner_named(" Anna ", ORG, [ANNA, theirs]) == ANNA
    assert owner_named("service:deploy.bot", ORG, []) == "deploy.bot"
    assert owner_named(" Service:Anna", ORG, [ANNA, theirs]) == "anna"
    assert owner_named("service", ORG, [dataclasses.replace(ANNA, name="service")]) == "service"


@pytest.mark.parametrize("name", ["bob", "ana", "deploy.bot"])
def test_a_name_that_no_user_of_the_org_has_makes_no_service_account(name: str) -> None:
    theirs = dataclasses.replace(ANNA, name="bob", org_id=2)

    with pytest.raises(InvalidRequest, match=f"no user {name} .* a service account is written service:{name}"):
        owner_named(name, ORG, [ANNA, theirs])


@pytest.mark.parametrize(
    "name", ["", "user:anna", "service:", "service:a b", "service:service:a", "a b", "\x1b[31m", "a" * 101, ".a", "ä"]
)
def test_no_other_name_will_do(name: str) -> None:
    with pytest.raises(InvalidRequest, match="name of a service account"):
        owner_named(name, ORG, [])


def test_a_key_without_an_owner_is_of_the_service_account(store: OracleStore) -> None:
    key, _ = create_key(store, ORG, KeyKind.API, "web", NOON)

    assert (owner_kind(key), owner_name(key), key.expires_at) == ("service", "service", None)


def test_a_user_gives_no_key_more_than_the_role_has(store: OracleStore) -> None:
    key, _ = create_key(store, ORG, KeyKind.APPLICATION, "mine", NOON, scopes=[Scope.MONITORS_WRITE], owner=ANNA)
    assert (owner_kind(key), owner_name(key)) == ("user", "anna")

    with pytest.raises(InvalidRequest, match="anna is editor, and may give no key the scope manage_integrations"):
        create_key(store, ORG, KeyKind.APPLICATION, "mine", NOON, scopes=[Scope.MANAGE_INTEGRATIONS], owner=ANNA)
    with pytest.raises(InvalidRequest, match="Only an application key"):
        create_key(store, ORG, KeyKind.ADMIN, "mine", NOON, owner=ANNA)
    with pytest.raises(InvalidRequest, match="another org"):
        create_key(store, ORG, KeyKind.APPLICATION, "mine", NOON, owner=dataclasses.replace(ANNA, org_id=2))
    assert store.keys() == (key,)


@pytest.mark.parametrize("expires_at", [NOON, NOON - 1, 0, -1, 2**32])
def test_a_key_expires_at_a_moment_to_come(store: OracleStore, expires_at: int) -> None:
    with pytest.raises(InvalidRequest, match="still to come"):
        create_key(store, ORG, KeyKind.API, "web", NOON, expires_at=expires_at)


def test_a_key_is_over_from_that_moment_on() -> None:
    key = a_key(expires_at=NOON)

    assert [is_over(key, at) for at in (NOON - 1, NOON, NOON + 1)] == [False, True, True]
    assert not is_over(a_key(), 2**40)


def test_the_last_admin_key_that_does_not_expire_stays(store: OracleStore) -> None:
    lasting, _ = create_key(store, ORG, KeyKind.ADMIN, "lasting", NOON)
    passing, _ = create_key(store, ORG, KeyKind.ADMIN, "passing", NOON, expires_at=NOON + 60)

    with pytest.raises(InvalidRequest, match="last admin key"):
        revoke_key(store, lasting.id, NOON)
    assert revoke_key(store, passing.id, NOON).revoked_at == NOON


def test_users_are_asked_for_only_where_a_key_is_of_one() -> None:
    revoked = a_key(ANNA, revoked_at=NOON)

    assert keys_in_force([a_key(), revoked], nobody) == [a_key()]


def test_a_key_of_a_user_is_good_as_long_as_its_owner_is_there() -> None:
    key = a_key(ANNA)

    assert in_force(key, ANNA) == [key]
    assert in_force(key) == []
    assert in_force(key, dataclasses.replace(ANNA, org_id=2)) == []


def test_who_comes_later_with_the_name_of_somebody_who_is_gone_has_none_of_the_keys() -> None:
    assert in_force(a_key(ANNA), dataclasses.replace(ANNA, created_at=NOON + 1)) == []


def test_a_key_loses_what_its_owner_loses() -> None:
    key = a_key(ANNA, scopes=frozenset({Scope.MONITORS_READ, Scope.MONITORS_WRITE}))

    (left,) = in_force(key, dataclasses.replace(ANNA, role=Role.VIEWER))

    assert left.scopes == {Scope.MONITORS_READ}


def test_keys_of_who_may_change_no_views_change_none() -> None:
    assert may_change_views(a_key())
    assert may_change_views(a_key(ANNA, scopes=frozenset({Scope.MONITORS_WRITE})))
    assert not may_change_views(a_key(ANNA))


def test_all_keys_of_who_is_gone_are_revoked_and_no_others(store: OracleStore) -> None:
    mine, _ = create_key(store, ORG, KeyKind.APPLICATION, "mine", NOON, owner=ANNA)
    other, _ = create_key(store, ORG, KeyKind.APPLICATION, "of a bot by that name", NOON, owner="anna")
    told: list[tuple[Key | None, Key]] = []

    for _ in range(2):
        revoke_keys_of(store, ANNA, NOON + 5, record=lambda before, after: told.append((before, after)))

    found = store.keys()
    assert {key.id: key.revoked_at for key in found} == {mine.id: NOON + 5, other.id: None}
    assert told == [(mine, dataclasses.replace(mine, revoked_at=NOON + 5))]
