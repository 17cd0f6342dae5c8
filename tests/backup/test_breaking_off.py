"""A backup or a restore that is killed, or runs out of space: half of one is never taken for a whole."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from procession.accounts.orgs import Org
from procession.backup import restoring
from procession.backup.archive import open_archive
from procession.backup.backing_up import plan, write_backup
from procession.backup.container import sync_disk
from procession.backup.restoring import restore
from procession.errors import Unavailable, UsageError
from procession.storage.embedded_store import open_embedded
from procession.storage.history.engine.embedded import lock_folder
from procession.storage.history.tables import frozen
from tests.backup.building import END, FIRST, Made, differing, opened, restored, rows_of, silent
from tests.support.small_disk import fill, small_disk
from tests.support.stores.folders import quick_folder

ROOT = Path(__file__).parents[2]

ENDED = """
import os, sys
from pathlib import Path
from procession.backup.archive import open_archive
from procession.backup.backing_up import plan, write_backup
from procession.backup.restoring import restore
from procession.cli.local.signals import ended_by_signals
from tests.backup.building import frozen_in

verb, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
at, number = float(sys.argv[4]), int(sys.argv[5])

def progress(done, total):
    if done >= at * total:
        os.kill(os.getpid(), number)

with ended_by_signals():
    if verb == "backup":
        write_backup(plan(frozen_in(source), None), target, None, progress)
    else:
        with open_archive(source, None) as archive:
            restore(archive, target, org=None, progress=progress, now=lambda: 1)
"""


def end(verb: str, source: Path, target: Path, *, at: float, sent: signal.Signals) -> int:
    """When so much of it is done. Gives the exit code."""
    command = [sys.executable, "-c", ENDED, verb, str(source), str(target), str(at), str(int(sent))]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120).returncode


def kill(verb: str, source: Path, target: Path, *, at: float) -> None:
    assert end(verb, source, target, at=at, sent=signal.SIGKILL) == -signal.SIGKILL


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


def test_a_backup_that_was_killed_leaves_none_and_can_be_made_again(made: Made, place: Path) -> None:
    path = place / "backup"

    for at in (0, 0.5, 1):
        kill("backup", made.frozen, path, at=at)

        assert not path.exists()
        partial = path.with_name("backup.partial")
        with pytest.raises(UsageError), open_archive(partial, None):
            pass
    kept = made.frozen_store()
    write_backup(plan(kept, None), path, None, silent)
    assert [one.name for one in place.iterdir()] == ["backup"]


def test_a_backup_that_finds_no_space_leaves_nothing(made: Made, place: Path) -> None:
    with small_disk(place / "disk", megabytes=8) as disk:
        filler = fill(disk)

        with pytest.raises(UsageError, match=r"cannot write .*: no space left on device"):
            write_backup(plan(made.frozen_store(), None), disk / "backup", None, silent)

        assert list(disk.iterdir()) == [filler]


def test_a_restore_that_was_killed_is_opened_by_nobody_and_can_be_done_again(made: Made, place: Path) -> None:
    data_dir = place / "data"

    for at in (0.4, 1):
        kill("restore", made.backup, data_dir, at=at)

        with pytest.raises(UsageError, match="do it again with `procession restore`"):
            open_embedded(data_dir)
    restored(made.backup, data_dir)

    with opened(data_dir) as store:
        assert differing(rows_of(store), made.rows) == []


def test_a_restore_that_finds_no_space_leaves_nothing_and_can_be_done_again(made: Made, place: Path) -> None:
    with small_disk(place / "disk", megabytes=160) as disk:
        data_dir = disk / "data"

        def progress(done: int, total: int) -> None:
            if done > total / 2 and not (disk / "filler").exists():
                fill(disk)

        with pytest.raises(UsageError) as caught, open_archive(made.backup, None) as archive:
            restore(archive, data_dir, org=None, progress=progress, now=lambda: END)

        assert "\n" not in str(caught.value)
        assert [one.name for one in disk.iterdir()] == ["filler"]
        (disk / "filler").unlink()
        restored(made.backup, data_dir)
        with opened(data_dir) as store:
            assert len(store.views.views(FIRST)) == 1


def test_a_restore_that_the_disk_has_not_taken_leaves_nothing(
    made: Made, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(restoring, "sync_disk", fail)

    with pytest.raises(UsageError, match=r"cannot write to .*: input/output error"):
        restored(made.backup, place / "data")

    assert list(place.iterdir()) == []


def test_to_sync_a_disk_takes_a_folder_of_it(tmp_path: Path) -> None:
    sync_disk(tmp_path)

    with pytest.raises(FileNotFoundError):
        sync_disk(tmp_path / "nothing")


@pytest.mark.parametrize(("verb", "sent"), [("backup", signal.SIGHUP), ("restore", signal.SIGTERM)])
def test_what_is_asked_to_end_leaves_nothing(made: Made, place: Path, verb: str, sent: signal.Signals) -> None:
    source = made.frozen if verb == "backup" else made.backup

    code = end(verb, source, place / "target", at=0.5, sent=sent)

    assert (code, list(place.iterdir())) == (128 + sent, [])


def test_a_restore_leaves_a_folder_alone_that_another_was_first_in(
    made: Made, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[IO[str]] = []

    def lock_late(folder: Path) -> IO[str]:
        others.append(lock_folder(folder))
        (folder / "restoring").touch()
        return lock_folder(folder)

    monkeypatch.setattr(restoring, "lock_folder", lock_late)

    with pytest.raises(UsageError, match="is in use by process"):
        restored(made.backup, place / "data")

    assert sorted(one.name for one in (place / "data").iterdir()) == ["lock", "restoring"]
    others[0].close()


def test_nobody_comes_in_before_a_restore_has_tidied_up(
    made: Made, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = restoring._clean

    def come_in_first(folder: Path) -> None:
        with pytest.raises(UsageError, match="is in use by process"):
            lock_folder(folder)
        clean(folder)

    monkeypatch.setattr(restoring, "_clean", come_in_first)

    with pytest.raises(UsageError, match="has no org 'third'"):
        restored(made.backup, place / "data", org="third")

    assert list(place.iterdir()) == []


def test_what_cannot_be_frozen_whole_does_not_stand_still_in_part(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "BACKED_UP", frozenset({"orgs", "zebras"}))
    with opened(place / "data") as store:
        store.keys.put_org(Org(FIRST, "main"))

        with pytest.raises(Unavailable):
            store.freeze()

        assert list((place / "data" / "clickhouse" / "shadow").glob("backup*")) == []


def test_rows_of_an_org_that_is_not_there_bring_nothing_back(made: Made, place: Path) -> None:
    with pytest.raises(UsageError, match="has rows of org 9 in exits, and no such org"):
        restored(made.foreign, place / "data")

    assert list(place.iterdir()) == []


def test_a_damaged_part_and_an_org_that_is_not_there_leave_the_folder_as_it_was(made: Made, place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "keys").mkdir()
    content = bytearray(made.backup.read_bytes())
    content[len(content) // 2] ^= 1
    (place / "damaged").write_bytes(content)

    with pytest.raises(UsageError, match=r"is damaged: .* is not as written"):
        restored(place / "damaged", place / "data")
    with pytest.raises(UsageError, match="has no org 'third'; it has main, second, posted"):
        restored(made.backup, place / "data", org="third")

    assert sorted(one.name for one in (place / "data").iterdir()) == ["keys", "lock"]
