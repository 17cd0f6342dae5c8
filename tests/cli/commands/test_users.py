from __future__ import annotations

import io
from pathlib import Path

import pytest

from procession.accounts.passwords import is_password
from procession.accounts.restriction import UNRESTRICTED, Restriction
from procession.accounts.users import Role, User
from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.local_keys import ensure_local_keys
from procession.storage.embedded_store import open_embedded
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON

PHRASE = "correct horse battery"


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(f"{PHRASE}\nnot this\n")
    return str(path)


def only(server: RunningServer) -> User:
    (user,) = server.store.users()
    return user


def test_a_user_is_made_with_the_first_line_of_a_file(
    procession: Command, server: RunningServer, password_file: str
) -> None:
    made = procession("users", "add", "Anna", "--role", "admin", "--org", "other", "--password-file", password_file)

    assert (made.code, made.out, made.err) == (0, "anna is admin in org other\n", "")
    user = only(server)
    assert (user.org_id, user.role) == (2, Role.ADMIN)
    assert is_password(PHRASE, user.password_hash)


def test_a_password_comes_from_standard_input_as_well(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PHRASE}\n"))

    made = procession("users", "add", "bob", "--password-file", "-")

    assert made.out == "bob is viewer in org main\n"
    assert is_password(PHRASE, only(server).password_hash)


def test_without_a_terminal_nobody_is_asked(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PHRASE}\n"))

    made = procession("users", "add", "bob")

    assert made.code == 1
    assert "give a file with --password-file, or - for stdin" in made.err
    assert server.store.users() == ()


def test_no_password_is_taken_from_the_command_line(procession: Command, server: RunningServer) -> None:
    for arguments in (("--password", PHRASE), (PHRASE,)):
        assert procession("users", "add", "bob", *arguments).code == 2
    assert server.store.users() == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\n", "there is no password in the first line of "),
        (b"\xff\xfe\n", "cannot read the password in "),
        (b"short\n", "A password has at least 10 characters"),
        (b"x" * 2000, "A password has at least 10 characters"),
    ],
)
def test_what_is_no_password_is_said(
    procession: Command, server: RunningServer, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)

    made = procession("users", "add", "bob", "--password-file", str(path))

    assert made.code == 1
    assert said in made.err or "Invalid body" in made.err
    assert server.store.users() == ()


def test_users_are_listed_changed_and_removed(procession: Command, server: RunningServer, password_file: str) -> None:
    for name, role in (("anna", "admin"), ("bob", "viewer")):
        procession("users", "add", name, "--role", role, "--password-file", password_file)

    listed = procession("users", "list")
    roles = procession("users", "set-role", "bob", "editor")
    before = {user.name: user for user in server.store.users()}
    again = procession("users", "reset-password", "bob", "--password-file", password_file)
    after = {user.name: user for user in server.store.users()}
    removed = procession("users", "remove", "bob")

    assert [line.split()[:3] for line in listed.lines] == [
        ["NAME", "ROLE", "ORG"],
        ["anna", "admin", "main"],
        ["bob", "viewer", "main"],
    ]
    assert roles.out == "bob is editor now\n"
    assert again.out == "bob has another password now\n"
    assert before["bob"].sign_in_id != after["bob"].sign_in_id
    assert removed.out == "bob is removed\n"
    assert only(server).name == "anna"
    assert procession("users", "remove", "anna").err == (
        "procession: anna is the last admin of the org; make another one first\n"
    )
    assert procession("users", "remove", "a b?").err == "procession: There is no user a b?\n"


def test_without_a_server_users_are_changed_in_the_store(
    procession: Command, tmp_path: Path, password_file: str
) -> None:
    local = LocalFiles(tmp_path / "data")
    store = open_embedded(local.data_dir)
    ensure_local_keys(store.keys, local, {}, now=NOON)
    store.close()
    where = ("--data-dir", str(local.data_dir))
    given = ("--password-file", password_file)

    outs = [
        procession("users", *arguments, *where).out
        for arguments in (
            ("add", "anna", "--role", "admin", *given),
            ("add", "bob", *given),
            ("set-role", "bob", "auditor"),
            ("reset-password", "bob", *given),
            ("remove", "bob"),
        )
    ]
    twice = procession("users", "add", "anna", *given, *where)
    listed = procession("users", "list", *where)

    assert outs == [
        "anna is admin in org main\n",
        "bob is viewer in org main\n",
        "bob is auditor now\n",
        "bob has another password now\n",
        "bob is removed\n",
    ]
    assert twice.err == "procession: There is a user named anna already\n"
    assert [line.split()[0] for line in listed.lines] == ["NAME", "anna"]


def test_a_viewer_is_restricted(procession: Command, server: RunningServer, password_file: str) -> None:
    given = ("--password-file", password_file)
    made = procession("users", "add", "anna", "--rows", "env:a, team:b", "--without-arguments", *given)
    listed = procession("users", "list")
    other = procession("users", "restrict", "anna", "--rows", "env:a OR env:b")

    assert made.out == "anna is viewer in org main, and sees only env:a,team:b, no arguments\n"
    assert listed.lines[1].endswith("only env:a,team:b, no arguments")
    assert other.out == "anna sees only env:a OR env:b now\n"
    assert only(server).restriction == Restriction("env:a OR env:b")
    assert procession("users", "restrict", "anna").out == "anna sees everything now\n"
    assert only(server).restriction == UNRESTRICTED


def test_what_restricts_nobody_is_said(procession: Command, server: RunningServer, password_file: str) -> None:
    given = ("--password-file", password_file)

    assert "Rows are given by 1 to 32 tags" in procession("users", "add", "anna", "--rows", ",", *given).err
    refused = procession("users", "add", "anna", "--role", "admin", "--rows", "env:a", *given)
    assert "Only a viewer can be restricted" in refused.err
    assert server.store.users() == ()


def test_without_a_server_a_viewer_is_restricted_in_the_store(
    procession: Command, tmp_path: Path, password_file: str
) -> None:
    local = LocalFiles(tmp_path / "data")
    store = open_embedded(local.data_dir)
    ensure_local_keys(store.keys, local, {}, now=NOON)
    store.close()
    where = ("--data-dir", str(local.data_dir))
    procession("users", "add", "anna", "--rows", "env:a", "--password-file", password_file, *where)
    procession("keys", "create", "application", "--name", "wallboard", "--without-arguments", *where)
    procession("users", "restrict", "anna", "--rows", "env:b", "--without-arguments", *where)

    assert procession("users", "list", *where).lines[1].endswith("only env:b, no arguments")
    (wallboard,) = (line for line in procession("keys", "list", *where).lines if "wallboard" in line)
    assert "no arguments" in wallboard
