from __future__ import annotations

import time
from pathlib import Path

import pytest

from procession.accounts.administration import create_key
from procession.accounts.orgs import KeyKind, Org
from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.local_keys import ensure_local_keys
from procession.storage.embedded_store import open_embedded
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_sighting, a_snapshot


def test_an_org_is_removed_through_the_running_server_after_it_was_said_what_goes(
    procession: Command, server: RunningServer
) -> None:
    server.add(a_snapshot(a_sighting()), org=2)

    removed = procession("orgs", "remove", "other", "--yes")

    assert (removed.code, removed.out) == (0, "org other is removed\n")
    assert removed.err == ("org other (number 2) goes for ever, with all of its rows: keys 2, orgs 1, snapshots 1\n")
    assert [line.split() for line in procession("orgs", "list").lines] == [["NUMBER", "NAME"], ["1", "main"]]
    assert server.store.rows_of_org(2) == {}
    assert procession("orgs", "remove", "other", "--yes").err.startswith("procession: there is no org 'other'")


@pytest.mark.parametrize(("answer", "is_removed"), [("n\n", False), ("", False), ("y\n", True)])
def test_it_asks_first(
    procession: Command, server: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    answer: str, is_removed: bool,
) -> None:  # fmt: skip
    (tmp_path / "typed").write_text(answer)
    with (tmp_path / "typed").open() as typed:
        monkeypatch.setattr("sys.stdin", typed)

        result = procession("orgs", "remove", "other")

    assert "Remove other? [y/N]" in result.err
    assert (result.code == 0) is is_removed
    assert (2 not in {org.id for org in server.store.orgs()}) is is_removed


def test_the_org_of_the_key_that_asks_stays(procession: Command, server: RunningServer) -> None:
    result = procession("orgs", "remove", "main", "--yes")

    assert (result.code, result.err.splitlines()[-1]) == (
        1, "procession: This admin key is of the org itself; use one of another org",
    )  # fmt: skip
    assert len(server.store.orgs()) == 2


def test_without_a_server_an_org_is_removed_from_the_store(procession: Command, tmp_path: Path) -> None:
    """Also what is only in the log, and the org of this machine's own keys."""
    local = LocalFiles(tmp_path / "data")
    store = open_embedded(local.data_dir)
    first = ensure_local_keys(store.keys, local, {}, now=NOON)
    store.keys.put_org(Org(2, "acme"))
    now = int(time.time())
    store.add([(1, a_snapshot(a_sighting(7, now - 50), taken_at=now))])
    store.close()
    where = ("--data-dir", str(local.data_dir), "--yes")

    refused = procession("orgs", "remove", "main", *where)
    store = open_embedded(local.data_dir)
    create_key(store.keys, 2, KeyKind.ADMIN, "successor", NOON)
    store.close()
    removed = procession("orgs", "remove", "main", *where)

    assert refused.err.splitlines()[-1] == (
        "procession: The last admin key is of this org; make another one in another org first"
    )
    assert (removed.code, removed.out) == (0, "org main is removed\n")
    assert "snapshots 1" in removed.err
    store = open_embedded(local.data_dir)
    assert dict(store.erasure.rows_of_org(1)) == {}
    assert [(one.id, one.is_erased) for one in store.keys.removed_orgs()] == [(1, True)]
    # What this machine had as its keys opens no other org.
    again = ensure_local_keys(store.keys, local, {}, now=NOON)
    store.close()
    assert {key.secret for key in again.values()}.isdisjoint(key.secret for key in first.values())
