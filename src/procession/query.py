"""One question to the store."""

from __future__ import annotations

from dataclasses import dataclass, field

from procession.process import ProcessKey
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode
from procession.window import Window

DEFAULT_LIMIT = 1000
MAX_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class ProcessQuery:
    """The processes of an org seen in a window whose newest sighting there fits `search` and `tags`."""

    org_id: int
    window: Window
    search: SearchNode | None = None
    tags: TagFilter = field(default_factory=TagFilter)
    after: ProcessKey | None = None
    """The last process of the page before; the answer begins with the next one in the order of keys."""
    limit: int = DEFAULT_LIMIT
    is_brief: bool = False
    """Whether of descriptions only command line, command, user, parent, zombie and tags are wanted; the rest may stay
    unset then."""
    only: ProcessKey | None = None
    """The one process that is wanted, whatever comes before it."""
