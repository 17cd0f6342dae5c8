from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from procession.audit import AuditFolder
from procession.audit.chain import Anchor, BrokenChain, ChainLink
from procession.audit.verification import verify
from tests.audit.trails import a_trail, folder_in

COUNTS = (4, 1, 6)
"""Records of the files, besides the first of each."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> AuditFolder:
    folder = folder_in(tmp_path_factory.mktemp("whole"))
    a_trail(folder, *COUNTS)
    assert verify(folder).broken == ""
    return folder


def broken_by(whole: AuditFolder, files: list[bytes | None]) -> str:
    """What is said of a copy of a trail whose files hold this; None is one that is not there."""
    with TemporaryDirectory() as place:
        copy = AuditFolder(Path(place) / "audit")
        shutil.copytree(whole.path, copy.path)
        for path, data in zip(whole.files(), files, strict=True):
            if data is None:
                (copy.path / path.name).unlink()
            else:
                (copy.path / path.name).write_bytes(data)
        return verify(copy).broken


def lines_by_file(folder: AuditFolder) -> list[list[bytes]]:
    return [path.read_bytes().splitlines(keepends=True) for path in folder.files()]


slow_disks = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slow_disks
@given(data=st.data())
def test_a_byte_that_was_changed_is_found(whole: AuditFolder, data: st.DataObject) -> None:
    files = [bytearray(path.read_bytes()) for path in whole.files()]
    file = data.draw(st.sampled_from(files))
    place = data.draw(st.integers(0, len(file) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(file[place] != byte)

    file[place] = byte

    assert broken_by(whole, [bytes(one) for one in files])


@slow_disks
@given(data=st.data())
def test_a_record_that_was_removed_is_found(whole: AuditFolder, data: st.DataObject) -> None:
    files = lines_by_file(whole)
    file = data.draw(st.sampled_from(files))
    del file[data.draw(st.integers(0, len(file) - 1))]

    assert broken_by(whole, [b"".join(one) for one in files])


@slow_disks
@given(data=st.data())
def test_records_that_were_swapped_are_found(whole: AuditFolder, data: st.DataObject) -> None:
    files = lines_by_file(whole)
    places = [(file, place) for file, lines in enumerate(files) for place in range(len(lines))]
    one, other = data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True))

    files[one[0]][one[1]], files[other[0]][other[1]] = files[other[0]][other[1]], files[one[0]][one[1]]

    assert broken_by(whole, [b"".join(lines) for lines in files])


@slow_disks
@given(data=st.data())
def test_a_record_that_was_written_twice_is_found(whole: AuditFolder, data: st.DataObject) -> None:
    files = lines_by_file(whole)
    again = data.draw(st.sampled_from([line for lines in files for line in lines]))
    file = data.draw(st.sampled_from(files))
    file.insert(data.draw(st.integers(0, len(file))), again)

    # Behind the newest record it is what a writer may be at; a server that starts there cuts it off and records it.
    assume(file is not files[-1] or file[-1] is not again)

    assert broken_by(whole, [b"".join(lines) for lines in files])


@slow_disks
@given(data=st.data())
def test_a_file_that_was_cut_short_is_found(whole: AuditFolder, data: st.DataObject) -> None:
    files = [path.read_bytes() for path in whole.files()]
    place = data.draw(st.integers(0, len(files) - 1))
    files[place] = files[place][: data.draw(st.integers(0, len(files[place]) - 1))]

    assert broken_by(whole, list(files))


def test_files_that_were_removed_are_found(whole: AuditFolder) -> None:
    files = [path.read_bytes() for path in whole.files()]

    for gone in range(len(files)):
        left: list[bytes | None] = [None if place == gone else data for place, data in enumerate(files)]
        assert broken_by(whole, left)
    assert broken_by(whole, [None] * len(files)).startswith("records 1 to 14, of which the head knows, are missing")


def test_what_is_broken_is_named(whole: AuditFolder) -> None:
    files = lines_by_file(whole)
    files[1][1] = files[1][1].replace(b"q0", b"q9")

    said = broken_by(whole, [b"".join(lines) for lines in files])

    assert said.startswith("record 7 (")
    assert said.endswith("000000000006.jsonl, line 2): its hash does not fit: it was changed, or is not in its place")


def test_a_chain_that_somebody_made_anew_does_not_fit_the_head(whole: AuditFolder) -> None:
    link, lines = ChainLink(), list[bytes]()
    for number in range(14):
        line, link = link.sealed({"at": 0, "kind": "request", "asked": {"search": f"harmless {number}"}})
        lines.append(line)

    assert "another one than" in broken_by(whole, [b"".join(lines[:5]), b"".join(lines[5:7]), b"".join(lines[7:])])


def test_a_head_that_was_removed_or_forged_is_found(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2)
    head = folder.head_file.read_bytes()

    folder.head_file.write_bytes(head.replace(b'"number":3', b'"number":2'))
    forged = verify(folder).broken
    folder.head_file.unlink()
    removed = verify(folder).broken

    assert forged == removed == f"{folder.head_file} is missing, or not what was written"


def test_a_line_says_what_the_docs_say(tmp_path: Path) -> None:
    line, link = ChainLink().sealed({"at": 1.5, "asked": {"search": "é\n\x1b[2J"}})

    assert line == line.strip() + b"\n"
    assert line.isascii()
    assert b"\x1b" not in line
    assert json.loads(line)["asked"] == {"search": "é\n\x1b[2J"}
    assert json.loads(line)["number"] == link.number == 1
    assert ChainLink().after(line) == link


@pytest.mark.parametrize("line", [b"", b"\n", b"{}\n", b"x" * 100, b'{"number":1,"hash":"' + b"0" * 64 + b'"}\n'])
def test_what_is_no_record_is_none(line: bytes) -> None:
    with pytest.raises(BrokenChain):
        ChainLink().after(line)


def test_an_anchor_is_good_only_as_it_was_signed() -> None:
    anchor = Anchor(3, 9, bytes(32), bytes(range(32)), 1_790_000_000)
    line = anchor.line(b"key")

    assert Anchor.parse(line, b"key") == anchor
    for forged in (line.replace(b'"last":9', b'"last":8'), line.replace(b'"first":3', b'"first":1'), line[:-3] + b"\n"):
        with pytest.raises(BrokenChain):
            Anchor.parse(forged, b"key")
    with pytest.raises(BrokenChain):
        Anchor.parse(line, b"another key")
    assert Anchor.parse(b'{"number":1}\n', b"key") is None
