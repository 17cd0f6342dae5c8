"""An older version says no to what a newer one wrote, in one line, and changes not a byte."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from procession import __version__
from procession.agent.send.spool import FORMAT as SPOOL_FORMAT
from procession.agent.send.spool import NewerSpool, Spool
from procession.errors import UsageError
from procession.storage.embedded_store import open_embedded, open_history
from procession.storage.folder_version import CHECKPOINT, LOG, OURS, VERSION_FILE, newer_in, write_version
from procession.storage.history.tables.migrations import NEWEST
from procession.storage.live.checkpoint import FORMAT as CHECKPOINT_FORMAT
from procession.storage.wal import FORMAT_VERSION
from tests.support.stores.folders import quick_folder
from tests.upgrade.keeping import KEPT, unpacked
from tests.upgrade.test_kept_stores import call, contents


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nobody ever changes it, but for the marks of a test."""
    with quick_folder(tmp_path_factory.mktemp("newer")) as folder:
        yield unpacked(KEPT / f"{__version__}.tar.xz", folder).data_dir


def mark(name: str) -> Callable[[Path], Path]:
    """That a newer version has written what this is the number of."""

    def write(data_dir: Path) -> Path:
        path = data_dir / VERSION_FILE
        path.write_bytes(msgspec.json.encode(msgspec.structs.replace(OURS, **{name: getattr(OURS, name) + 1})))
        return path

    return write


def mark_segment(data_dir: Path) -> Path:
    path = max((data_dir / LOG).glob("*.segment"))
    prefix = struct.pack("<8sI", b"PROCWAL\n", FORMAT_VERSION + 1)
    path.write_bytes(prefix + struct.pack("<I", zlib.crc32(prefix)) + path.read_bytes()[16:])
    return path


def mark_checkpoint(data_dir: Path) -> Path:
    path = data_dir / CHECKPOINT
    path.write_bytes(b"procession live table %d\n" % (CHECKPOINT_FORMAT + 1) + path.read_bytes())
    return path


MARKS = {
    "tables": (mark("tables"), f"its tables are at {NEWEST + 1}, this one knows {NEWEST}"),
    "records": (
        mark("records"),
        f"the format of its log's records is {OURS.records + 1}, this one knows {OURS.records}",
    ),
    "kinds of records": (
        mark("record_kinds"),
        f"its log has records of kind {OURS.record_kinds + 1}, this one knows {OURS.record_kinds}",
    ),
    "log": (mark_segment, f"the format of its log is {FORMAT_VERSION + 1}, this one knows {FORMAT_VERSION}"),
    "checkpoint": (
        mark_checkpoint,
        f"the format of its checkpoint is {CHECKPOINT_FORMAT + 1}, this one knows {CHECKPOINT_FORMAT}",
    ),
}


@pytest.mark.parametrize("name", MARKS)
def test_a_store_that_a_newer_version_wrote_stays_as_it_is(data_dir: Path, name: str) -> None:
    write, said = MARKS[name]
    kept = {
        path: path.read_bytes() for path in data_dir.rglob("*") if path.is_file() and "clickhouse" not in path.parts
    }
    write(data_dir)
    try:
        before = contents(data_dir)

        for opening in (open_embedded, open_history):
            with pytest.raises(UsageError) as caught:
                opening(data_dir)
            assert str(caught.value).startswith(
                f"the data folder {data_dir} was written by a newer Procession ({said});"
            )
            assert "\n" not in str(caught.value)
        assert newer_in(data_dir) == said
        assert contents(data_dir) == before
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def test_each_command_that_opens_a_store_says_no(data_dir: Path, tmp_path: Path) -> None:
    kept = (data_dir / VERSION_FILE).read_bytes()
    mark("tables")(data_dir)
    try:
        before = contents(data_dir)
        commands = (
            ("serve", "--listen", "127.0.0.1:0"),
            ("orgs", "list"),
            ("backup", tmp_path / "backup"),
        )
        for command in commands:
            told = call(*command, "--data-dir", data_dir)
            assert told.returncode == 1, told
            (line,) = told.stderr.splitlines()
            assert "was written by a newer Procession" in line
        checked = call("upgrade", "check", "--data-dir", data_dir)
        assert checked.returncode == 1
        assert "refused" in checked.stdout.splitlines()[1]
        assert contents(data_dir) == before
    finally:
        (data_dir / VERSION_FILE).write_bytes(kept)


def test_an_agent_leaves_the_spool_of_a_newer_one_alone(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    Spool(folder).close()
    assert (folder / "format").read_text() == f"{SPOOL_FORMAT}\n"
    (folder / "format").write_text(f"{SPOOL_FORMAT + 1}\n")
    (folder / "00000000000000000001.snapshot").write_bytes(b"of another format")
    (folder / "something.parts").write_bytes(b"that only the newer one knows")
    before = contents(folder)

    with pytest.raises(NewerSpool, match=r"a newer Procession has left snapshots in .* this one knows") as caught:
        Spool(folder)

    assert "\n" not in str(caught.value)
    assert contents(folder) == before


def test_a_version_is_written_once_and_what_is_no_version_is_none(tmp_path: Path) -> None:
    write_version(tmp_path, OURS)
    written = (tmp_path / VERSION_FILE).stat().st_mtime_ns
    write_version(tmp_path, OURS)

    assert (tmp_path / VERSION_FILE).stat().st_mtime_ns == written
    (tmp_path / VERSION_FILE).write_bytes(b"{}garbage")
    assert newer_in(tmp_path) is None
