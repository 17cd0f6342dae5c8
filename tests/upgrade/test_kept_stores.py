"""This version opens the stores of those before it, and answers what they had answered."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from procession import __version__
from procession.storage.folder_version import OURS, read_version
from procession.storage.history.tables.migrations import MIGRATIONS
from procession.storage.upgrade_check import plan_for_folder
from tests.support.running import PROCESSION, clean_environment, running
from tests.support.stores.folders import quick_folder
from tests.upgrade.keeping import KEPT, SERVING, environment_of, unpacked, url_in

ARCHIVES = sorted(KEPT.glob("*.tar.xz"))
EARLIEST = "before-monitors"
"""Made by an earlier commit: its tables, log and checkpoint are all of formats that nobody writes any more."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*PROCESSION, *map(str, arguments)]
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=60)


def contents(folder: Path) -> dict[str, str]:
    """Every file with its bytes, every folder and every link."""
    return {
        str(path.relative_to(folder)): (
            str(path.readlink()) if path.is_symlink()
            else "folder" if path.is_dir()
            else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in folder.rglob("*")
    }  # fmt: skip


def lacking(recorded: Any, found: Any, where: str = "") -> Iterator[str]:
    """What was answered and is not any more. What has come to an answer since does not matter."""
    if where.endswith("/meta/oldest"):  # how far back one may ask: from now
        return
    if where.endswith("/meta/page/after"):  # nobody but the version that gave it reads it
        recorded, found = bool(recorded), bool(found)
    if where.endswith("/overall_state_modified"):  # monitors are evaluated each minute, also now
        recorded, found = (found, found) if (found or "") >= (recorded or "") else (recorded, found)
    if isinstance(recorded, dict) and isinstance(found, dict):
        for name, value in recorded.items():
            yield from lacking(value, found.get(name, "nothing"), f"{where}/{name}")
    elif isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
        for number, (value, other) in enumerate(zip(recorded, found, strict=True)):
            yield from lacking(value, other, f"{where}/{number}")
    elif recorded != found:
        yield f"{where}: {str(recorded)[:200]} is now {str(found)[:200]}"


def leaves(answer: Any) -> int:
    if isinstance(answer, dict | list):
        return sum(map(leaves, answer.values() if isinstance(answer, dict) else answer))
    return 1


def test_there_is_a_store_of_this_version_and_one_that_takes_every_migration_but_the_first() -> None:
    assert {path.name for path in ARCHIVES} >= {f"{__version__}.tar.xz", f"{EARLIEST}.tar.xz"}
    assert sum(path.stat().st_size for path in ARCHIVES) < 2 * 2**20 * len(ARCHIVES)


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_a_store_of_an_earlier_version_answers_as_it_did(archive: Path, place: Path) -> None:
    kept = unpacked(archive, place)
    before = contents(kept.data_dir)

    told = call("upgrade", "check", "--data-dir", kept.data_dir)

    assert told.returncode == 0, told.stderr
    assert contents(kept.data_dir) == before
    is_earliest = archive.name.startswith(EARLIEST)
    to_come = ", ".join(f"{one.number} ({one.name})" for one in MIGRATIONS[1:])
    assert not is_earliest or f"tables     at 1; to be applied: {to_come}\n" in told.stdout
    assert not is_earliest or "last opened by a build from before the first release" in told.stdout

    with running("serve", "--data-dir", str(kept.data_dir), *SERVING, environment=environment_of(None)) as server:
        with httpx.Client(base_url=url_in(server.line_with("http://")), timeout=60) as client:
            answers = {path: client.get(path, headers=kept.reader) for path in kept.answers}
        plan = plan_for_folder(kept.data_dir)
        server.stop()

    assert {path: answer.text for path, answer in answers.items() if answer.status_code != 200} == {}
    lost = [line for path, answer in answers.items() for line in lacking(kept.answers[path], answer.json(), path)]
    assert lost == []
    assert sum(map(leaves, kept.answers.values())) > 5000
    assert (plan.to_apply, plan.is_in_use) == ((), True)
    assert read_version(kept.data_dir) == OURS


def test_what_is_lacking_would_be_found() -> None:
    recorded = {"data": [{"pid": 1, "tags": ["a"]}], "meta": {"total": 1}}

    assert list(lacking(recorded, {"data": [{"pid": 1, "tags": ["a"], "new": 2}], "meta": {"total": 1}})) == []
    assert len(list(lacking(recorded, {"data": [], "meta": {"total": 1}}))) == 1
    assert len(list(lacking(recorded, {"data": [{"pid": 2, "tags": ["b"]}]}))) == 3


def test_only_a_later_change_of_a_monitor_is_not_lacking() -> None:
    def is_lacking(recorded: str | None, found: str | None) -> bool:
        return bool(list(lacking([{"overall_state_modified": recorded}], [{"overall_state_modified": found}])))

    earlier, later = "2026-12-01T09:43:00.000000+00:00", "2026-12-01T09:44:00.000000+00:00"
    assert [is_lacking(None, None), is_lacking(None, later), is_lacking(earlier, later)] == [False] * 3
    assert [is_lacking(earlier, None), is_lacking(later, earlier)] == [True] * 2
