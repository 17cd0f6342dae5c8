from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from procession.accounts.orgs import Org
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.accounts.users import (
    Role,
    User,
    change_user,
    create_user,
    is_user,
    may_change_views,
    remove_user,
    user_name,
)
from procession.errors import InvalidRequest, NotFound
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

ANOTHER = "another hash"
ORGS = (Org(1, "main"), Org(2, "other"))


class Recorded(list[tuple[User | None, User]]):
    def __call__(self, before: User | None, after: User) -> None:
        self.append((before, after))


@pytest.fixture
def record() -> Recorded:
    return Recorded()


@pytest.fixture
def store() -> OracleStore:
    return OracleStore()


def made(store: OracleStore, name: str, role: Role = Role.VIEWER, org_id: int = 1) -> User:
    return create_user(store, ORGS, org_id, name, role, f"hash of {name}", NOON, record=Recorded())


def test_each_role_has_its_scopes_and_only_editors_and_admins_change_anything() -> None:
    writing = {Scope.MONITORS_WRITE, Scope.MONITORS_DOWNTIME, Scope.MANAGE_INTEGRATIONS, Scope.HOST_TAGS_WRITE}

    assert {role: role.scopes & writing for role in Role} == {
        Role.VIEWER: set(),
        Role.EDITOR: {Scope.MONITORS_WRITE, Scope.MONITORS_DOWNTIME},
        Role.ADMIN: writing,
        Role.AUDITOR: set(),
    }
    assert [role for role in Role if Scope.AUDIT_LOGS_READ in role.scopes] == [Role.AUDITOR]
    assert all(Scope.MONITORS_READ in role.scopes for role in Role)


@pytest.mark.parametrize(("role", "may"), [(Role.VIEWER, False), (Role.EDITOR, True), (Role.ADMIN, True)])
def test_a_user_stands_in_for_a_key_that_no_secret_opens(store: OracleStore, role: Role, may: bool) -> None:
    key = made(store, "anna", role).as_key()

    assert (key.id, key.org_id, key.name, key.secret_hash, key.scopes) == ("user:anna", 1, "anna", b"", role.scopes)
    assert is_user(key)
    assert may_change_views(key) is may


@pytest.mark.parametrize(
    ("text", "name"), [("anna", "anna"), (" Anna.B@Example.org ", "anna.b@example.org"), ("7", "7")]
)
def test_a_name_is_lower_case(text: str, name: str) -> None:
    assert user_name(text) == name


@pytest.mark.parametrize("text", ["", " ", "a b", "a/b", "a:b", "ánna", "а", ".a", "a\n", "a\0", "x" * 101, "ﬁ", "İ"])
def test_a_name_has_no_letters_that_look_like_others(text: str) -> None:
    with pytest.raises(InvalidRequest, match="The name of a user has"):
        user_name(text if text != "a\n" else "a\nb")


def test_no_two_users_of_a_store_have_one_name(store: OracleStore) -> None:
    made(store, "anna")

    with pytest.raises(InvalidRequest, match="There is a user named anna already"):
        made(store, "Anna", org_id=2)
    with pytest.raises(InvalidRequest, match="There is no org 3"):
        made(store, "bob", org_id=3)
    assert [user.name for user in store.users()] == ["anna"]


