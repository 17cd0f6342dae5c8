"""The tables as numbered files: applied in order at start, each once, never edited after a release. Those from 0010 on
are in a folder of their own, so that each can be looked over.

A file is all that a table takes: how it is made, on one server and on a cluster, and how long its rows are kept.
`0001_tables.sql` says how a file is written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from procession.errors import UsageError

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_DIRECTIVE = re.compile(r"-- @(?:table (\w+)|(cluster|embedded|retention))")
_TABLE_OF_UNRELEASED = "snap"
"""Builds from before the first release had other names for everything; each of them had this table."""


@dataclass(frozen=True, slots=True)
class StatementTemplate:
    """A statement without its semicolon, with parameters by name: see `ddl.statements`."""

    text: str
    table: str = ""
    """That it makes or changes, if any."""
    is_for_clusters: bool = False
    is_for_embedded: bool = False


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    statements: tuple[StatementTemplate, ...]
    retention: Mapping[str, str]
    """Table -> its TTL, with the hours of retention by name."""

    @property
    def tables(self) -> frozenset[str]:
        """Those that it makes or changes."""
        return frozenset(statement.table for statement in self.statements if statement.table)


def parse_migration(file_name: str, text: str) -> Migration:
    """From `0001_tables.sql` and what stands in it. Raises ValueError for what is no migration."""
    match = _FILE_NAME.fullmatch(file_name)
    if match is None:
        raise ValueError(f"{file_name!r} is no name of a migration: 0001_what_it_does.sql")
    statements: list[StatementTemplate] = []
    retention: dict[str, str] = {}
    table = ""
    is_for_clusters = is_for_embedded = is_retention = False
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("-- @"):
            directive = _DIRECTIVE.fullmatch(line)
            if directive is None:
                known = "`-- @table NAME`, `-- @cluster`, `-- @embedded`, `-- @retention`"
                raise ValueError(f"{file_name}: {line!r} is none of {known}")
            table = directive[1] or table
            is_for_clusters |= directive[2] == "cluster"
            is_for_embedded |= directive[2] == "embedded"
            is_retention |= directive[2] == "retention"
        elif not line.startswith("--"):
            lines.append(line.removesuffix(";"))
            if line.endswith(";"):
                code = "\n".join(lines).strip()
                if is_retention:
                    retention[table] = code
                else:
                    statements.append(StatementTemplate(code, table, is_for_clusters, is_for_embedded))
                lines.clear()
                is_for_clusters = is_for_embedded = is_retention = False
    if "".join(lines).strip():
        raise ValueError(f"{file_name}: its last statement has no semicolon at its end")
    return Migration(int(match[1]), match[2].replace("_", " "), tuple(statements), retention)


def _read_files() -> Iterator[Migration]:
    for file in sorted(_files_in(files(__name__)), key=lambda file: file.name):
        yield parse_migration(file.name, file.read_text(encoding="utf-8"))


def _files_in(folder: Traversable) -> Iterator[Traversable]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _files_in(one)
        elif one.name.endswith(".sql"):
            yield one


BEFORE_ALL, *_numbered = _read_files()
"""Makes the databases, and the table that says which migrations were applied."""
MIGRATIONS = tuple(_numbered)
NEWEST = MIGRATIONS[-1].number
TABLES = frozenset().union(*(migration.tables for migration in (BEFORE_ALL, *MIGRATIONS)))
"""All that there are once they were applied."""


def refuse_unreleased(tables: Collection[str], applied: Mapping[int, str], where: str, way_out: str) -> None:
    """Raises UsageError where tables were made by a build from before the first release, whose numbers of migrations
    mean other things. `applied`: number -> name. `where`: "the data folder /x"; `way_out`: what to do."""
    names = {migration.number: migration.name for migration in MIGRATIONS}
    if _TABLE_OF_UNRELEASED in tables or any(names.get(number, name) != name for number, name in applied.items()):
        raise UsageError(
            f"{where} was written by a build of Procession from before its first release, which this one cannot read;"
            f" {way_out}"
        )
