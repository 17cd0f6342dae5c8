from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from procession.accounts.orgs import KeyKind, hash_secret
from procession.accounts.restriction import Restriction
from procession.accounts.scopes import Scope
from procession.accounts.users import Role, User
from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.local_keys import ensure_local_keys
from procession.storage.embedded_store import open_embedded
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON
from tests.support.served import ADMIN_KEY, API_KEY


def test_a_key_is_made_through_the_running_server_and_its_secret_shown_alone(
    procession: Command, server: RunningServer
) -> None:
    result = procession("keys", "create", "api", "--org", "other", "--name", "agents")

    secret = result.out.strip()
    key = next(key for key in server.keys if key.name == "agents")
    assert result.code == 0
    assert key.secret_hash == hash_secret(secret)
    assert (key.kind, key.org_id) == (KeyKind.API, 2)
    assert f"api key {key.id} of org other" in result.err


def test_an_application_key_has_the_scopes_that_it_is_given(procession: Command, server: RunningServer) -> None:
    scopes = ("--scope", "monitors_read", "--scope", "monitors_write")
    made = procession("keys", "create", "application", "--name", "terraform", *scopes)

    key = next(key for key in server.keys if key.name == "terraform")
    assert made.code == 0
    assert key.scopes == {Scope.MONITORS_READ, Scope.MONITORS_WRITE}
    assert "monitors_read, monitors_write" in procession("keys", "list").out
    assert "Only an application key has scopes" in procession("keys", "create", "api", *scopes).err


def test_keys_are_listed_without_any_secret(procession: Command, server: RunningServer) -> None:
    result = procession("keys", "list")

    columns = "ID KIND ORG OWNER CREATED EXPIRES LAST USED REVOKED SCOPES SEES NAME"
    assert result.lines[0].split() == columns.split()
    assert {line.split()[1] for line in result.lines[1:]} == {"api", "application", "admin"}
    assert API_KEY not in result.out
    assert hash_secret(API_KEY).hex() not in result.out


def test_a_revoked_key_is_refused_at_once(procession: Command, server: RunningServer) -> None:
    key = next(key for key in server.keys if key.secret_hash == hash_secret(API_KEY))

    revoked = procession("keys", "revoke", key.id)

    assert revoked.out == f"api key {key.id} ({key.name}) is revoked\n"
    assert "refuses the keys of" in procession("ps").err


def test_the_server_says_why_a_key_cannot_be_revoked(procession: Command, server: RunningServer) -> None:
    unknown = procession("keys", "revoke", "nothing")
    last_admin = next(key for key in server.keys if key.secret_hash == hash_secret(ADMIN_KEY))

    assert (unknown.code, unknown.err) == (1, "procession: There is no key nothing\n")
    assert procession("keys", "revoke", last_admin.id).err == (
        "procession: It is the last admin key; make another one first\n"
    )


def test_an_org_is_made_and_gets_a_key(procession: Command, server: RunningServer) -> None:
    assert procession("orgs", "create", "acme").out == "org acme has number 3\n"

    assert [line.split() for line in procession("orgs", "list").lines] == [
        ["NUMBER", "NAME"],
        ["1", "main"],
        ["2", "other"],
        ["3", "acme"],
    ]
    assert procession("keys", "create", "api", "--org", "3").code == 0


def test_an_unknown_org_is_named(procession: Command, server: RunningServer) -> None:
    result = procession("keys", "create", "api", "--org", "nobody")

    assert result.code == 1
    assert result.err == "procession: there is no org 'nobody'; `procession orgs list` shows those there are\n"


def test_without_a_server_keys_and_orgs_are_changed_in_the_store(procession: Command, tmp_path: Path) -> None:
    local = LocalFiles(tmp_path / "data")
    store = open_embedded(local.data_dir)
    ensure_local_keys(store.keys, local, {}, now=NOON)
    store.close()
    # A server that was killed leaves its address.
    local.write_address("http://127.0.0.1:1")
    where = ("--data-dir", str(local.data_dir))

    org = procession("orgs", "create", "acme", *where)
    key = procession("keys", "create", "application", "--org", "acme", "--name", "dashboard", *where)
    listed = procession("keys", "list", *where)
    key_id = next(line.split()[0] for line in listed.lines if "dashboard" in line)
    revoked = procession("keys", "revoke", key_id, *where)

    assert org.out == "org acme has number 2\n"
    assert len(key.out.strip()) == 40
    assert revoked.out == f"application key {key_id} (dashboard) is revoked\n"
    assert procession("orgs", "create", "acme", *where).err == "procession: There is an org named acme already\n"