Change = Callable[[OracleStore, Recorded], User]
CHANGES: dict[str, Change] = {
    "role": lambda store, record: change_user(store, "Bob", role=Role.EDITOR, record=record),
    "password": lambda store, record: change_user(store, "bob", password_hash=ANOTHER, record=record),
    "removal": lambda store, record: remove_user(store, "bob", NOON + 1, record=record),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_ends_the_sessions_of_before_and_is_recorded(
    store: OracleStore, record: Recorded, change: str
) -> None:
    before = made(store, "bob")

    after = CHANGES[change](store, record)

    assert after.sign_in_id != before.sign_in_id
    assert record == [(before, after)]
    assert store.users() == (() if change == "removal" else (after,))


def test_the_same_role_again_changes_nothing(store: OracleStore, record: Recorded) -> None:
    user = made(store, "anna", Role.ADMIN)

    assert change_user(store, "anna", role=Role.ADMIN, record=record) == user
    assert record == []


def test_whoever_is_made_again_under_a_name_is_another(store: OracleStore, record: Recorded) -> None:
    first = made(store, "bob")
    removed = remove_user(store, "bob", NOON, record=record)
    second = made(store, "bob")

    assert removed.password_hash == ""
    assert len({first.sign_in_id, removed.sign_in_id, second.sign_in_id}) == 3


def test_the_last_admin_of_an_org_stays_one(store: OracleStore, record: Recorded) -> None:
    made(store, "anna", Role.ADMIN)
    made(store, "theirs", Role.ADMIN, org_id=2)

    with pytest.raises(InvalidRequest, match="anna is the last admin of the org"):
        change_user(store, "anna", role=Role.VIEWER, record=record)
    with pytest.raises(InvalidRequest, match="anna is the last admin of the org"):
        remove(store, "anna")
    assert record == []
    made(store, "bob", Role.ADMIN)
    assert change_user(store, "anna", role=Role.VIEWER, record=record).role is Role.VIEWER
    with pytest.raises(InvalidRequest):
        remove(store, "bob")


def remove(store: OracleStore, name: str) -> User:
    return remove_user(store, name, NOON, record=Recorded())


@pytest.mark.parametrize("change", CHANGES)
def test_who_is_not_there_is_not_changed(store: OracleStore, record: Recorded, change: str) -> None:
    with pytest.raises(NotFound, match=r"There is no user [Bb]ob"):
        CHANGES[change](store, record)


def test_what_cannot_be_recorded_is_not_done(store: OracleStore) -> None:
    def refuse(*_: Any) -> None:
        raise InvalidRequest("no")

    made(store, "bob")
    for change in CHANGES.values():
        with pytest.raises(InvalidRequest):
            change(store, refuse)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        create_user(store, ORGS, 1, "carl", Role.VIEWER, "", NOON, record=refuse)

    assert [(user.name, user.role, user.password_hash) for user in store.users()] == [
        ("bob", Role.VIEWER, "hash of bob")
    ]


def test_a_user_never_shows_the_hash(store: OracleStore) -> None:
    assert "hash of" not in repr(made(store, "anna"))


ROWS = Restriction("env:a")


def test_a_viewer_can_be_restricted_and_then_reads_monitors_at_most_and_signs_in_again(store: OracleStore) -> None:
    before, record = made(store, "anna"), Recorded()
    after = change_user(store, "anna", restriction=ROWS, record=record)

    assert (after.restriction, after.as_key().restriction) == (ROWS, ROWS)
    assert after.as_key().scopes == {Scope.MONITORS_READ}
    assert after.sign_in_id != before.sign_in_id
    assert record == [(before, after)]
    assert not may_change_views(after.as_key())
    lifted = change_user(store, "anna", restriction=Restriction(), record=record)
    assert lifted.as_key().scopes == Role.VIEWER.scopes
    assert change_user(store, "anna", restriction=Restriction(), record=record) == lifted
    assert len(record) == 2


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VIEWER])
def test_nobody_else_can(store: OracleStore, role: Role) -> None:
    made(store, "first", Role.ADMIN)
    made(store, "bob", role)
    change_user(store, made(store, "anna").name, restriction=ROWS, record=Recorded())

    changes: tuple[Callable[[], User], ...] = (
        lambda: create_user(store, ORGS, 1, "carl", role, "", NOON, restriction=ROWS, record=Recorded()),
        lambda: change_user(store, "bob", restriction=ROWS, record=Recorded()),
        lambda: change_user(store, "anna", role=role, record=Recorded()),
    )
    for change in changes:
        with pytest.raises(InvalidRequest, match="Only a viewer can be restricted"):
            change()


def test_what_is_changed_together_is_changed_in_one_write_or_not_at_all(store: OracleStore, record: Recorded) -> None:
    made(store, "first", Role.ADMIN)
    before = made(store, "anna")

    for role in (Role.EDITOR, Role.ADMIN):
        with pytest.raises(InvalidRequest, match="Only a viewer can be restricted"):
            change_user(store, "anna", role=role, restriction=ROWS, password_hash=ANOTHER, record=record)
    assert (store.users()[0], record) == (before, [])

    after = change_user(store, "anna", restriction=ROWS, password_hash=ANOTHER, record=record)
    promoted = change_user(store, "anna", role=Role.ADMIN, restriction=Restriction(), record=record)
    demoted = change_user(store, "anna", role=Role.VIEWER, restriction=ROWS, record=record)

    assert (after.restriction, after.password_hash) == (ROWS, ANOTHER)
    assert (promoted.role, promoted.restriction) == (Role.ADMIN, Restriction())
    assert (demoted.role, demoted.restriction) == (Role.VIEWER, ROWS)
    assert record == [(before, after), (after, promoted), (promoted, demoted)]
