"""`procession backup` and `procession restore`, as somebody calls them."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import PROCESSION, Running, clean_environment, running
from tests.support.stores.folders import quick_folder


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*PROCESSION, *map(str, arguments)]
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=120)


def complaint(*arguments: object) -> str:
    """The one line of a command that does nothing."""
    result = call(*arguments)
    assert result.returncode == 1, result.stderr
    (line,) = result.stderr.splitlines()
    return line.removeprefix("procession: ")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_folder(tmp_path_factory.mktemp("commands")) as folder:
        yield folder


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Running]:
    with running("serve", "--data-dir", str(place / "data"), "--listen", "127.0.0.1:0") as started:
        started.line_with("Procession listens at")
        yield started


def test_a_running_server_is_backed_up_and_brought_back(server: Running, place: Path) -> None:
    (place / "passphrase").write_text("correct horse\n")
    made = call("orgs", "create", "acme", "--data-dir", place / "data")
    sealed = ("--passphrase-file", place / "passphrase")

    first = call("backup", place / "first", "--data-dir", place / "data", *sealed)
    second = call("backup", place / "second", "--data-dir", place / "data", "--since", place / "first", *sealed)

    assert (made.returncode, first.returncode, second.returncode) == (0, 0, 0), first.stderr + second.stderr
    assert "are free" in first.stderr.splitlines()[0]
    assert first.stderr.splitlines()[-1].startswith("copied 100 %")
    assert stat.S_IMODE((place / "first").stat().st_mode) == 0o600
    assert b"acme" not in (place / "first").read_bytes()
    assert list((place / "data" / "clickhouse" / "shadow").glob("backup*")) == []
    # Nothing is changed where something is in the way.
    kept = (place / "first").read_bytes()
    assert "is there already" in complaint("backup", place / "first", "--data-dir", place / "data")
    assert "is encrypted" in complaint("restore", place / "second", "--data-dir", place / "back")
    in_use = complaint("restore", place / "second", "--data-dir", place / "data", *sealed)
    assert f"is in use by process {server.pid}" in in_use
    assert (place / "first").read_bytes() == kept
    assert not (place / "back").exists()

    back = call("restore", place / "second", "--data-dir", place / "back", *sealed)

    assert back.returncode == 0, back.stderr
    assert back.stdout.endswith(": main, acme\n")
    assert "keys are in force as they were then, also those revoked since" in back.stderr
    assert "acme" in call("orgs", "list", "--data-dir", place / "back").stdout
    assert "has a store already" in complaint("restore", place / "second", "--data-dir", place / "back", *sealed)
    # And by hand, where no server runs.
    alone = call("backup", place / "third", "--data-dir", place / "back")
    assert alone.returncode == 0, alone.stderr
    # Also by a link to the folder.
    (place / "link").symlink_to(place / "back")
    by_link = call("backup", place / "fourth", "--data-dir", place / "link", "--since", place / "third")
    assert by_link.returncode == 0, by_link.stderr


def test_what_is_no_store_is_named(place: Path) -> None:
    nowhere = place / "nowhere"
    servers = ("--store", "https://procession@clickhouse:8443/procession")

    assert f"there is no store in {nowhere}" in complaint("backup", place / "none", "--data-dir", nowhere)
    empty = place / "empty"
    empty.mkdir()
    assert f"there is no store in {empty}" in complaint("backup", place / "none", "--data-dir", empty)
    assert list(empty.iterdir()) == []
    assert "make backups of their own" in complaint("backup", place / "none", "--data-dir", nowhere, *servers)
    assert not nowhere.exists()
    assert not (place / "none").exists()
