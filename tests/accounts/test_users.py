from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
from procession.errors import InvalidRequest, NotFound, Unavailable
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

ANOTHER = "another hash"
ORGS = (Org(1, "main"), Org(2, "other"))
ROWS = Restriction("env:a")


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


CHANGES_OF_ADMINS: dict[str, Callable[[OracleStore, str, Recorded], Any]] = {
    "role": lambda store, name, record: change_user(store, name, role=Role.EDITOR, record=record),
    "restriction": lambda store, name, record: change_user(
        store, name, role=Role.VIEWER, restriction=ROWS, record=record
    ),
    "removal": lambda store, name, record: remove_user(store, name, NOON, record=record),
}


class Busy(OracleStore):
    """A store that another server changes right before or after one's own write."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Callable[[], Any]] = []
        self.after: list[Callable[[], Any]] = []

    def put_user(self, user: User) -> None:
        if self.before:
            self.before.pop()()
        super().put_user(user)
        if self.after:
            self.after.pop()()


def admins(store: OracleStore) -> list[str]:
    return [user.name for user in store.users() if user.is_admin_of(1)]


@pytest.mark.parametrize("change", CHANGES_OF_ADMINS)
@pytest.mark.parametrize("other", CHANGES_OF_ADMINS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_of_two_servers_that_each_take_an_admin_one_takes_it_back(
    record: Recorded, change: str, other: str, moment: str
) -> None:
    """Both had looked when both admins were there."""
    store = Busy()
    anna, bob = made(store, "anna", Role.ADMIN), made(store, "bob", Role.ADMIN)
    of_other = Recorded()
    refused: list[str] = []

    def meanwhile() -> None:
        try:
            CHANGES_OF_ADMINS[other](store, "bob", of_other)
        except InvalidRequest as error:
            refused.append(str(error))

    getattr(store, moment).append(meanwhile)
    try:
        CHANGES_OF_ADMINS[change](store, "anna", record)
    except InvalidRequest as error:
        refused.append(str(error))

    if moment == "before":
        assert (refused, store.users()[0]) == (["anna is the last admin of the org; make another one first"], anna)
        assert [after for _, after in record][1:] == [anna], "what was taken back is recorded, too"
    else:
        assert refused == ["bob is the last admin of the org; make another one first"]
        assert bob in store.users()
    assert len(admins(store)) == 1


def test_an_admin_stays_if_nobody_can_say_who_is_left(record: Recorded) -> None:
    store = Busy()
    anna = made(store, "anna", Role.ADMIN)
    made(store, "bob", Role.ADMIN)

    def away(org_id: int) -> tuple[User, ...]:
        raise Unavailable("a replica is away")

    store.after.append(lambda: setattr(store, "admins", away))
    with pytest.raises(Unavailable):
        remove_user(store, "anna", NOON, record=record)
    assert anna in store.users()

    with pytest.raises(Unavailable):
        remove_user(store, "bob", NOON, record=record)
    assert len(record) == 2, "nothing is begun then"


def test_what_was_taken_back_stays_so_if_another_server_writes_the_same_user_meanwhile(record: Recorded) -> None:
    store = Busy()
    made(store, "anna", Role.ADMIN)
    made(store, "bob", Role.ADMIN)
    viewer = replace(store.users()[0], role=Role.VIEWER)
    store.before.append(lambda: OracleStore.put_user(store, replace(store.users()[1], role=Role.VIEWER)))
    store.after[:] = [lambda: OracleStore.put_user(store, viewer), lambda: None]

    with pytest.raises(InvalidRequest, match="anna is the last admin"):
        remove_user(store, "anna", NOON, record=record)

    assert admins(store) == ["anna"]


def test_threads_that_remove_all_admins_at_once_leave_one(store: OracleStore) -> None:
    names = ["anna", "bob", "carl"]
    begin = threading.Barrier(len(names))

    def take(change: Callable[[OracleStore, str, Recorded], Any], name: str) -> None:
        begin.wait()
        with contextlib.suppress(InvalidRequest):
            change(store, name, Recorded())

    changes = list(CHANGES_OF_ADMINS.values())
    with ThreadPoolExecutor(len(names)) as threads:
        for number in range(200):
            for name in names:
                store.put_user(User(name, 1, Role.ADMIN, "hash", NOON, f"{number}"))
            list(threads.map(take, changes, names))
            assert admins(store)


def test_a_restricted_admin_of_an_older_version_is_none_who_could_be_the_last(
    store: OracleStore, record: Recorded
) -> None:
    made(store, "anna", Role.ADMIN)
    store.put_user(replace(made(store, "bob"), role=Role.ADMIN, restriction=ROWS))

    with pytest.raises(InvalidRequest, match="anna is the last admin"):
        remove(store, "anna")
    assert remove(store, "bob").name == "bob"


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
