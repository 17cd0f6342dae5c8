"""A backup as a file: what is in it comes out of it, or nothing does."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
from pathlib import Path
from typing import Any

import pytest

from procession.backup.archive import open_archive
from procession.backup.backing_up import check_place, check_space, plan, write_backup
from procession.backup.container import BackupWriter
from procession.backup.manifest import MOST_BYTES, Manifest
from procession.backup.restoring import restore
from procession.backup.sealing import CHUNK_BYTES, TAG_BYTES
from procession.errors import UsageError
from procession.inventory import FrozenStore
from procession.storage.history.tables.migrations import MIGRATIONS, NEWEST
from tests.backup.building import PASSPHRASE, silent

SIZES = (0, 1, 1000, CHUNK_BYTES, CHUNK_BYTES + 1)
SEALED = pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "sealed"])


@pytest.fixture
def frozen(tmp_path: Path) -> FrozenStore:
    """Of parts as the engine has them, by their names."""
    generator = random.Random(1)
    for table, parts in (("orgs", ("all_1_1_0",)), ("exits", ("19675_1_4_1", "19675_5_5_0"))):
        for number, part in enumerate(parts):
            folder = tmp_path / "frozen" / table / part
            folder.mkdir(parents=True)
            (folder / "count.txt").write_text(str(number + 3))
            for size in SIZES if number == 0 else (10,):
                (folder / f"data{size}.bin").write_bytes(generator.randbytes(size))
    return frozen_in(tmp_path / "frozen")


def frozen_in(folder: Path) -> FrozenStore:
    return FrozenStore(
        name="backup1",
        taken_at=7,
        schema=NEWEST,
        schema_name=MIGRATIONS[-1].name,
        folders={one.name: str(one) for one in sorted(folder.iterdir())},
    )


def write(frozen: FrozenStore, path: Path, passphrase: str | None = None, *, since: Path | None = None) -> Manifest:
    if since is None:
        return write_backup(plan(frozen, None), path, passphrase, silent)
    with open_archive(since, passphrase) as earlier:
        return write_backup(plan(frozen, earlier), path, passphrase, silent)


def read(path: Path, passphrase: str | None = None) -> dict[str, bytes]:
    with open_archive(path, passphrase) as archive:
        return {
            f"{part.table}/{part.name}/{file.name}": b"".join(archive.backup_of(part).file_pieces(part, index))
            for part in archive.manifest.parts
            for index, file in enumerate(part.files)
        }


def there(frozen: FrozenStore) -> dict[str, bytes]:
    folder = Path(next(iter(frozen.folders.values()))).parent
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def complaint(path: Path, passphrase: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read(path, passphrase)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@SEALED
def test_what_was_copied_comes_out(frozen: FrozenStore, tmp_path: Path, passphrase: str | None) -> None:
    write(frozen, tmp_path / "backup", passphrase)

    assert read(tmp_path / "backup", passphrase) == there(frozen)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@SEALED
def test_a_byte_that_was_changed_is_noticed_wherever_it_is(
    frozen: FrozenStore, tmp_path: Path, passphrase: str | None
) -> None:
    path = tmp_path / "backup"
    write(frozen, path, passphrase)
    data = path.read_bytes()
    generator = random.Random(2)
    # The head, what follows it, the middle, and the end with its list.
    places = [0, 18, 25, 60, *generator.sample(range(len(data)), 8), len(data) - 60, len(data) - 1]

    for place in places:
        changed = bytearray(data)
        changed[place] ^= generator.randrange(1, 256)
        path.write_bytes(changed)

        assert str(path) in complaint(path, passphrase), place


@SEALED
def test_a_file_that_was_cut_off_is_noticed_wherever_it_is(
    frozen: FrozenStore, tmp_path: Path, passphrase: str | None
) -> None:
    path = tmp_path / "backup"
    write(frozen, path, passphrase)
    size = path.stat().st_size

    for length in (size - 1, size - 48, size // 2, CHUNK_BYTES + 200, 300, 30, 19, 0):
        os.truncate(path, length)

        assert complaint(path, passphrase)


def test_chunks_that_changed_places_are_noticed(frozen: FrozenStore, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    write(frozen, path, PASSPHRASE)
    data, chunk = path.read_bytes(), CHUNK_BYTES + TAG_BYTES
    first = data.index(b"}}") + 2
    second, third = first + chunk, first + 2 * chunk

    path.write_bytes(data[:first] + data[second:third] + data[first:second] + data[third:])

    assert "is damaged" in complaint(path, PASSPHRASE)


def test_a_passphrase_that_is_wrong_or_missing_is_named(frozen: FrozenStore, tmp_path: Path) -> None:
    path = tmp_path / "backup"
    write(frozen, path, PASSPHRASE)

    assert complaint(path, "another") == f"the passphrase is not that of {path}"
    assert "is encrypted; give its passphrase with --passphrase-file" in complaint(path)
    assert b"count.txt" not in path.read_bytes()


def test_a_plain_file_is_not_taken_for_an_encrypted_one(frozen: FrozenStore, tmp_path: Path) -> None:
    write(frozen, tmp_path / "first")
    write_backup(plan(frozen, None), tmp_path / "sealed", PASSPHRASE, silent)
    with open_archive(tmp_path / "first", None) as earlier:
        write_backup(plan(frozen, earlier), tmp_path / "second", PASSPHRASE, silent)

    (tmp_path / "sealed").write_bytes((tmp_path / "first").read_bytes())

    assert "is not encrypted; leave out --passphrase-file" in complaint(tmp_path / "sealed", PASSPHRASE)
    # The list of this one is sealed, and it has the checksums of what the other brings.
    assert read(tmp_path / "second", PASSPHRASE) == there(frozen)


def test_a_key_that_would_take_all_memory_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    head = {"sealing": {"salt": "A" * 22 + "==", "log_n": 40, "r": 8, "p": 1, "check": "AAAA"}}
    text = json.dumps(head).encode()
    path.write_bytes(b"procession backup 1\n" + len(text).to_bytes(4, "little") + text)

    assert "in a way that is not known" in complaint(path, PASSPHRASE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        os.urandom(5000),
        b"PK\x03\x04" + bytes(100),
        b"procession live table 1\n" + bytes(99),
        b"procession backup x\n",
    ],
    ids=["empty", "line", "random", "zip", "checkpoint", "almost"],
)
def test_a_file_of_another_program_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "backup"
    path.write_bytes(content)

    assert complaint(path) == f"{path} is no backup of Procession"


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "it is not a file" in complaint(tmp_path / "pipe")
    assert "cannot read" in complaint(tmp_path / "nothing")
    assert complaint(tmp_path)


def test_a_backup_in_a_newer_form_is_left_to_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_bytes(b"procession backup 2\n" + bytes(100))

    assert "was written by a newer Procession" in complaint(path)


# What is only new


def test_what_an_earlier_backup_has_is_not_copied_again(frozen: FrozenStore, tmp_path: Path) -> None:
    write(frozen, tmp_path / "first")
    folder = Path(frozen.folders["exits"])
    # It was merged; and a part of this name is another one.
    (folder / "19675_1_4_1").rename(folder / "19675_1_5_2")
    (folder / "19675_5_5_0" / "data10.bin").write_bytes(b"0123456789")
    second = write(frozen, tmp_path / "second", since=tmp_path / "first")
    third = write(frozen, tmp_path / "third", since=tmp_path / "second")

    assert read(tmp_path / "second") == read(tmp_path / "third") == there(frozen)
    assert {part.name for part in second.parts if part.source is not None} == {"all_1_1_0"}
    assert [part.source is None for part in third.parts] == [False] * 3
    # Each names those that have the bytes, however many there are in between.
    assert [source.name for source in third.sources] == ["second", "first"]
    (tmp_path / "first").unlink()
    assert "builds on first, which is not in its folder" in complaint(tmp_path / "second")
    write(frozen, tmp_path / "first")
    assert "builds on another backup than" in complaint(tmp_path / "second")


def test_a_backup_that_builds_on_one_elsewhere_is_refused_before_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in the same folder"):
        check_place(tmp_path / "second", tmp_path / "elsewhere" / "first")


def test_a_backup_with_a_name_that_would_act_on_a_terminal_is_not_built_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give it another name") as caught:
        check_place(tmp_path / "second", tmp_path / "fir\x1b[2Jst")

    assert str(caught.value).isprintable()


# What stands still, and links


@pytest.mark.parametrize("linked", ["data0.bin", "count.txt", "", ".."])
def test_nothing_is_read_through_a_link(frozen: FrozenStore, tmp_path: Path, linked: str) -> None:
    """Of who may write to the store, and not read what whoever makes the backup can."""
    planned = plan(frozen, None)
    path = (planned.new[0].folder / linked).resolve()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    for wanted in (planned, plan(frozen, None)):
        with pytest.raises(UsageError, match="is no file of a store: a link leads to it"):
            write_backup(wanted, tmp_path / "backup", None, silent)
    assert not (tmp_path / "backup").exists()


def test_what_waits_for_a_writer_is_not_waited_for(frozen: FrozenStore, tmp_path: Path) -> None:
    os.mkfifo(Path(frozen.folders["orgs"]) / "all_1_1_0" / "pipe")

    with pytest.raises(UsageError, match="is no file of a store"):
        write(frozen, tmp_path / "backup")


# What was crafted


def crafted(path: Path, manifest: dict[str, Any]) -> None:
    """A file of nothing but its list."""
    with BackupWriter(path, None) as writer:
        writer.write(ending(manifest))
        writer.finish()


def ending(manifest: dict[str, Any]) -> bytes:
    """The list with what follows it."""
    text = json.dumps(manifest).encode()
    return text + struct.pack("<32sQ8s", hashlib.sha256(text).digest(), len(text), b"PROCBEND")


def a_manifest(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "version": "1",
        "taken_at": 1,
        "schema": NEWEST,
        "schema_name": MIGRATIONS[-1].name,
        "sources": [],
        "parts": [a_part()],
    } | changes


def a_part(**changes: Any) -> dict[str, Any]:
    return {"table": "orgs", "name": "all_1_1_0", "rows": 1, "files": [["data.bin", 0, "0" * 64]]} | changes


def a_file(name: str = "data.bin", size: Any = 0, sha256: str = "0" * 64) -> dict[str, Any]:
    return a_part(files=[[name, size, sha256]])


CRAFTED: dict[str, dict[str, Any]] = {
    **{
        f"file {name!r}": a_manifest(parts=[a_file(name)])
        for name in ("../x", "/etc/x", "a/b", "..", ".x", "", "x\0y", "x\n", "a\\b", "x" * 300)
    },
    **{
        f"part {name!r}": a_manifest(parts=[a_part(name=name)])
        for name in (
            "../../x",
            "/x",
            "..",
            "all",
            "all_1_1_0/../..",
            "all_1_1_0' OR 1 --",
            "all_1_1_0\n",
            "1_1_1_1_1_1_1",
        )
    },
    **{
        f"table {name!r}": a_manifest(parts=[a_part(table=name)])
        for name in ("../x", "orgs; DROP TABLE keys", "", "ORGS")
    },
    **{
        f"earlier {name!r}": a_manifest(sources=[{"id": "1", "name": name}])
        for name in ("../other", "/etc/passwd", "..", ".", "", "x\x1b[2J", "x\n", "x\x9b1m")
    },
    "earlier backup twice": a_manifest(sources=[{"id": "1", "name": "x"}, {"id": "2", "name": "x"}]),
    "negative size": a_manifest(parts=[a_file(size=-1)]),
    "size that is no number": a_manifest(parts=[a_file(size="1")]),
    "size of more than there is": a_manifest(parts=[a_file(size=10)]),
    "size of 2**80": a_manifest(parts=[a_file(size=2**80)]),
    "sum of sizes past 64 bits": a_manifest(parts=[a_file(size=2**63 - 1), a_part(name="all_2_2_0")]),
    "checksum that is none": a_manifest(parts=[a_file(sha256="0")]),
    "part twice": a_manifest(parts=[a_part(), a_part()]),
    "file twice": a_manifest(parts=[a_part(files=[["a", 0, "0" * 64]] * 2)]),
    "earlier backup that is not listed": a_manifest(parts=[a_part(source=0)]),
    "earlier backup before the first": a_manifest(parts=[a_part(source=-1)], sources=[{"id": "1", "name": "x"}]),
    "field that nobody knows": a_manifest(more=1),
    "negative rows": a_manifest(parts=[a_part(rows=-1)]),
}


@pytest.mark.parametrize("manifest", CRAFTED.values(), ids=CRAFTED.keys())
def test_a_list_that_no_backup_has_is_refused(tmp_path: Path, manifest: dict[str, Any]) -> None:
    crafted(tmp_path / "backup", manifest)

    assert "is damaged" in complaint(tmp_path / "backup")


def test_a_list_that_is_too_long_or_nested_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    crafted(path, a_manifest(parts=json.loads("[" * 500 + "]" * 500)))
    assert "is damaged" in complaint(path)
    path.unlink()
    crafted(path, a_manifest())
    with path.open("r+b") as file:
        file.seek(-16, os.SEEK_END)
        file.write((MOST_BYTES + 1).to_bytes(8, "little"))
    assert "is damaged" in complaint(path)


def restoring(path: Path, data_dir: Path) -> str:
    with pytest.raises(UsageError) as caught, open_archive(path, None) as archive:
        restore(archive, data_dir, org=None, progress=silent, now=lambda: 1)
    assert "\n" not in str(caught.value)
    assert not data_dir.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": NEWEST + 1}, "was written by a newer Procession"),
        ({"schema_name": "another"}, "a Procession that was never released"),
        ({"schema": 0}, "a Procession that was never released"),
        ({"parts": [a_part(table="sessions")]}, "has tables that no backup has: sessions"),
        ({"parts": [a_part(table="passwords")]}, "has tables that no backup has: passwords"),
    ],
)
def test_tables_that_no_backup_has_are_refused_before_there_is_a_folder(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    crafted(tmp_path / "backup", a_manifest(**change))

    assert said in restoring(tmp_path / "backup", tmp_path / "data")


def test_a_backup_that_would_fill_the_disk_is_refused_before_there_is_a_folder(tmp_path: Path) -> None:
    path, size = tmp_path / "backup", 2**43
    crafted(path, a_manifest())
    start = path.read_bytes().index(b'{"id"')

    # A hole, which takes no space.
    with path.open("r+b") as file:
        file.truncate(start)
        file.seek(start + size)
        file.write(ending(a_manifest(parts=[a_file(size=size)])))

    assert "takes 8.8 TB and" in restoring(path, tmp_path / "data")


def test_missing_space_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"takes 1000\.0 TB and .* has .* free; make room"):
        check_space(tmp_path / "backup", 10**15)

    assert list(tmp_path.iterdir()) == []
