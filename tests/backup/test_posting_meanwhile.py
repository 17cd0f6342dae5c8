"""A server is backed up while agents post to it by HTTP: what comes back is of one moment, whoever is killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.backup.posting import Fleet, Halfway, fleet_in, frozen_in, moment_of, restored_server
from tests.backup.test_commands import call, complaint
from tests.support.small_disk import fill, small_disk
from tests.support.stores.folders import quick_folder
from tests.upgrade.keeping import process_questions, questions
from tests.upgrade.test_kept_stores import lacking, leaves

MONITORS = "/api/v1/monitor"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with quick_folder(tmp_path_factory.mktemp("posted")) as folder, fleet_in(folder / "data") as found:
        yield found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


def told_by(moment: int, answer: Any) -> Any:
    """Without the ends that a later snapshot than that moment told of: a backup may know them, or not."""
    if isinstance(answer, list):
        return [told_by(moment, one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    last = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    # The version of an agent is not kept: a server knows it of those that post to it.
    known = {key: told_by(moment, value) for key, value in answer.items() if key != "agent_version"}
    match answer.get("ended"):
        case int(at) if at > moment:
            known["ended"] = None
        case str(at) if at > last:
            known["ended"] = None
    return known


def hold_same(fleet: Fleet, restored: httpx.Client, moment: int) -> None:
    """Thousands of answers of the server that was backed up, about all up to that moment."""
    compared, differing = 0, []
    with fleet.client() as original:
        page = original.get(f"/api/procession/v1/processes?from={fleet.begin}&to={moment}&page[limit]=1000").json()
        for path in (*questions(fleet.begin, moment), *process_questions(page, fleet.begin, moment)):
            if path == MONITORS:  # they come back muted
                continue
            first, second = original.get(path), restored.get(path)
            assert (first.status_code, second.status_code) == (200, 200), (path, first.text, second.text)
            known, back = told_by(moment, first.json()), told_by(moment, second.json())
            differing += [*lacking(known, back, path), *lacking(back, known, path)]
            compared += leaves(known)
        monitors = original.get(MONITORS).json()

    assert differing == []
    assert compared > 5000
    muted = [{**one, "options": {**one["options"], "silenced": {"*": None}}} for one in monitors]
    assert [one["options"] for one in restored.get(MONITORS).json()] == [one["options"] for one in muted] != []


def test_agents_post_on_while_a_backup_is_made_killed_and_made_again(fleet: Fleet, place: Path) -> None:
    backup, data_dir = place / "backup", place / "back"
    with fleet.posting():
        killed = Halfway("backup", backup, "--data-dir", fleet.data_dir)
        fleet.await_posts(3)
        killed.kill()
        assert [path.name for path in place.iterdir()] == ["backup.partial"]

        made = Halfway("backup", backup, "--data-dir", fleet.data_dir)
        fleet.await_posts(3)
        assert made.go_on() == 0, made.said
        fleet.await_posts(3)
    assert [path.name for path in place.iterdir()] == ["backup"]
    assert frozen_in(fleet.data_dir) == []

    restoring = Halfway("restore", backup, "--data-dir", data_dir)
    restoring.kill()
    assert "do it again with `procession restore`" in complaint("serve", "--data-dir", data_dir)
    back = call("restore", backup, "--data-dir", data_dir)

    assert back.returncode == 0, back.stderr
    assert "1 monitor is muted until you unmute" in back.stdout
    with restored_server(data_dir, fleet.reader) as restored:
        hold_same(fleet, restored, moment_of(fleet.agents, restored))
        (monitor,) = restored.get(MONITORS).json()
        restored.post(f"{MONITORS}/{monitor['id']}/unmute").raise_for_status()
        assert restored.get(f"{MONITORS}/{monitor['id']}").json()["options"]["silenced"] == {}


def test_a_server_that_is_killed_in_the_middle_takes_nothing_from_the_backup(fleet: Fleet, place: Path) -> None:
    (place / "passphrase").write_text("correct horse\n")
    sealed = ("--passphrase-file", place / "passphrase")
    assert call("backup", place / "first", "--data-dir", fleet.data_dir, *sealed).returncode == 0
    with fleet.posting():
        since = ("--since", place / "first", *sealed)
        made = Halfway("backup", place / "second", "--data-dir", fleet.data_dir, *since)
        fleet.await_posts(3)
        fleet.server.kill()
    assert made.go_on() == 0, made.said
    assert len(frozen_in(fleet.data_dir)) == 1
    fleet.start()
    assert frozen_in(fleet.data_dir) == []

    back = call("restore", place / "second", "--data-dir", place / "back", *sealed)

    assert back.returncode == 0, back.stderr
    with restored_server(place / "back", fleet.reader) as restored:
        hold_same(fleet, restored, moment_of(fleet.agents, restored))


def test_a_server_that_is_started_anew_in_the_middle_is_said(fleet: Fleet, place: Path) -> None:
    made = Halfway("backup", place / "backup", "--data-dir", fleet.data_dir)
    fleet.server.stop()
    fleet.start()

    assert made.go_on() == 1

    assert "if the server was started anew meanwhile, make the backup again" in made.said[-1]
    assert list(place.iterdir()) == []


def test_a_disk_that_is_too_small_or_runs_full_is_said_while_agents_post(fleet: Fleet, place: Path) -> None:
    with fleet.posting():
        with small_disk(place / "small", megabytes=1) as disk:
            said = complaint("backup", disk / "backup", "--data-dir", fleet.data_dir)
            assert "free; make room, or name a file elsewhere" in said
            assert list(disk.iterdir()) == []
        with small_disk(place / "disk", megabytes=64) as disk:
            made = Halfway("backup", disk / "backup", "--data-dir", fleet.data_dir)
            filler = fill(disk)

            assert made.go_on() == 1

            assert made.said[-1].endswith("no space left on device")
            assert list(disk.iterdir()) == [filler]
        fleet.await_posts(3)
    assert frozen_in(fleet.data_dir) == []
    assert all(post.acknowledged_at < time.monotonic() for agent in fleet.agents for post in agent.posts[-3:])
