"""Migrations are numbered files that stay as they were released; folders of builds before the first release are
refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from procession.errors import UsageError
from procession.query import ProcessQuery
from procession.storage.embedded_store import open_history
from procession.storage.history.engine.embedded import EmbeddedEngine
from procession.storage.history.tables import migrations
from procession.storage.history.tables.migrations import (
    BEFORE_ALL,
    MIGRATIONS,
    NEWEST,
    Migration,
    StatementTemplate,
    parse_migration,
)
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot

ORG = 7
YEARS = 30 * 365 * 24
WINDOW = Window(NOON - 600, NOON + 600)

FOLDER = Path(str(files(migrations)))

RELEASED: Mapping[str, str] = {}
"""Name of each migration of a release -> its SHA-256. None was released yet; a release adds its own."""


def opened(folder: Path) -> ClickHouseStore:
    return open_history(
        folder, retention_hours=YEARS, sighting_retention_hours=YEARS, live_retention_hours=YEARS, now=lambda: NOON
    )


def changed(folder: Path, released: Mapping[str, str]) -> Iterator[str]:
    """Released migrations that are no longer what they were."""
    for name, digest in released.items():
        file = folder / name
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            yield name


def test_released_migrations_stay_as_they_were() -> None:
    assert not list(changed(FOLDER, RELEASED))


def test_a_released_migration_that_is_edited_or_gone_is_told(tmp_path: Path) -> None:
    texts = {"0001_tables.sql": b"CREATE TABLE a;", "0002_more.sql": b"CREATE TABLE b;", "0003_most.sql": b"c;"}
    released = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    (tmp_path / "0001_tables.sql").write_bytes(texts["0001_tables.sql"])
    (tmp_path / "0002_more.sql").write_bytes(texts["0002_more.sql"] + b" ")

    assert list(changed(tmp_path, released)) == ["0002_more.sql", "0003_most.sql"]


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in MIGRATIONS] == list(range(1, NEWEST + 1))
    assert {file.name for file in FOLDER.rglob("*.sql")} == {
        f"{one.number:04}_{one.name.replace(' ', '_')}.sql" for one in (BEFORE_ALL, *MIGRATIONS)
    }


PARAMETERS = {"database", "local", "cluster", "on_cluster", "engine"}
RETENTION = {"retention_hours", "sighting_retention_hours", "live_retention_hours"}


def test_migrations_know_the_engine_the_cluster_and_the_retention_by_name_and_nothing_else_of_the_code() -> None:
    for migration in (BEFORE_ALL, *MIGRATIONS):
        for statement in migration.statements:
            assert named(statement.text) <= PARAMETERS, statement.text
        for rule in migration.retention.values():
            assert named(rule) <= RETENTION, rule


def named(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_statements_of_a_file_end_with_a_semicolon_at_the_end_of_a_line() -> None:
    text = "-- Why; and what;\nCREATE TABLE a (\n    -- theirs\n    b String COMMENT 'x; y'\n);\n\nDROP b;\n"

    assert parse_migration("0002_add_a.sql", text) == Migration(
        2,
        "add a",
        (
            StatementTemplate("CREATE TABLE a (\n    -- theirs\n    b String COMMENT 'x; y'\n)"),
            StatementTemplate("DROP b"),
        ),
        {},
    )


def test_lines_of_a_file_say_what_the_next_statement_is() -> None:
    text = "A;\n-- @table b\n-- Why.\nB;\n-- @cluster\nC;\n-- @embedded\nD;\n-- @retention\nE;\n-- @table f\nF;\n"

    assert parse_migration("0002_b.sql", text) == Migration(
        2,
        "b",
        (
            StatementTemplate("A"),
            StatementTemplate("B", "b"),
            StatementTemplate("C", "b", is_for_clusters=True),
            StatementTemplate("D", "b", is_for_embedded=True),
            StatementTemplate("F", "f"),
        ),
        {"b": "E"},
    )


@pytest.mark.parametrize("line", ["-- @tabel a", "-- @table", "-- @cluster a", "-- @retention of a"])
def test_a_line_that_says_nothing_known_is_no_migration(line: str) -> None:
    with pytest.raises(ValueError, match="is none of `-- @table NAME`"):
        parse_migration("0002_add.sql", f"{line}\nA;\n")


def test_a_file_whose_end_is_missing_is_no_migration() -> None:
    with pytest.raises(ValueError, match="no semicolon at its end"):
        parse_migration("0002_add.sql", "A;\nB\n")


def test_a_file_with_another_name_is_no_migration() -> None:
    with pytest.raises(ValueError, match=r"'2_add\.sql' is no name of a migration"):
        parse_migration("2_add.sql", "")


def test_a_migration_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as store:
        store.add([(ORG, a_snapshot(a_sighting()))])
        # As if it had been killed after the last statement, before it could note that.
        store._rows("TRUNCATE TABLE migrations")

    with closing(opened(tmp_path)) as store:
        assert store._rows("SELECT number FROM migrations ORDER BY number") == [
            (number,) for number in range(1, NEWEST + 1)
        ]
        assert len(store.find(ProcessQuery(ORG, WINDOW)).processes) == 1


OLD_MIGRATIONS = (
    "CREATE TABLE migrations (number UInt32, name String, applied_at UInt32)"
    " ENGINE = ReplacingMergeTree ORDER BY number"
)


@pytest.mark.parametrize(
    "statements",
    [
        # Cut off before it could note its first migration.
        (OLD_MIGRATIONS, "CREATE TABLE snap (org UInt32, at UInt32) ENGINE = ReplacingMergeTree ORDER BY (org, at)"),
        (OLD_MIGRATIONS, "INSERT INTO migrations VALUES (1, 'first tables', 1)"),
        (
            OLD_MIGRATIONS,
            "CREATE TABLE snap (org UInt32, at UInt32) ENGINE = ReplacingMergeTree ORDER BY (org, at)",
            "INSERT INTO migrations VALUES (1, 'first tables', 1), (3, 'where arguments end', 1)",
        ),
    ],
    ids=["cut off", "first", "newest"],
)
def test_a_folder_from_before_the_first_release_is_refused_and_left_as_it_is(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    with closing(EmbeddedEngine(tmp_path)) as engine, engine.connection() as connection:
        for statement in statements:
            connection.command(statement)
    tables = "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name"

    with pytest.raises(UsageError) as raised:
        open_history(tmp_path)

    assert str(raised.value) == (
        f"the data folder {tmp_path} was written by a build of Procession from before its first release, which this one"
        " cannot read; keep it for that build, and use another folder with --data-dir"
    )
    with closing(EmbeddedEngine(tmp_path)) as engine, engine.connection() as connection:
        found = [name for (name,) in connection.query(tables).result_rows]
    assert found == sorted({name for text in statements for name in re.findall(r"CREATE TABLE (\w+)", text)})
