from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from procession.audit import AuditFolder, AuditWriter
from procession.audit.verification import verify
from procession.errors import Unavailable
from tests.audit.trails import a_change, a_writer, all_records, an_entry, folder_in, until
from tests.support.small_disk import fill, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=1) as place:
        yield place


def test_what_was_noted_is_written_in_order(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    writer = a_writer(folder)

    for number in range(50):
        writer.note(an_entry(query=b"search=%d" % number))
    intent = writer.write(a_change(status=None)).result(30)
    writer.close()

    asked = [record["asked"]["search"] for record in all_records(folder, "request")]
    assert asked == [str(number) for number in range(50)]
    assert [record["number"] for record in all_records(folder, "intent")] == [intent]
    assert all_records(folder)[-1]["kind"] == "stopped"
    assert verify(folder).is_good


def test_many_threads_at_once_make_one_chain(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    writer = a_writer(folder)

    def change(name: int) -> None:
        for number in range(20):
            writer.write(a_change(query=b"search=%d-%d" % (name, number))).result(30)

    threads = [threading.Thread(target=change, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    writer.close()

    assert len(all_records(folder, "request")) == 160
    assert verify(folder).is_good


def test_a_start_records_the_settings_and_what_of_them_has_changed(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    for settings in ({"listen": "a"}, {"listen": "b", "rate-limit": 5}):
        writer = a_writer(folder)
        writer.started("1.2.3", settings, [{"kind": "key", "subject": "made", "action": "created"}])
        writer.close()

    first, second = all_records(folder, "started")
    assert second["settings"] == {"listen": "b", "rate-limit": 5}
    assert [(one["subject"], one["before"], one["after"]) for one in second["changes"][1:]] == [
        ("listen", "a", "b"),
        ("rate-limit", None, 5),
    ]
    assert [one["subject"] for one in first["changes"]] == ["made", "listen"]


def refused(writer: AuditWriter) -> str:
    with pytest.raises(Unavailable) as error:
        writer.write(a_change(status=None)).result(30)
    return str(error.value)


def test_a_full_disk_refuses_changes_and_the_gap_is_recorded_when_there_is_room(disk: Path) -> None:
    folder = AuditFolder(disk / "audit")
    writer = a_writer(folder, most_waiting=100)
    writer.write(a_change(status=None)).result(30)
    fill(disk)

    number = 0
    while not writer.failure:
        writer.note(an_entry(query=b"search=%d-%s" % (number, b"x" * 900)))
        number += 1
        until(lambda: len(writer._queue) < 50)
    said = refused(writer)
    with pytest.raises(Unavailable):
        writer.require_writable()
    for more in range(500):
        writer.note(an_entry(query=b"search=more-%d" % more))
    until(lambda: not writer._queue)
    (disk / "filler").write_bytes(b"")
    until(lambda: not writer.failure)
    writer.require_writable()
    writer.write(a_change(status=None)).result(30)
    writer.close()

    assert "The audit trail cannot be written (no space left on device)" in said
    gaps = all_records(folder, "gap")
    kept = len(all_records(folder, "request"))
    assert {gap["reason"] for gap in gaps} <= {"no space left on device", "more was asked than could be written"}
    assert sum(gap["missed"] for gap in gaps) + kept == number + 500
    assert sum(gap["missed"] for gap in gaps) > 0
    report = verify(folder)
    assert report.is_good
    assert report.gaps == len(gaps)


def test_a_folder_that_may_not_be_written_refuses_changes_until_it_may(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    folder.path.write_text("in the way")
    writer = a_writer(folder)

    said = refused(writer)
    writer.note(an_entry())
    folder.path.unlink()
    until(lambda: not writer.failure)
    writer.close()

    assert "file exists" in said
    assert [record["kind"] for record in all_records(folder)] == ["file", "gap", "request", "stopped"]
    assert verify(folder).is_good


def test_what_waits_is_bounded_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    writer = a_writer(folder, most_waiting=10, gather_seconds=3600.0)
    until(lambda: writer._thread.is_alive())
    for number in range(25):
        writer.note(an_entry(query=b"search=%d" % number))

    assert len(writer._queue) == 10
    assert "more was asked than could be written" in writer.failure
    with pytest.raises(Unavailable):
        writer.write(a_change(status=None))
    writer.close()

    assert [gap["missed"] for gap in all_records(folder, "gap")] == [15]
    assert len(all_records(folder, "request")) == 10


def test_after_its_end_nothing_is_changed(tmp_path: Path) -> None:
    writer = a_writer(folder_in(tmp_path))
    writer.close()

    assert "the server is stopping" in refused(writer)
