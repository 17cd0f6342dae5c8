"""How large a store is, how far back it reaches, and what stands still of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableSize:
    """The size of a table over all servers of the store; every copy counts."""

    name: str
    rows: int
    parts: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class EngineError:
    """What the engine could not do, since it was started. Never with its text, in which there may be anything."""

    name: str
    count: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Inventory:
    tables: tuple[TableSize, ...]
    free_bytes: int
    oldest_sighting_at: int | None
    """The oldest sighting whose numbers are kept; None where there is none."""
    oldest_seen_at: int | None
    """The first moment of which it is known what ran."""
    errors: tuple[EngineError, ...] = ()

    @property
    def stored_bytes(self) -> int:
        return sum(table.stored_bytes for table in self.tables)


@dataclass(frozen=True, slots=True)
class FrozenStore:
    """Files of a store as they were at one moment, which nobody changes until they are released."""

    name: str
    taken_at: int
    schema: int
    """The newest migration of its tables, and its name."""
    schema_name: str
    folders: Mapping[str, str]
    """Table -> the folder with its parts. A table without rows has none."""
