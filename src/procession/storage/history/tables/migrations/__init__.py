"""The tables as numbered files: applied in order at start, each once, never edited after a release."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from procession.errors import UsageError

MIGRATIONS_TABLE = """CREATE TABLE migrations (
    number UInt32,
    name String,
    applied_at UInt32
) ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""
"""Which of them were applied. Made before the first of them."""

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_TABLE_OF_UNRELEASED = "snap"
"""Builds from before the first release had other names for everything; each of them had this table."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    statements: tuple[str, ...]
    """For one embedded engine, without the semicolons; see `ddl.statements`."""


def parse_migration(file_name: str, text: str) -> Migration:
    """From `0001_tables.sql` and what stands in it. Raises ValueError for another name."""
    match = _FILE_NAME.fullmatch(file_name)
    if match is None:
        raise ValueError(f"{file_name!r} is no name of a migration: 0001_what_it_does.sql")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    statements = tuple(one.strip() for one in re.split(r";$", code, flags=re.MULTILINE) if one.strip())
    return Migration(int(match[1]), match[2].replace("_", " "), statements)


def _read_files() -> Iterator[Migration]:
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield parse_migration(file.name, file.read_text(encoding="utf-8"))


MIGRATIONS = tuple(_read_files())
NEWEST = MIGRATIONS[-1].number


def refuse_unreleased(tables: Collection[str], applied: Mapping[int, str], where: str, way_out: str) -> None:
    """Raises UsageError where tables were made by a build from before the first release, whose numbers of migrations
    mean other things. `applied`: number -> name. `where`: "the data folder /x"; `way_out`: what to do."""
    names = {migration.number: migration.name for migration in MIGRATIONS}
    if _TABLE_OF_UNRELEASED in tables or any(names.get(number, name) != name for number, name in applied.items()):
        raise UsageError(
            f"{where} was written by a build of Procession from before its first release, which this one cannot read;"
            f" {way_out}"
        )
