from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from procession.accounts.administration import create_key, create_org, remove_org, revoke_key
from procession.accounts.orgs import Key, KeyKind, Org, hash_secret
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.errors import InvalidRequest, NotFound, Unavailable
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore


@pytest.fixture
def store() -> OracleStore:
    store = OracleStore()
    store.put_org(Org(1, "main"))
    return store


def test_orgs_are_numbered_from_one() -> None:
    store = OracleStore()

    assert [create_org(store, name) for name in ("main", " second ")] == [Org(1, "main"), Org(2, "second")]
    assert store.orgs() == (Org(1, "main"), Org(2, "second"))


def test_servers_that_share_a_store_do_not_take_the_same_numbers_for_orgs_of_the_same_moment() -> None:
    taken = []
    for _ in range(2):
        store = OracleStore()
        store.is_only_writer = False
        assert create_org(store, "main").id == 1  # whoever is the first to start
        taken.append([create_org(store, name).id for name in ("a", "b", "c")])

    assert taken[0] != taken[1]
    assert all(sorted({1, *numbers}) == [1, *numbers] for numbers in taken)


def test_two_orgs_cannot_have_one_name(store: OracleStore) -> None:
    with pytest.raises(InvalidRequest, match="There is an org named main already"):
        create_org(store, "main ")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "x" * 101, "\u200b"])
def test_a_name_has_to_be_readable(store: OracleStore, name: str) -> None:
    with pytest.raises(InvalidRequest, match="printable"):
        create_org(store, name)
    with pytest.raises(InvalidRequest, match="printable"):
        create_key(store, 1, KeyKind.API, name, NOON)


@pytest.mark.parametrize(("kind", "length"), [(KeyKind.API, 32), (KeyKind.APPLICATION, 40), (KeyKind.ADMIN, 40)])
def test_the_store_never_gets_to_see_a_secret(store: OracleStore, kind: KeyKind, length: int) -> None:
    key, secret = create_key(store, 1, kind, "web hosts", NOON)

    assert len(secret) == length
    assert key == Key(key.id, 1, kind, "web hosts", hash_secret(secret), NOON)
    assert store.keys() == (key,)
    assert secret not in repr(store.keys())


def test_a_given_secret_is_adopted(store: OracleStore) -> None:
    given = "0123456789abcdef"

    key, secret = create_key(store, 1, KeyKind.API, "adopted", NOON, given)

    assert secret == given
    assert key.secret_hash == hash_secret(given)


@pytest.mark.parametrize("secret", ["", " ", "a b", "a\n", "schlüssel"])
def test_a_secret_that_no_header_can_carry_is_refused(store: OracleStore, secret: str) -> None:
    with pytest.raises(InvalidRequest, match="printable ASCII"):
        create_key(store, 1, KeyKind.API, "adopted", NOON, secret)


def test_a_secret_is_good_for_one_key_of_a_kind_even_if_revoked(store: OracleStore) -> None:
    key, secret = create_key(store, 1, KeyKind.API, "first", NOON)
    create_key(store, 1, KeyKind.APPLICATION, "of another kind", NOON, secret)
    revoke_key(store, key.id, NOON)

    with pytest.raises(InvalidRequest, match="api key exists, or was revoked"):
        create_key(store, 1, KeyKind.API, "second", NOON, secret)


def test_a_key_belongs_to_an_org_that_exists(store: OracleStore) -> None:
    with pytest.raises(InvalidRequest, match="There is no org 7"):
        create_key(store, 7, KeyKind.API, "web hosts", NOON)


def test_a_revoked_key_keeps_the_moment_of_its_end(store: OracleStore) -> None:
    key, _ = create_key(store, 1, KeyKind.API, "web hosts", NOON)

    assert revoke_key(store, key.id, NOON + 5).revoked_at == NOON + 5
    assert revoke_key(store, key.id, NOON + 9).revoked_at == NOON + 5
    (kept,) = store.keys()
    assert kept.revoked_at == NOON + 5


def test_a_key_that_does_not_exist_cannot_be_revoked(store: OracleStore) -> None:
    with pytest.raises(NotFound, match="There is no key 123"):
        revoke_key(store, "123", NOON)


