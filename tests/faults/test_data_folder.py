"""A data folder that this version did not leave so: it is refused in a line that says why, and stays what it was."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from procession.storage.history.tables.migrations import NEWEST
from procession.storage.wal import Entry, WriteAheadLog
from procession.storage.wal.segment import segments_in
from tests.faults.machines.hosts import API_KEY, NO_DIFFERENCE, Host, difference
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import ask, chunks_of
from tests.support.agents.posters import Poster
from tests.support.running import PROCESSION, clean_environment, eventually
from tests.support.torture import is_full, quoted, record

TABLES = "SELECT name, engine_full FROM system.tables WHERE database = 'default' ORDER BY name"


def complaint(command: str, data_dir: Path) -> str:
    """The line of a command that does not start."""
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir))
    result = subprocess.run([*PROCESSION, command, *options], env=clean_environment(), capture_output=True, timeout=120)
    said = result.stderr.decode("utf-8", "replace")
    assert result.returncode == 1, said
    assert "Traceback" not in said
    # The engine may have written what it found to the same place before.
    (line,) = [line for line in said.splitlines() if line.startswith("procession: ")]
    assert said.endswith(line + "\n")
    return line


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Path]]:
    """A folder that a server has left, and the host whose snapshots are in it."""
    folder = tmp_path_factory.mktemp("full")
    with ExitStack() as ending:
        server = Server(folder / "data")
        ending.callback(server.close)
        server.start()
        host = Host(folder, "web-1", server.url)
        ending.callback(host.close)
        host.start()
        host.wait_for_snapshots(3)
        host.wait_until_delivered()
        host.stop()
        server.stop()
        yield host, server.data_dir


@pytest.fixture
def host(full: tuple[Host, Path], server: Server) -> Host:
    """Its snapshots are in the folder of `server`, which is a copy."""
    found, data_dir = full
    shutil.copytree(data_dir, server.data_dir, symlinks=True)
    return found


def test_a_folder_of_a_newer_version_is_left_to_it(server: Server, host: Host) -> None:
    newest = NEWEST
    ask(server.data_dir, f"INSERT INTO migrations VALUES ({newest + 1}, 'from the future', 1)")  # noqa: S608
    tables, chunks = ask(server.data_dir, TABLES), chunks_of(server.data_dir)
    files = _names(server.data_dir / "keys")

    lines = [complaint(command, server.data_dir) for command in ("serve", "up")]

    for line in lines:
        assert f"the data folder {server.data_dir} was written by a newer Procession" in line
        assert f"(its tables are at {newest + 1}, this one knows {newest})" in line
        assert "start that version, or use another folder with --data-dir" in line
    assert ask(server.data_dir, TABLES) == tables
    assert chunks_of(server.data_dir) == chunks
    assert _names(server.data_dir / "keys") == files
    assert difference(host, chunks) == NO_DIFFERENCE
    record("data folder of a newer version", times=len(lines), lost=0, answered=quoted(lines[0]))


def begin_a_newer_segment(log: Path) -> None:
    newest = segments_in(log)[-1]
    prefix = struct.pack("<8sI", b"PROCWAL\n", 2)
    newest.write_bytes(prefix + struct.pack("<I", zlib.crc32(prefix)) + newest.read_bytes()[16:])


def append_a_newer_record(log: Path) -> None:
    opened = WriteAheadLog(log)
    opened.append(Entry(1, 200, 1, b"what only a newer version knows")).result(60)
    opened.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (begin_a_newer_segment, "was written by a newer Procession (the format of its log is 2, this one knows 1)"),
        (append_a_newer_record, "of the log is of kind 200, which a newer version writes"),
    ],
)
def test_what_was_acknowledged_outlives_a_server_that_is_too_old_for_its_log(
    tmp_path: Path, server: Server, change: Callable[[Path], None], said: str
) -> None:
    """As it was killed under load: some of it is in the log alone."""
    posters = [Poster(API_KEY, f"load-{number}", chunk=40) for number in range(2)]
    rounds = 10 if is_full() else 1
    log, kept = server.data_dir / "wal", tmp_path / "kept"

    server.start()
    for _ in range(rounds):
        enough = sum(len(poster.acknowledged) for poster in posters) + 20
        for poster in posters:
            poster.begin(server.url)
        eventually(lambda: sum(len(poster.acknowledged) for poster in posters) >= enough, what="posting")  # noqa: B023
        server.kill()
        for poster in posters:
            poster.end()
        shutil.copytree(log, kept)
        change(log)
        changed = _names(log)

        line = complaint("serve", server.data_dir)

        assert said in line
        assert _names(log) == changed
        # The version that wrote it has taken what is in it, or it is brought back.
        shutil.rmtree(log)
        kept.rename(log)
        server.start()
        listed = server.times_listed()
        there = {(host, pid // 40) for host, pid in listed}
        lost = {(one.host, chunk) for one in posters for chunk in one.acknowledged} - there
        assert lost == set()
        assert there <= {(one.host, chunk) for one in posters for chunk in one.sent}
        assert set(listed.values()) == {1}
    server.stop()
    record("log of a newer version, under load", times=rounds, lost=len(lost), answered=quoted(line))


def test_garbage_in_place_of_the_store_is_named(server: Server, host: Host, tmp_path: Path) -> None:
    store = server.data_dir / "clickhouse"
    kept = tmp_path / "kept"
    store.rename(kept)
    store.write_bytes(bytes(range(256)) * 100)
    before = store.read_bytes()

    line = complaint("serve", server.data_dir)

    assert f"cannot open the store in {server.data_dir}: " in line
    assert "bring back a copy of the folder, or use another one with --data-dir" in line
    assert store.read_bytes() == before
    store.unlink()
    kept.rename(store)
    assert difference(host, chunks_of(server.data_dir)) == NO_DIFFERENCE
    record("garbage in place of the store", times=1, lost=0, answered=quoted(line))


def test_garbage_in_place_of_a_table_is_named_and_what_is_beside_it_stays(server: Server, host: Host) -> None:
    definition = _definition_of(server.data_dir, "snapshots")
    text = definition.read_bytes()
    definition.write_bytes(b"\x00\xff garbage " * 20)

    line = complaint("serve", server.data_dir)

    assert f"cannot open the store in {server.data_dir}: " in line
    assert definition.read_bytes() == b"\x00\xff garbage " * 20
    definition.write_bytes(text)
    server.start()
    server.stop()
    assert difference(host, chunks_of(server.data_dir)) == NO_DIFFERENCE
    record("garbage in the definition of a table", times=1, lost=0, answered=quoted(line))


def _names(folder: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


def _definition_of(data_dir: Path, table: str) -> Path:
    (found,) = (data_dir / "clickhouse").rglob(f"{table}.sql")
    return found.resolve()


def test_garbage_in_place_of_a_key_gets_a_new_key(server: Server, host: Host) -> None:
    key = server.data_dir / "keys" / "application-key"
    key.write_bytes(b"\xff\xfe garbage")

    server.start()
    listed = server.times_listed()
    server.stop()

    assert key.read_text().strip().isalnum()
    assert listed
    assert any("application key" in line for line in server.output)
