"""When the live table is written, and which file is believed after a start."""

from __future__ import annotations

from pathlib import Path

from procession.clock_skew import MAX_SKEW_SECONDS
from procession.storage.embedded.checkpoints import Checkpoints

AT = 1_700_000_000
MANY_BYTES = 10**9


def opened(path: Path, *, first: int, last: int, is_empty: bool = False) -> Checkpoints:
    return Checkpoints.open(path, first_sequence=first, last_sequence=last, live_bytes=2**30, is_empty=is_empty, now=AT)


def written(path: Path, position: int) -> None:
    first = opened(path, first=1, last=0, is_empty=True)
    first.applied = position
    first.write()


def test_a_store_that_never_had_anything_lacks_nothing(tmp_path: Path) -> None:
    found = opened(tmp_path / "live", first=1, last=0, is_empty=True)

    assert (found.table.since, found.position) == (0, 0)


def test_a_file_is_believed_where_the_log_goes_on_from_it(tmp_path: Path) -> None:
    written(tmp_path / "live", 50)

    for first, last in ((1, 50), (51, 50), (51, 90), (20, 60)):
        found = opened(tmp_path / "live", first=first, last=last)
        assert (found.table.since, found.position) == (0, 50)


def test_without_what_came_since_the_file_a_table_begins_empty(tmp_path: Path) -> None:
    written(tmp_path / "live", 50)

    found = opened(tmp_path / "live", first=52, last=90)

    assert (found.table.since, found.position) == (AT + MAX_SKEW_SECONDS + 1, 51)


def test_a_file_that_is_ahead_of_the_log_is_not_believed(tmp_path: Path) -> None:
    """As where the folder of the log was lost: its numbers would be used a second time."""
    written(tmp_path / "live", 50)

    found = opened(tmp_path / "live", first=41, last=40)

    assert (found.table.since, found.position) == (AT + MAX_SKEW_SECONDS + 1, 40)


def test_a_log_that_grows_is_a_reason_to_write_and_one_that_stays_large_is_none(tmp_path: Path) -> None:
    checkpoints = opened(tmp_path / "live", first=1, last=0, is_empty=True)
    written = []
    for last, log_bytes in enumerate((1000, MANY_BYTES, MANY_BYTES + 1, 2 * MANY_BYTES, 1000, MANY_BYTES), 1):
        checkpoints.applied = last
        written.append(checkpoints.write_if_due(last, log_bytes))

    assert written == [False, True, False, True, False, True]
    assert checkpoints.position == 6
    assert not checkpoints.write_if_due(6, 9 * MANY_BYTES)
