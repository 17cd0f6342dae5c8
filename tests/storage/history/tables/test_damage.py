"""Parts that the disk gives back damaged: what is lost is said, and no store takes itself for a new one."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from procession.accounts.administration import create_org
from procession.analysis import Every
from procession.cli.doctor import server as doctor
from procession.config import ServerSettings
from procession.errors import Unavailable, UsageError
from procession.process import ProcessIdentity, ProcessKey
from procession.storage.embedded_store import open_embedded, open_history
from procession.storage.history.tables.damage import DAMAGE_FILE, lost_parts, note_damage, part_names, told
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores.folders import quick_folder

AT = 1_700_000_000
MOMENTS = (AT - 7200, AT - 3600, AT)
"""Of one day, and so of one partition; each has a part of its own."""
LATER = (AT + 60, AT + 120)
STARTED_AT = AT - 9000
YEARS = 24 * 365 * 10


def opened(data_dir: Path) -> closing[ClickHouseStore]:
    """What is on the disk, without a log or a live table that would know it as well."""
    return closing(
        open_history(
            data_dir,
            retention_hours=YEARS,
            sighting_retention_hours=YEARS,
            live_retention_hours=YEARS,
            now=lambda: AT + 180,
        )
    )


def command(store: ClickHouseStore, text: str) -> None:
    with store._engine.connection() as connection:
        connection.command(text)


def add(store: ClickHouseStore, at: int) -> None:
    store.add([(1, a_snapshot(a_sighting(7, STARTED_AT), taken_at=at))])


def seen(store: ClickHouseStore, *at: int) -> tuple[int, ...]:
    """When it was; `at`: looked for in this second alone."""
    key = ProcessKey.of(ProcessIdentity("web-1", 7, STARTED_AT))
    return store.analysis.history(1, key, Window(*(at * 2 or (STARTED_AT, AT + 180))), Every.SIGHTING).times


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_folder(tmp_path_factory.mktemp("filled")) as folder:
        with opened(folder / "data") as store:
            command(store, "SYSTEM STOP MERGES")
            create_org(store.keys, "main")
            for at in MOMENTS:
                add(store, at)
        yield folder / "data"


@pytest.fixture
def data_dir(filled: Path, tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield Path(shutil.copytree(filled, folder / "data", symlinks=True))


def damage(data_dir: Path, table: str, *, but: int = 0) -> None:
    """As a bad disk does: what is read is not what was written, but for the first parts."""
    parts = sorted(part_names(data_dir)[table])[but:]
    assert parts
    for part in parts:
        file = data_dir / "clickhouse/data/default" / table / part / "columns.txt"
        file.write_bytes(b"\xff" * len(file.read_bytes()))


@pytest.mark.parametrize("table", ["migrations", "orgs"])
def test_a_store_that_would_take_itself_for_a_new_one_is_not_opened(data_dir: Path, table: str) -> None:
    damage(data_dir, table)
    for _ in range(2):
        with pytest.raises(UsageError, match=rf"is damaged: parts of tables cannot be read \(\d+ of {table}\); bring"):
            open_embedded(data_dir, now=lambda: AT + 60)


def test_what_is_lost_of_the_past_is_said_at_each_start_whatever_is_written_afterwards(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine gives the numbers of lost parts again, and merges what is left over the gap."""
    damage(data_dir, "snapshots", but=1)

    for written, left in (((), MOMENTS[:1]), (LATER, (*MOMENTS[:1], *LATER)), ((), (*MOMENTS[:1], *LATER))):
        caplog.clear()
        with caplog.at_level(logging.ERROR), opened(data_dir) as store:
            assert [org.name for org in store.keys.orgs()] == ["main"]
            for at in written:
                add(store, at)
            command(store, "OPTIMIZE TABLE snapshots FINAL")
            assert seen(store) == left
        (record,) = caplog.records
        assert "cannot be read and are set aside: 2 of snapshots" in record.getMessage()

    (finding,) = (
        one for one in doctor.server_findings(ServerSettings(data_dir=str(data_dir))) if one.subject == "store"
    )
    assert finding.line.endswith(
        "parts of tables cannot be read (2 of snapshots); bring a backup back; see docs/operating.md"
    )


