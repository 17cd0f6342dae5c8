"""What every store promises, asked of each of them: orgs and keys."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from procession.accounts.orgs import Key, KeyKind, KeyUse, Org, RemovedOrg
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.storage import KeyStore
from tests.support.builders import NOON


def a_key(org_id: int, **fields: Any) -> Key:
    defaults: dict[str, Any] = {
        "id": f"key-{org_id}",
        "kind": KeyKind.API,
        "name": "first",
        "secret_hash": bytes(range(32)),
        "created_at": NOON,
    }
    return Key(org_id=org_id, **(defaults | fields))


def keys_of(stored_keys: KeyStore, org_id: int) -> dict[str, Key]:
    keys = stored_keys.keys()
    assert len({key.id for key in keys}) == len(keys)
    return {key.id: key for key in keys if key.org_id == org_id}


def test_orgs_are_kept_and_renamed(stored_keys: KeyStore, org: int) -> None:
    stored_keys.put_org(Org(org, "one"))
    stored_keys.put_org(Org(org + 3_000_000, 'it\'s "два" \\ {x}'))
    stored_keys.put_org(Org(org, "renamed"))

    names = {found.id: found.name for found in stored_keys.orgs()}

    assert names[org] == "renamed"
    assert names[org + 3_000_000] == 'it\'s "два" \\ {x}'
    assert len(names) == len(stored_keys.orgs())


@pytest.mark.parametrize("kind", KeyKind)
def test_keys_are_kept_whole(stored_keys: KeyStore, org: int, kind: KeyKind) -> None:
    key = a_key(org, kind=kind, name='it\'s "ключ" \\ {x}')
    stored_keys.put_key(key)

    assert keys_of(stored_keys, org) == {key.id: key}


def test_a_key_put_again_replaces_itself(stored_keys: KeyStore, org: int) -> None:
    stored_keys.put_key(a_key(org))
    stored_keys.put_key(a_key(org, id=f"other-{org}"))
    revoked = a_key(org, revoked_at=NOON + 5)
    stored_keys.put_key(revoked)

    assert keys_of(stored_keys, org) == {f"key-{org}": revoked, f"other-{org}": a_key(org, id=f"other-{org}")}


def test_admin_keys_are_those_that_last_as_they_are_now(stored_keys: KeyStore, org: int) -> None:
    first, second, removed = (
        a_key(org + more, id=f"{name}-{org}", kind=KeyKind.ADMIN)
        for name, more in (("first", 0), ("second", 0), ("removed", 2_000_000))
    )
    for key in (
        second,
        first,
        removed,
        a_key(org, id=f"over-{org}", kind=KeyKind.ADMIN, expires_at=NOON + 60),
        a_key(org, id=f"reader-{org}", kind=KeyKind.APPLICATION),
    ):
        stored_keys.put_key(key)
    assert admins_of(stored_keys, org) == {first.id, second.id, removed.id}

    stored_keys.put_key(dataclasses.replace(first, revoked_at=NOON))
    stored_keys.put_removed_org(RemovedOrg(removed.org_id, "gone", NOON))

    assert admins_of(stored_keys, org) == {second.id}
    stored_keys.put_key(dataclasses.replace(second, revoked_at=NOON))
    assert admins_of(stored_keys, org) == set()


def admins_of(stored_keys: KeyStore, org_id: int) -> set[str]:
    return {key.id for key in stored_keys.admin_keys() if key.id.endswith(f"-{org_id}")}


def test_an_application_key_keeps_its_scopes(stored_keys: KeyStore, org: int) -> None:
    key = a_key(org, kind=KeyKind.APPLICATION, scopes=frozenset({Scope.MONITORS_READ, Scope.MONITORS_WRITE}))
    stored_keys.put_key(key)

    assert keys_of(stored_keys, org) == {key.id: key}


def test_a_key_keeps_its_owner_and_its_expiry(stored_keys: KeyStore, org: int) -> None:
    key = a_key(org, kind=KeyKind.APPLICATION, owner="user:anna", expires_at=NOON + 3600)
    stored_keys.put_key(key)

    assert keys_of(stored_keys, org) == {key.id: key}


def test_of_the_uses_of_a_key_the_last_is_kept(stored_keys: KeyStore, org: int) -> None:
    first, second = f"first-{org}", f"second-{org}"

    stored_keys.put_key_uses([KeyUse(first, org, NOON), KeyUse(second, org, NOON + 60)])
    stored_keys.put_key_uses([KeyUse(first, org, NOON + 60), KeyUse(second, org, NOON)])
    stored_keys.put_key_uses([])

    uses = stored_keys.key_uses()
    assert (uses[first], uses[second]) == (NOON + 60, NOON + 60)


@pytest.mark.parametrize("rows", ["", 'env:a OR team:"x" \\ {y}=z,!b:*'])
@pytest.mark.parametrize("without_arguments", [False, True])
def test_an_application_key_stays_restricted(
    stored_keys: KeyStore, org: int, rows: str, without_arguments: bool
) -> None:
    key = a_key(org, kind=KeyKind.APPLICATION, restriction=Restriction(rows, without_arguments))
    stored_keys.put_key(key)

    assert keys_of(stored_keys, org) == {key.id: key}
