"""Parts of tables that the embedded engine could not read when it opened them: it sets them aside, and says nothing.

A part that is merged from others is not synced at once: after a power cut it may be unreadable while those others are
still there, and nothing is lost. So only a part without another in its place counts. That is told by what was there
before the engine opened the tables, and noted: afterwards the engine merges what is left over the gap, and gives the
number of a lost part again, so that others would seem to be in its place.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from procession.storage.history.engine.embedded import ENGINE_FILES

ESSENTIAL: Final = frozenset({"migrations", "orgs", "keys", "removed_orgs"})
"""Without all of their rows a store would take itself for a new one, let nobody in, or give an org's number again."""

DAMAGE_FILE: Final = "parts.detached"
"""In the data folder: of each part that was set aside, whether something of it is lost. Once said, it stays so."""

_PART = re.compile(r"(?P<partition>[^_]+)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")
"""The name of a folder: partition, first and last block, level, and the mutation if there was one."""
_UNREADABLE = "broken-on-start_"
_LOST, _WHOLE = "lost", "whole"

PartNames = Mapping[str, frozenset[str]]
"""By table: the names of its parts."""


@dataclass(frozen=True, slots=True)
class DetachedPart:
    table: str
    folder: Path
    """Where the engine has put it."""
    is_lost: bool

    @property
    def name(self) -> str:
        return f"{self.table}/{self.folder.name}"


def part_names(data_dir: Path) -> PartNames:
    """What is on the disk, whether it can be read or not."""
    found = {}
    for table in _tables(data_dir):
        # Where the folder is in use, its parts come and go.
        with contextlib.suppress(OSError):
            found[table.name] = frozenset(path.name for path in table.iterdir() if _PART.fullmatch(path.name))
    return found


def note_damage(data_dir: Path, before: PartNames) -> None:
    """Keep what is told by what was there before the engine opened it. To be called before anything else is written.
    Raises OSError."""
    words = {True: _LOST, False: _WHOLE}
    text = "".join(f"{words[part.is_lost]} {part.name}\n" for part in _detached(data_dir, before))
    path = data_dir / DAMAGE_FILE
    if text == (path.read_text(encoding="utf-8") if path.exists() else ""):
        return
    new = path.with_name(f"{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def lost_parts(data_dir: Path) -> tuple[DetachedPart, ...]:
    """What is set aside in a store, of this start or an earlier one, and is in no other part. Raises OSError."""
    return tuple(part for part in _detached(data_dir, part_names(data_dir)) if part.is_lost)


def told(parts: Iterable[DetachedPart]) -> str:
    """How many parts of which tables, as text."""
    counts = Counter(part.table for part in parts)
    return ", ".join(f"{count} of {table}" for table, count in sorted(counts.items()))


def _tables(data_dir: Path) -> list[Path]:
    return sorted((data_dir / ENGINE_FILES / "data" / "default").glob("*"))


def _detached(data_dir: Path, there: PartNames) -> Iterator[DetachedPart]:
    path = data_dir / DAMAGE_FILE
    noted = frozenset(path.read_text(encoding="utf-8").splitlines() if path.exists() else ())
    for table in _tables(data_dir):
        new = []
        for folder in sorted((table / "detached").glob(f"{_UNREADABLE}*")):
            part = DetachedPart(table.name, folder, is_lost=f"{_LOST} {table.name}/{folder.name}" in noted)
            if part.is_lost or f"{_WHOLE} {part.name}" in noted:
                yield part
            else:
                new.append(folder)
        gone = {folder.name.removeprefix(_UNREADABLE) for folder in new}
        others = [other for name in there.get(table.name, ()) if name not in gone and (other := _PART.fullmatch(name))]
        yield from (DetachedPart(table.name, folder, is_lost=_is_lost(folder, others)) for folder in new)


def _is_lost(folder: Path, others: Iterable[re.Match[str]]) -> bool:
    part = _PART.match(folder.name.removeprefix(_UNREADABLE))
    return part is None or not any(_overlap(part, other) for other in others)


def _overlap(one: re.Match[str], other: re.Match[str]) -> bool:
    return (
        one["partition"] == other["partition"]
        and int(one["first"]) <= int(other["last"])
        and int(other["first"]) <= int(one["last"])
    )
