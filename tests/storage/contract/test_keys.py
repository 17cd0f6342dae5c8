"""What every store promises, asked of each of them: orgs and keys."""

from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.orgs import Key, KeyKind, Org
from tests.storage.conftest import Store
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


def keys_of(store: Store, org_id: int) -> dict[str, Key]:
    keys = store.keys()
    assert len({key.id for key in keys}) == len(keys)
    return {key.id: key for key in keys if key.org_id == org_id}


def test_orgs_are_kept_and_renamed(store: Store, org: int) -> None:
    store.put_org(Org(org, "one"))
    store.put_org(Org(org + 3_000_000, 'it\'s "два" \\ {x}'))
    store.put_org(Org(org, "renamed"))

    names = {found.id: found.name for found in store.orgs()}

    assert names[org] == "renamed"
    assert names[org + 3_000_000] == 'it\'s "два" \\ {x}'
    assert len(names) == len(store.orgs())


@pytest.mark.parametrize("kind", KeyKind)
def test_keys_are_kept_whole(store: Store, org: int, kind: KeyKind) -> None:
    key = a_key(org, kind=kind, name='it\'s "ключ" \\ {x}')
    store.put_key(key)

    assert keys_of(store, org) == {key.id: key}


def test_a_key_put_again_replaces_itself(store: Store, org: int) -> None:
    store.put_key(a_key(org))
    store.put_key(a_key(org, id=f"other-{org}"))
    revoked = a_key(org, revoked_at=NOON + 5)
    store.put_key(revoked)

    assert keys_of(store, org) == {f"key-{org}": revoked, f"other-{org}": a_key(org, id=f"other-{org}")}