def test_the_last_admin_key_stays(store: OracleStore) -> None:
    first, _ = create_key(store, 1, KeyKind.ADMIN, "first", NOON)
    with pytest.raises(InvalidRequest, match="last admin key"):
        revoke_key(store, first.id, NOON)

    create_key(store, 1, KeyKind.ADMIN, "second", NOON)

    assert revoke_key(store, first.id, NOON).revoked_at == NOON


class Busy(OracleStore):
    """A store that another server changes right before or after one's own write."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Callable[[], Any]] = []
        self.after: list[Callable[[], Any]] = []

    def put_key(self, key: Key) -> None:
        if self.before:
            self.before.pop()()
        super().put_key(key)
        if self.after:
            self.after.pop()()


TAKING: dict[str, Callable[[OracleStore, Key], Any]] = {
    "key": lambda store, key: revoke_key(store, key.id, NOON),
    "org": lambda store, key: remove_org(store, key.org_id, NOON),
}


@pytest.mark.parametrize("one", TAKING)
@pytest.mark.parametrize("other", TAKING)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_of_two_servers_that_each_take_an_admin_key_one_takes_it_back(one: str, other: str, moment: str) -> None:
    """Both had looked when both keys were there."""
    store = Busy()
    keys = []
    for org_id in (1, 2):
        store.put_org(Org(org_id, f"org {org_id}"))
        keys.append(create_key(store, org_id, KeyKind.ADMIN, "admin", NOON)[0])
    refused = []

    def take(how: str, key: Key) -> None:
        try:
            TAKING[how](store, key)
        except InvalidRequest:
            refused.append(key)

    getattr(store, moment).append(lambda: take(other, keys[1]))
    take(one, keys[0])

    assert refused == [keys[0] if moment == "before" else keys[1]]
    assert list(store.admin_keys()) == refused, "as it was before"


def test_what_was_taken_back_of_a_key_is_recorded_and_so_is_one_that_nobody_can_say_is_not_the_last() -> None:
    store, seen = Busy(), []
    store.put_org(Org(1, "main"))
    first, second = (create_key(store, 1, KeyKind.ADMIN, name, NOON)[0] for name in ("first", "second"))

    def away() -> tuple[Key, ...]:
        raise Unavailable("a replica is away")

    def record(before: Key | None, after: Key) -> None:
        seen.append((before, after))

    store.after.append(lambda: setattr(store, "admin_keys", away))
    with pytest.raises(Unavailable):
        revoke_key(store, first.id, NOON, record=record)
    assert store.keys() == (first, second)
    assert [after for _, after in seen] == [dataclasses.replace(first, revoked_at=NOON), first]

    with pytest.raises(Unavailable):
        revoke_key(store, second.id, NOON, record=record)
    assert len(seen) == 2, "nothing is begun then"


def test_the_org_of_the_last_admin_key_stays(store: OracleStore) -> None:
    key, _ = create_key(store, 1, KeyKind.ADMIN, "admin", NOON)
    store.put_org(Org(2, "other"))
    create_key(store, 2, KeyKind.ADMIN, "for a while", NOON, expires_at=NOON + 60)

    with pytest.raises(InvalidRequest, match="The last admin key is of this org"):
        remove_org(store, 1, NOON)
    assert store.admin_keys() == (key,)
    remove_org(store, 2, NOON)

    assert store.orgs() == (Org(1, "main"),)


def test_an_application_key_can_be_restricted_and_then_reads_monitors_at_most(store: OracleStore) -> None:
    rows = Restriction("env:a", True)
    key, _ = create_key(store, 1, KeyKind.APPLICATION, "wallboard", NOON, restriction=rows)

    assert (key.restriction, key.scopes) == (rows, frozenset())
    reads = [Scope.MONITORS_READ]
    assert create_key(store, 1, KeyKind.APPLICATION, "y", NOON, scopes=reads, restriction=rows)[0].scopes == {*reads}
    for scope in {*Scope} - {*reads}:
        with pytest.raises(InvalidRequest, match="A restricted key has no scopes but monitors_read"):
            create_key(store, 1, KeyKind.APPLICATION, "x", NOON, scopes=[*reads, scope], restriction=rows)
    for kind in (KeyKind.API, KeyKind.ADMIN):
        with pytest.raises(InvalidRequest, match="Only an application key can be restricted"):
            create_key(store, 1, kind, "x", NOON, restriction=rows)
