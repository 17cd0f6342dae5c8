"""What every store promises, asked of each of them: users who sign in."""

from __future__ import annotations

import dataclasses

import pytest

from procession.accounts.orgs import RemovedOrg
from procession.accounts.restriction import Restriction
from procession.accounts.users import Identity, Role, User
from procession.storage import KeyStore, UserStore
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore


@pytest.fixture(params=["oracle", "clickhouse"])
def stores(request: pytest.FixtureRequest) -> tuple[UserStore, KeyStore]:
    if request.param == "oracle":
        oracle = OracleStore()
        return oracle, oracle
    store: ClickHouseStore = request.getfixturevalue("clickhouse")
    return store.users, store.keys


@pytest.fixture
def users(stores: tuple[UserStore, KeyStore]) -> UserStore:
    return stores[0]


def a_user(org_id: int, name: str) -> User:
    odd = 'it\'s a "hash" \\ {x}'
    return User(f"{name}.{org_id}", org_id, Role.EDITOR, odd, NOON, "generation")


def of(store: UserStore, org_id: int) -> list[User]:
    return [user for user in store.users() if user.org_id == org_id]


def test_users_are_kept_whole_and_by_name(users: UserStore, org: int) -> None:
    anna, bob = a_user(org, "anna"), a_user(org, "bob")
    users.put_user(bob)
    users.put_user(anna)

    assert of(users, org) == [anna, bob]


def test_the_newest_of_a_name_counts(users: UserStore, org: int) -> None:
    first = a_user(org, "anna")
    users.put_user(first)
    changed = User(first.name, org, Role.ADMIN, "another hash", NOON, "another generation")
    users.put_user(changed)

    assert of(users, org) == [changed]


def test_who_was_removed_is_gone_and_may_come_back(users: UserStore, org: int) -> None:
    anna, bob = a_user(org, "anna"), a_user(org, "bob")
    users.put_user(anna)
    users.put_user(bob)
    users.put_user(dataclasses.replace(anna, removed_at=NOON))
    assert of(users, org) == [bob]

    users.put_user(anna)

    assert of(users, org) == [anna, bob]


def test_who_a_provider_names_is_kept_with_his_identity_and_stays_known_when_removed(
    users: UserStore, org: int
) -> None:
    identity = Identity("https://login.acme.example/realm", f"it's {org} \\ {{x}} and more")
    anna = dataclasses.replace(a_user(org, "anna"), password_hash="", identity=identity)
    bob = a_user(org, "bob")
    users.put_user(anna)
    users.put_user(bob)
    assert of(users, org) == [anna, bob]
    assert [user for user in users.removed_users() if user.org_id == org] == []

    for user in (anna, bob):
        users.put_user(dataclasses.replace(user, password_hash="", removed_at=NOON))

    assert of(users, org) == []
    (removed,) = [user for user in users.removed_users() if user.org_id == org]
    assert removed == dataclasses.replace(anna, removed_at=NOON)


def test_admins_are_those_of_an_org_as_they_are_now(users: UserStore, org: int) -> None:
    anna, bob, carl, dora = (
        dataclasses.replace(a_user(org, name), role=Role.ADMIN) for name in ("anna", "bob", "carl", "dora")
    )
    users.put_user(dataclasses.replace(dora, restriction=Restriction("env:a")))
    for user in (carl, bob, anna):
        users.put_user(user)
    users.put_user(dataclasses.replace(a_user(org + 10_000, "anna"), role=Role.ADMIN))
    assert users.admins(org) == (anna, bob, carl)

    users.put_user(dataclasses.replace(anna, removed_at=NOON))
    users.put_user(dataclasses.replace(bob, role=Role.EDITOR))
    users.put_user(dataclasses.replace(carl, org_id=org + 10_000))
    assert users.admins(org) == ()


def test_users_go_with_their_org(stores: tuple[UserStore, KeyStore], org: int) -> None:
    users, keys = stores
    users.put_user(a_user(org, "anna"))

    keys.put_removed_org(RemovedOrg(org, "gone", NOON))

    assert of(users, org) == []


@pytest.mark.parametrize(
    "restriction", [Restriction('a:"b" \\ {c}'), Restriction("", True), Restriction("x:y,!z", True)]
)
def test_a_viewer_stays_restricted(users: UserStore, org: int, restriction: Restriction) -> None:
    anna = dataclasses.replace(a_user(org, "anna"), role=Role.VIEWER, restriction=restriction)
    users.put_user(anna)

    assert of(users, org) == [anna]
