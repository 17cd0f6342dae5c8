from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from procession.audit.expiry import DAY_SECONDS
from procession.audit.trail import FILE_SECONDS, Trail
from procession.audit.verification import verify
from tests.audit.trails import NOON, a_trail, all_records, folder_in, lines_in


def test_a_trail_goes_on_over_restarts_and_files(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)

    a_trail(folder, 2, 3, 1)

    numbers = [record["number"] for record in all_records(folder)]
    assert [path.name for path in folder.files()] == [f"{number:012d}.jsonl" for number in (1, 4, 8)]
    assert numbers == list(range(1, 10))
    assert verify(folder).is_good


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    old = os.umask(0)
    try:
        a_trail(folder, 1)
    finally:
        os.umask(old)

    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()} == {0o600}


@pytest.mark.parametrize("torn", [b'{"number":4,"at"', b"\0" * 100, b"{"])
def test_a_torn_end_is_cut_off_and_recorded(tmp_path: Path, torn: bytes) -> None:
    folder = folder_in(tmp_path)
    before = a_trail(folder, 2)
    with folder.files()[-1].open("ab") as file:
        file.write(torn)
    assert verify(folder).is_being_written
    assert verify(folder).is_good

    a_trail(folder, 1)

    assert lines_in(folder)[: len(before)] == before
    (record,) = all_records(folder, "torn")
    assert record["bytes"] == len(torn)
    assert verify(folder).is_good


def test_what_was_written_behind_the_head_counts(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2)
    head = folder.head_file.read_bytes()
    before = a_trail(folder, 3, 1)
    folder.head_file.write_bytes(head)
    assert verify(folder).is_good

    after = a_trail(folder, 1)

    assert after[: len(before)] == before
    assert all_records(folder, "torn", "damaged") == []
    assert verify(folder).is_good


def test_a_file_that_was_begun_and_not_written_is_no_damage(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2)
    folder.file_of(4).write_bytes(b'{"numbe')

    a_trail(folder, 1)

    assert [record["bytes"] for record in all_records(folder, "torn")] == [7]
    assert verify(folder).is_good


def test_a_trail_that_lost_its_end_says_so_for_ever(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    before = a_trail(folder, 4)
    folder.files()[0].write_bytes(b"".join(before[:3]))

    a_trail(folder, 1)

    assert all_records(folder, "damaged")[0]["reason"] == "000000000001.jsonl was shorter than it was written"
    assert verify(folder).broken.startswith("record 4 (")


def test_a_trail_whose_head_was_removed_says_so_for_ever(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 4)
    folder.head_file.unlink()

    a_trail(folder, 1)

    report = verify(folder)
    assert not report.broken
    assert not report.is_good
    assert report.told == ["record 7 says: the head was missing, or not signed by this server"]


def test_only_one_process_writes_a_trail(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    trail = Trail(folder, retention_days=1, now=NOON)

    with pytest.raises(OSError, match="another process writes this audit trail"):
        Trail(folder, retention_days=1, now=NOON)
    trail.close()
    Trail(folder, retention_days=1, now=NOON).close()


def test_a_file_is_followed_by_another_after_a_day(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    trail = Trail(folder, retention_days=1, now=NOON)
    for now in (NOON, NOON + FILE_SECONDS - 1, NOON + FILE_SECONDS, NOON + FILE_SECONDS + 1):
        trail.append([{"at": now, "kind": "request"}], now=now)
    trail.close()

    assert len(folder.files()) == 2


def expire(folder_path: Path, retention_days: int, now: float) -> None:
    trail = Trail(folder_in(folder_path), retention_days=retention_days, now=now)
    trail.append([{"at": now, "kind": "request"}], now=now)
    trail.expire(now)
    trail.close()


def test_what_expired_leaves_an_anchor_and_verify_still_passes(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2, 3)

    expire(tmp_path, 30, NOON + 31 * DAY_SECONDS)
    once = lines_in(folder)
    expire(tmp_path, 30, NOON + 70 * DAY_SECONDS)

    assert once[0].startswith(b'{"first":1,"last":7,')
    assert [(one["first"], one["last"]) for one in all_records(folder, "expired")] == [(8, 11)]
    assert lines_in(folder)[0].startswith(b'{"first":1,"last":11,')
    report = verify(folder)
    assert report.is_good
    assert report.anchors == 1


def test_an_anchor_that_was_forged_is_found(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2)
    expire(tmp_path, 30, NOON + 31 * DAY_SECONDS)
    first = folder.files()[0]
    line = first.read_bytes()

    first.write_bytes(line.replace(b'"last":3', b'"last":4'))
    forged = verify(folder).broken
    first.unlink()
    removed = verify(folder).broken

    assert "signature does not fit" in forged
    assert removed.startswith("record 1 (")


def test_a_shorter_retention_is_recorded_and_holds_for_new_records_only(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2, retention_days=100)
    a_trail(folder, 2, retention_days=10)

    expire(tmp_path, 10, NOON + 50 * DAY_SECONDS)

    assert [(one["days_before"], one["days"]) for one in all_records(folder, "retention")] == [(100, 10)]
    kept = [record["number"] for record in all_records(folder) if "number" in record]
    assert kept[:4] == [1, 2, 3, 4]
    assert [(one["first"], one["last"]) for one in all_records(folder, "expired")] == [(5, 7)]
    assert verify(folder).is_good

    expire(tmp_path, 10, NOON + 101 * DAY_SECONDS)

    assert lines_in(folder)[0].startswith(b'{"first":1,')
    assert verify(folder).is_good


def test_an_anchor_does_not_hide_what_was_changed_before(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 3)
    path = folder.files()[0]
    path.write_bytes(path.read_bytes().replace(b"q1", b"q7"))

    expire(tmp_path, 30, NOON + 31 * DAY_SECONDS)

    report = verify(folder)
    assert not report.is_good
    assert "record 3" in report.told[0]


def test_a_stop_between_anchor_and_removal_is_made_good(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2, 2)
    left = folder.files()[1].read_bytes()
    expire(tmp_path, 30, NOON + 31 * DAY_SECONDS)
    folder.file_of(4).write_bytes(left)
    assert verify(folder).is_good

    expire(tmp_path, 30, NOON + 32 * DAY_SECONDS)

    assert not folder.file_of(4).exists()
    assert verify(folder).is_good
