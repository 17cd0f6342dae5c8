"""Which processes a question is about, and in which order they are told."""

from __future__ import annotations

from dataclasses import dataclass, field

from procession.process import ProcessNumbers
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode

MAX_DESCRIPTIONS = 200_000
"""At most so many processes are grouped or sorted by what only their descriptions say, such as the command line."""

MEASURES = tuple(name for name in ProcessNumbers.__struct_fields__ if name != "state")
"""The numbers of a process, by name."""

DESCRIPTION_ATTRIBUTES = ("cmdline", "exe", "cwd", "ppid")
"""What takes reading the descriptions of processes, where they are grouped or sorted by it."""

SORT_COLUMNS = ("start", "pid", "ppid", "host", "user", "command", "cmdline", "container_id", "state", *MEASURES)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which processes of which org: those that fit both the search and the tags."""

    org_id: int
    search: SearchNode | None = None
    tags: TagFilter = field(default_factory=TagFilter)


@dataclass(frozen=True, slots=True)
class Order:
    """By one of SORT_COLUMNS, ties by the order of keys. Unknown values come last in either direction."""

    column: str = "start"
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Order:
        """From `column`, or `-column` for descending. Whether there is such a column, the caller checks."""
        return cls(text.removeprefix("-"), text.startswith("-"))
