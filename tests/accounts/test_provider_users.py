"""Users whom a provider names: who they are, what they are called, and what happens to those who were removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from procession.accounts.orgs import Org
from procession.accounts.provider_users import admit, user_with
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.accounts.users import (
    Identity,
    Role,
    User,
    change_user,
    create_user,
    remove_user,
)
from procession.errors import Forbidden, InvalidRequest
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

HASH = "a hash"
ORGS = (Org(1, "main"), Org(2, "other"))
ANNA = Identity("https://login.acme.example", "anna-1")


@pytest.fixture
def store() -> OracleStore:
    return OracleStore()


def ignore(before: User | None, after: User) -> None:
    pass


def admitted(store: OracleStore, identity: Identity = ANNA, name: str = "anna", **also: Any) -> User:
    role = also.pop("role", Role.VIEWER)
    given: dict[str, Any] = {"org_id": 1, "role_of": lambda _: role, "now": NOON, "may_return": False, "record": ignore}
    return admit(store, identity, name, "acme", **(given | also))


def local(store: OracleStore, name: str, role: Role = Role.VIEWER) -> User:
    return create_user(store, ORGS, 1, name, role, HASH, NOON, record=ignore)


def test_a_user_is_made_at_the_first_sign_in_and_found_at_the_next(store: OracleStore) -> None:
    user = admitted(store)

    assert (user.name, user.identity, user.password_hash, user.org_id) == ("anna", ANNA, "", 1)
    assert admitted(store) == user
    assert store.users() == (user,)


def test_who_has_another_name_by_now_is_the_same(store: OracleStore) -> None:
    user = admitted(store)

    assert admitted(store, name="anna.married") == user


def test_a_local_user_of_the_same_name_is_somebody_else(store: OracleStore) -> None:
    boss = local(store, "anna", Role.ADMIN)

    user = admitted(store)

    assert user.name == "anna+acme"
    assert user.role is Role.VIEWER
    assert store.users() == (boss, user)


@pytest.mark.parametrize(
    "other", [Identity("https://evil.test", "anna-1"), Identity(ANNA.issuer, "anna-2"), Identity(ANNA.issuer, "ANNA-1")]
)
def test_another_issuer_or_subject_is_somebody_else(store: OracleStore, other: Identity) -> None:
    anna = admitted(store, role=Role.ADMIN)

    names = [admitted(store, other).name, admitted(store, Identity("https://third.test", "1")).name]

    assert names == ["anna+acme", "anna+acme2"]
    assert user_with(store, ANNA) == anna


def test_another_role_or_org_ends_the_sessions_of_before(store: OracleStore) -> None:
    user = admitted(store)

    promoted = admitted(store, role=Role.EDITOR)
    moved = admitted(store, role=Role.EDITOR, org_id=2)

    assert (promoted.name, promoted.role, moved.org_id) == ("anna", Role.EDITOR, 2)
    assert len({user.generation, promoted.generation, moved.generation}) == 3


def test_the_role_is_decided_by_the_one_that_the_user_has_when_it_is_written(store: OracleStore) -> None:
    admitted(store, role=Role.EDITOR)
    change_user(store, "anna", role=Role.VIEWER, record=ignore)
    seen: list[Role | None] = []

    def role_of(present: Role | None) -> Role:
        seen.append(present)
        return present or Role.EDITOR

    assert admitted(store, role_of=role_of).role is Role.VIEWER
    assert admitted(store, role_of=role_of, identity=Identity(ANNA.issuer, "anna-2")).role is Role.EDITOR
    assert admitted(store, role_of=role_of, org_id=2).role is Role.EDITOR
    assert seen == [Role.VIEWER, None, None], "a role in another org is none"


def test_who_was_removed_does_not_come_back_unless_that_is_allowed(store: OracleStore) -> None:
    admitted(store)
    remove_user(store, "anna", NOON, record=ignore)

    with pytest.raises(Forbidden, match="You were removed"):
        admitted(store, name="anna.again")
    assert store.users() == ()
    again = admitted(store, may_return=True)

    assert again.name == "anna"
    assert admitted(store) == again


def test_the_name_of_who_was_removed_is_not_given_to_others(store: OracleStore) -> None:
    """Else the row that keeps him out would be overwritten."""
    admitted(store)
    remove_user(store, "anna", NOON, record=ignore)

    with pytest.raises(InvalidRequest, match="take another name"):
        local(store, "anna")
    assert admitted(store, Identity(ANNA.issuer, "anna-2")).name == "anna+acme"
    with pytest.raises(Forbidden):
        admitted(store)


def test_who_signs_in_by_a_provider_gets_no_password(store: OracleStore) -> None:
    admitted(store)

    with pytest.raises(InvalidRequest, match=r"anna signs in by https://login\.acme\.example"):
        change_user(store, "anna", password_hash=HASH, record=ignore)


def test_an_admin_may_give_another_role_as_to_others(store: OracleStore) -> None:
    admitted(store)

    assert change_user(store, "anna", role=Role.EDITOR, record=ignore).identity == ANNA


@pytest.mark.parametrize("given", [{"role": Role.EDITOR}, {"org_id": 2, "role": Role.ADMIN}, {"org_id": 2}])
def test_a_provider_takes_the_last_admin_from_no_org(store: OracleStore, given: dict[str, Any]) -> None:
    admin = admitted(store, role=Role.ADMIN)
    seen: list[User] = []

    assert admitted(store, **given, record=lambda _, after: seen.append(after)) == admin
    assert (store.users(), seen) == ((admin,), [])

    local(store, "bob", Role.ADMIN)
    moved = admitted(store, **given)
    assert (moved.org_id, moved.role) == (given.get("org_id", 1), given.get("role", Role.VIEWER))


def test_what_is_done_is_recorded_before(store: OracleStore) -> None:
    seen: list[tuple[User | None, User, tuple[User, ...]]] = []

    def record(before: User | None, after: User) -> None:
        seen.append((before, after, store.users()))

    made = admitted(store, record=record)
    changed = admitted(store, role=Role.ADMIN, record=record)

    assert seen == [(None, made, ()), (made, changed, (made,))]


def test_nobody_is_made_beyond_the_most_that_a_store_has(store: OracleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("procession.accounts.provider_users.MAX_USERS", 1)
    admitted(store)

    with pytest.raises(Forbidden, match="1 users already"):
        admitted(store, Identity(ANNA.issuer, "2"))
    assert admitted(store).name == "anna"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VIEWER])
def test_who_is_restricted_stays_a_viewer_whatever_the_provider_says_and_after_a_return(
    store: OracleStore, role: Role
) -> None:
    rows = Restriction("env:a")
    restricted = change_user(store, admitted(store).name, restriction=rows, record=ignore)

    signed_in = admitted(store, role=role)
    remove_user(store, signed_in.name, NOON, record=ignore)
    returned = admitted(store, may_return=True, role=role)
    change_user(store, "anna", restriction=Restriction(), record=ignore)
    lifted = admitted(store, role=role)

    assert signed_in == restricted
    assert (signed_in.as_key().restriction, signed_in.as_key().scopes) == (rows, frozenset({Scope.MONITORS_READ}))
    assert (returned.restriction, returned.role) == (rows, Role.VIEWER)
    assert (lifted.restriction, lifted.role) == (Restriction(), role)


def removed_and_back(store: OracleStore, name: str, at: int) -> User:
    """Under another name than before, by which the provider calls the user now."""
    (user,) = [user for user in store.users() if user.identity == ANNA]
    remove_user(store, user.name, at, record=ignore)
    return admitted(store, name=name, may_return=True, now=at)


def test_a_restriction_stays_for_who_is_removed_twice_under_two_names(store: OracleStore) -> None:
    rows = Restriction("env:a")
    admitted(store)
    removed_and_back(store, "anna.married", NOON + 1)
    change_user(store, "anna.married", restriction=rows, record=ignore)

    assert removed_and_back(store, "anna", NOON + 2).restriction == rows
    assert removed_and_back(store, "anna.again", NOON + 3).restriction == rows


def test_a_restriction_that_was_lifted_before_the_last_removal_stays_lifted(store: OracleStore) -> None:
    change_user(store, admitted(store).name, restriction=Restriction("env:a"), record=ignore)
    removed_and_back(store, "zoe", NOON + 1)
    change_user(store, "zoe", restriction=Restriction(), record=ignore)

    assert removed_and_back(store, "anna", NOON + 2).restriction == Restriction()


def test_of_two_removals_in_the_same_second_both_restrictions_stay(store: OracleStore) -> None:
    change_user(store, admitted(store).name, restriction=Restriction("env:a"), record=ignore)
    removed_and_back(store, "zoe", NOON)
    change_user(store, "zoe", restriction=Restriction("", True), record=ignore)

    assert removed_and_back(store, "anna", NOON).restriction == Restriction("env:a", True)


def test_who_signs_in_at_two_servers_at_once_is_one_user(store: OracleStore) -> None:
    """The other one may have written right after this one had looked who is there."""
    removed_users = store.removed_users

    def meanwhile() -> tuple[User, ...]:
        store.removed_users = removed_users  # type: ignore[method-assign]
        admitted(store)
        return removed_users()

    store.removed_users = meanwhile  # type: ignore[method-assign]
    user = admitted(store)

    assert store.users() == (user,)


def test_who_was_made_a_restricted_admin_by_an_older_version_is_a_viewer_from_the_next_sign_in(
    store: OracleStore,
) -> None:
    rows = Restriction("env:a")
    store.put_user(replace(admitted(store), role=Role.ADMIN, restriction=rows))

    user = admitted(store, role=Role.ADMIN)

    assert (user.role, user.restriction) == (Role.VIEWER, rows)
    assert store.users() == (user,)
