from __future__ import annotations

import json
from pathlib import Path

import pytest

from procession.accounts.orgs import Org
from procession.audit import AuditFolder
from procession.audit.trail import Trail
from procession.storage.embedded_store import open_embedded
from tests.audit.trails import NOON, a_change, a_trail, a_writer, all_records, an_entry
from tests.cli.conftest import Command


@pytest.fixture
def folder(tmp_path: Path) -> AuditFolder:
    """With two questions and a change."""
    folder = AuditFolder.of(tmp_path)
    writer = a_writer(folder)
    writer.note(an_entry(query=b"search=nginx"))
    writer.note(an_entry(at=NOON + 3600, query=b"search=%1B%5B2Jredis%0A", who=None, address="198.51.100.9"))
    writer.write(a_change(status=200, changes=[{"kind": "view", "subject": "mine", "action": "changed"}])).result(30)
    writer.close()
    return folder


def test_verify_says_that_all_is_as_it_was_written(procession: Command, folder: AuditFolder, tmp_path: Path) -> None:
    result = procession("audit", "verify", "--data-dir", str(tmp_path))

    assert (result.code, result.out) == (0, f"5 records in 1 files of {folder.path} are as they were written\n")


def test_verify_names_the_first_record_that_is_not(procession: Command, folder: AuditFolder, tmp_path: Path) -> None:
    path = folder.files()[0]
    path.write_bytes(path.read_bytes().replace(b"nginx", b"mysql"))

    result = procession("audit", "verify", "--data-dir", str(tmp_path))

    assert result.code == 1
    assert result.err.startswith(f"procession: the audit trail is broken: record 2 ({path}, line 2): its hash does not")


def test_verify_says_what_a_trail_says_of_itself(procession: Command, folder: AuditFolder, tmp_path: Path) -> None:
    folder.head_file.unlink()
    a_trail(folder, 1)

    result = procession("audit", "verify", "--data-dir", str(tmp_path))

    assert result.code == 1
    assert "damaged   record 7 says: the head was missing" in result.out


def test_records_are_shown_on_one_line_each(procession: Command, folder: AuditFolder, tmp_path: Path) -> None:
    lines = procession("audit", "show", "--data-dir", str(tmp_path)).lines

    assert lines[0].split() == ["NUMBER", "TIME", "WHO", "FROM", "KIND", "STATUS", "ROWS", "COUNT", "WHAT"]
    assert len(lines) == 6
    assert "dashboard  192.0.2.7" in lines[2]
    assert lines[2].endswith("GET /api/v2/processes search=nginx")
    assert lines[4].endswith("PUT /views/{name} changed view mine")
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ((), [1, 2, 3, 4, 5]),
        (("--who", "DASH"), [2, 4]),
        (("--who", "k1"), [2, 4]),
        (("--route", "put"), [4]),
        (("--route", "processes"), [2, 3]),
        (("--text", "NGINX"), [2]),
        (("--text", "mine"), [4]),
        (("--since", str(int(NOON) + 1), "--until", str(int(NOON) + 4000)), [3]),
        (("--until", str(int(NOON)), "--who", "k1"), [2, 4]),
    ],
)
def test_records_are_found_by_who_route_text_and_time(
    procession: Command, folder: AuditFolder, tmp_path: Path, options: tuple[str, ...], numbers: list[int]
) -> None:
    lines = procession("audit", "show", "--json", "--data-dir", str(tmp_path), *options).lines

    assert [json.loads(line)["number"] for line in lines] == numbers


@pytest.mark.parametrize("command", ["verify", "show"])
def test_where_there_is_no_trail_it_says_so(procession: Command, tmp_path: Path, command: str) -> None:
    result = procession("audit", command, "--data-dir", str(tmp_path))

    assert result.code == 1
    assert result.err.startswith(f"procession: there is no audit trail in {tmp_path}/audit; name the server's folder")


def test_what_is_changed_without_a_server_is_in_the_trail_as_well(procession: Command, tmp_path: Path) -> None:
    store = open_embedded(tmp_path)
    store.keys.put_org(Org(1, "main"))
    store.close()
    folder = AuditFolder.of(tmp_path)
    a_writer(folder).close()

    for arguments in (
        ("orgs", "create", "acme"),
        ("keys", "create", "application", "--scope", "audit_read", "--name", "auditor"),
        ("hosts", "tag", "web-1", "env:a"),
    ):
        done = procession(*arguments, "--data-dir", str(tmp_path))
        assert done.code == 0, done.err

    commands = all_records(folder, "command")
    assert [one["changes"][0]["kind"] for one in commands] == ["org", "key", "host_tags"]
    assert {one["who"]["name"] for one in commands} == {"owner of the store"}
    assert commands[1]["changes"][0]["after"]["scopes"] == ["audit_read"]
    assert procession("audit", "verify", "--data-dir", str(tmp_path)).code == 0


def test_nothing_is_changed_without_a_server_that_cannot_be_recorded(procession: Command, tmp_path: Path) -> None:
    store = open_embedded(tmp_path)
    store.keys.put_org(Org(1, "main"))
    store.close()
    folder = AuditFolder.of(tmp_path)
    a_writer(folder).close()
    held = Trail(folder, retention_days=30, now=NOON)

    result = procession("orgs", "create", "acme", "--data-dir", str(tmp_path))
    held.close()

    assert result.code == 1
    assert "nothing is changed: the audit trail in" in result.err
    assert "acme" not in procession("orgs", "list", "--data-dir", str(tmp_path)).out
