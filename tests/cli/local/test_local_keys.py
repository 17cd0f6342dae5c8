from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from procession.accounts.orgs import KeyKind, Org, RemovedOrg, hash_secret
from procession.accounts.scopes import Scope
from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.local_keys import ensure_local_keys
from procession.errors import UsageError
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

API, APPLICATION, ADMIN = KeyKind.API, KeyKind.APPLICATION, KeyKind.ADMIN


@pytest.fixture
def local(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "data")


@pytest.fixture
def store() -> OracleStore:
    return OracleStore()


def ensure(store: OracleStore, local: LocalFiles, **environment: str) -> dict[KeyKind, str]:
    """The secrets made, by kind."""
    return {kind: key.secret for kind, key in ensure_local_keys(store, local, environment, now=NOON).items()}


def good_secrets(store: OracleStore) -> set[tuple[KeyKind, bytes]]:
    return {(key.kind, key.secret_hash) for key in store.keys() if key.revoked_at is None}  # noqa: SIM118


def test_the_first_start_makes_one_key_of_each_kind(store: OracleStore, local: LocalFiles) -> None:
    made = ensure(store, local)

    assert set(made) == set(KeyKind)
    assert good_secrets(store) == {(kind, hash_secret(secret)) for kind, secret in made.items()}
    assert {kind: local.secret(kind) for kind in KeyKind} == made
    assert [org.id for org in store.orgs()] == [1]


def test_later_starts_make_none(store: OracleStore, local: LocalFiles) -> None:
    ensure(store, local)

    assert ensure(store, local, DD_API_KEY="another") == {}


def test_the_first_start_adopts_the_keys_of_the_environment(store: OracleStore, local: LocalFiles) -> None:
    made = ensure_local_keys(store, local, {"DD_API_KEY": "a" * 32, "DD_APP_KEY": "b" * 40}, now=NOON)

    assert (made[API].secret, made[API].variable) == ("a" * 32, "DD_API_KEY")
    assert (made[APPLICATION].secret, made[APPLICATION].variable) == ("b" * 40, "DD_APP_KEY")
    assert made[ADMIN].variable is None
    assert (APPLICATION, hash_secret("b" * 40)) in good_secrets(store)


def test_only_an_application_key_that_was_made_here_has_scopes(store: OracleStore, local: LocalFiles) -> None:
    ensure(store, local, DD_APP_KEY="b" * 40)
    (adopted,) = [key for key in store.keys() if key.kind is APPLICATION]  # noqa: SIM118
    local.remove_secret(APPLICATION)
    ensure(store, local)
    (made,) = [key for key in store.keys() if key.kind is APPLICATION and key.id != adopted.id]  # noqa: SIM118

    assert adopted.scopes == frozenset()
    assert made.scopes == frozenset(Scope) - {Scope.AUDIT_READ}


def test_one_key_of_the_environment_is_adopted_beside_a_generated_one(store: OracleStore, local: LocalFiles) -> None:
    made = ensure(store, local, DD_API_KEY="a" * 32)

    assert made[API] == "a" * 32
    assert len(made[APPLICATION]) == 40


def test_a_key_that_cannot_travel_in_a_header_is_refused_and_not_kept(store: OracleStore, local: LocalFiles) -> None:
    with pytest.raises(UsageError, match="cannot adopt the key in DD_API_KEY"):
        ensure(store, local, DD_API_KEY="schlüssel")

    assert ensure(store, local)[API] == local.secret(API)


def test_the_secrets_are_for_their_owner_only(store: OracleStore, local: LocalFiles) -> None:
    ensure(store, local)

    assert stat.S_IMODE(local.keys_dir.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in local.keys_dir.iterdir()} == {0o600}


def test_the_store_holds_no_secret(store: OracleStore, local: LocalFiles) -> None:
    made = ensure(store, local)

    kept = repr([dataclasses.asdict(key) for key in store.keys()])  # noqa: SIM118
    assert not any(secret in kept for secret in made.values())


def test_a_start_killed_before_the_store_had_the_key_goes_on_with_the_file(
    store: OracleStore, local: LocalFiles
) -> None:
    local.write_secret(API, "c" * 32)

    assert ensure(store, local)[API] == "c" * 32
    assert (API, hash_secret("c" * 32)) in good_secrets(store)


def test_a_lost_file_gets_another_key(store: OracleStore, local: LocalFiles) -> None:
    first = ensure(store, local)
    local.remove_secret(API)

    made = ensure(store, local, DD_API_KEY="d" * 32)

    assert set(made) == {API}
    assert made[API] not in (first[API], "d" * 32)


def test_a_revoked_local_key_gets_a_successor(store: OracleStore, local: LocalFiles) -> None:
    first = ensure(store, local)
    key = next(key for key in store.keys() if key.kind is API)  # noqa: SIM118
    store.put_key(dataclasses.replace(key, revoked_at=NOON))

    made = ensure(store, local)

    assert set(made) == {API}
    assert made[API] != first[API]
    assert local.secret(API) == made[API]


def test_no_org_gets_the_keys_of_one_that_was_removed(store: OracleStore, local: LocalFiles) -> None:
    """Agents that still have them would post to it."""
    first = ensure(store, local, DD_API_KEY="a" * 32)
    store.put_org(Org(2, "other"))
    store.put_removed_org(RemovedOrg(1, "main", NOON))
    store.erase_org(1)

    made = ensure(store, local, DD_API_KEY="a" * 32)

    assert set(made) == set(KeyKind)
    assert set(made.values()).isdisjoint(first.values())
    assert {(key.org_id, key.kind) for key in store.keys()} == {(2, kind) for kind in KeyKind}  # noqa: SIM118
    assert ensure(store, local, DD_API_KEY="a" * 32) == {}