@pytest.mark.parametrize("command", [("keys", "list"), ("orgs", "list")])
def test_no_store_is_made_by_looking_at_it(procession: Command, tmp_path: Path, command: tuple[str, ...]) -> None:
    result = procession(*command, "--data-dir", str(tmp_path / "none"))

    assert result.code == 1
    assert result.err.startswith(f"procession: there is no store in {tmp_path}/none yet")
    assert not (tmp_path / "none").exists()


def test_a_key_is_made_for_a_while_and_for_a_user(procession: Command, server: RunningServer) -> None:
    server.store.put_user(User("anna", 1, Role.EDITOR, "hash", NOON - 60, "first"))
    before = int(time.time())

    made = procession("keys", "create", "application", "--owner", "anna", "--expires", "90d", "--name", "mine")

    key = next(key for key in server.keys if key.name == "mine")
    assert made.code == 0
    assert key.owner == "user:anna"
    assert key.expires_at is not None
    assert before + 90 * 86400 <= key.expires_at <= time.time() + 90 * 86400
    line = next(line for line in procession("keys", "list").lines if line.startswith(key.id))
    assert line.split()[3] == "anna"
    assert line.split()[6] == datetime.fromtimestamp(key.expires_at, UTC).strftime("%Y-%m-%d")


def test_an_owner_or_expiry_that_a_key_cannot_have_is_refused(procession: Command, server: RunningServer) -> None:
    server.store.put_user(User("anna", 1, Role.VIEWER, "hash", NOON - 60, "first"))
    before = server.keys
    create = ("keys", "create", "application")

    assert "name of a service account" in procession(*create, "--owner", "a b").err
    assert "a service account is written service:ana" in procession(*create, "--owner", "ana").err
    beyond = procession(*create, "--owner", "anna", "--scope", "monitors_write")
    assert "anna is viewer, and may give no key the scope monitors_write" in beyond.err
    assert "is not like 30m, 2h or 7d" in procession(*create, "--expires", "soon").err
    assert "still to come" in procession(*create, "--expires", "999999d").err
    assert server.keys == before


def test_without_a_server_keys_have_owners_and_end_with_them(procession: Command, tmp_path: Path) -> None:
    local = LocalFiles(tmp_path / "data")
    where = ("--data-dir", str(local.data_dir))
    store = open_embedded(local.data_dir)
    ensure_local_keys(store.keys, local, {}, now=NOON)
    store.users.put_user(User("anna", 1, Role.EDITOR, "hash", NOON, "first"))
    store.users.put_user(User("bob", 1, Role.ADMIN, "hash", NOON, "first"))
    store.close()

    assert procession("keys", "create", "application", "--owner", "anna", "--name", "mine", *where).code == 0
    misspelt = procession("keys", "create", "application", "--owner", "ana", "--name", "misspelt", *where)
    assert (misspelt.code, "has no user ana" in misspelt.err) == (1, True)
    assert procession("users", "remove", "anna", *where).code == 0

    store = open_embedded(local.data_dir)
    found = store.keys.keys()
    store.close()
    key = next(key for key in found if key.name == "mine")
    assert key.owner == "user:anna"
    assert key.revoked_at is not None


def test_an_application_key_is_restricted(procession: Command, server: RunningServer) -> None:
    made = procession("keys", "create", "application", "--name", "wall", "--rows", "env:a", "--without-arguments")
    (key,) = (key for key in server.keys if key.name == "wall")
    refused = procession("keys", "create", "api", "--rows", "env:a")
    reading = procession("keys", "create", "application", "--rows", "env:a", "--scope", "monitors_read")
    writing = procession("keys", "create", "application", "--rows", "env:a", "--scope", "monitors_write")

    assert (made.code, reading.code) == (0, 0)
    assert "A restricted key has no scopes but monitors_read" in writing.err
    assert key.restriction == Restriction("env:a", True)
    assert any("only env:a, no arguments" in line for line in procession("keys", "list").lines)
    assert refused.err == "procession: Only an application key can be restricted, and this is to be an api key\n"
