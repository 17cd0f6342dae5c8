"""Which processes a question is about, and how they are sorted."""

from __future__ import annotations

from dataclasses import dataclass, field

from procession.process import ProcessNumbers
from procession.search.pattern import fold
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode

MAX_DESCRIPTIONS = 200_000
"""How many processes may be grouped or sorted by an attribute of DESCRIPTION_ATTRIBUTES in one call."""

MEASURES = tuple(name for name in ProcessNumbers.__struct_fields__ if name != "state")
"""The numbers of a process, by name."""

DESCRIPTION_ATTRIBUTES = ("cmdline", "exe", "cwd", "ppid")
"""Attributes that only descriptions have: grouping or sorting by them reads the description of each process."""

SORT_COLUMNS = (
    *("start", "pid", "ppid", "host", "user", "command", "cmdline", "container_id", "state"),
    *MEASURES,
    *("exe", "cwd", "comm", "group", "uid", "gid", "nice", "namespace_pid", "tags", "timestamp"),
)
"""Cursors name one by its place: new ones come last."""

WINDOW_SORT_COLUMNS = (*SORT_COLUMNS, "ended", "exit_code", "signal", "lifetime")
"""Of a window also by how processes ended."""

TAG_COLUMN = "tag:"
"""With a tag key after it: a column to sort by, too."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which processes of which org: those that fit both the search and the tags."""

    org_id: int
    search: SearchNode | None = None
    tags: TagFilter = field(default_factory=TagFilter)


@dataclass(frozen=True, slots=True)
class Order:
    """A column to sort by, such as one of SORT_COLUMNS, or of a tag. Ties are in the order of process keys. Values that
    are not known come last in either direction."""

    column: str = "start"
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Order:
        """From `column`, or `-column` for descending. Takes any name; the caller checks that there is such a column."""
        return cls(text.removeprefix("-"), text.startswith("-"))

    @property
    def tag_key(self) -> str | None:
        """Folded, the key by whose values it is; where a process has several, by the first of them in their order."""
        return fold(self.column.removeprefix(TAG_COLUMN)) if self.column.startswith(TAG_COLUMN) else None