def test_what_is_damaged_within_a_part_is_said_to_who_asks_for_it(data_dir: Path) -> None:
    """The engine notices at its start what was cut off, and a changed byte where it reads it."""
    first, second, third = sorted(part_names(data_dir)["snapshots"])
    for part in (second, third):
        path = data_dir / "clickhouse/data/default/snapshots" / part / "data.bin"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content if part == second else content[:-1])

    with opened(data_dir) as store:
        assert told(lost_parts(data_dir)) == "1 of snapshots"
        assert seen(store, MOMENTS[0]) == MOMENTS[:1]
        with pytest.raises(Unavailable, match=f"part {second} of snapshots is damaged; see docs/operating.md"):
            seen(store, MOMENTS[1])
    assert part_names(data_dir)["snapshots"] >= {first, second}


def test_a_store_that_is_whole_has_lost_nothing(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), opened(data_dir) as store:
        assert seen(store) == MOMENTS
        assert lost_parts(data_dir) == ()
    assert caplog.records == []
    assert not (data_dir / DAMAGE_FILE).exists()


DETACHED = {
    "broken-on-start_20787_1_2_1": False,  # its two sources are there
    "broken-on-start_20788_1_6_1": True,
    "broken-on-start_20788_6_8_1_12": False,
    "broken-on-start_20789_1_2_1": True,
    "broken-on-start_20789_1_2_1_try1": True,
    "broken-on-start_all_1_1_0": False,  # a mutation wrote it anew
    "broken-on-start_what": True,
    "20790_1_1_0": False,  # somebody else has detached it
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    table = tmp_path / "clickhouse" / "data" / "default" / "snapshots"
    for name in ("20787_1_1_0", "20787_2_2_0", "20788_7_9_1", "all_1_1_0_3"):
        (table / name).mkdir(parents=True)
    for name in DETACHED:
        (table / "detached" / name).mkdir(parents=True)
    return table


def test_a_merged_part_is_not_lost_while_another_is_in_its_place(tmp_path: Path, table: Path) -> None:
    lost = lost_parts(tmp_path)

    assert {part.folder.name for part in lost} == {name for name, is_lost in DETACHED.items() if is_lost}
    assert told(lost) == "4 of snapshots"


def test_what_was_told_once_stays_so_until_the_part_is_taken_away(tmp_path: Path, table: Path) -> None:
    note_damage(tmp_path, part_names(tmp_path))
    before = lost_parts(tmp_path)

    # Retention takes all that was in the place of one, and others come where there was nothing.
    for path in table.glob("2*"):
        path.rmdir()
    (table / "20789_1_1_0").mkdir()
    note_damage(tmp_path, part_names(tmp_path))
    assert lost_parts(tmp_path) == before

    before[0].folder.rmdir()
    note_damage(tmp_path, part_names(tmp_path))
    assert lost_parts(tmp_path) == before[1:]
    assert len((tmp_path / DAMAGE_FILE).read_text().splitlines()) == len(DETACHED) - 2


def test_a_part_that_cannot_be_read_either_is_in_no_place(tmp_path: Path, table: Path) -> None:
    """By its name it was there before the engine put it aside."""
    before = {"snapshots": part_names(tmp_path)["snapshots"] | {"20788_1_6_1", "20788_2_2_0"}}
    (table / "detached" / "broken-on-start_20788_2_2_0").mkdir()

    note_damage(tmp_path, before)

    assert {part.folder.name for part in lost_parts(tmp_path)} >= {
        "broken-on-start_20788_1_6_1",
        "broken-on-start_20788_2_2_0",
    }
