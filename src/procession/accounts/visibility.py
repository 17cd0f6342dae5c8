"""What a reader may see, as one value."""

from __future__ import annotations

from typing import NamedTuple

from procession.accounts.orgs import Key
from procession.accounts.sessions import Session
from procession.analysis.selection import Selection
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode


class Visibility(NamedTuple):
    """Two readers have the same if every answer is the same for both, and another if any may differ.

    It is part of the key of whatever is remembered of answers, found for several readers at once, or followed from one
    page to the next. A rule that shows a reader less of an org becomes a field here: that alone parts the keys.
    """

    org_id: int

    @classmethod
    def of(cls, reader: Key | Session) -> Visibility:
        """Of somebody who has shown who he is."""
        return cls(reader.org_id)

    def selection(self, search: SearchNode | None = None, tags: TagFilter | None = None) -> Selection:
        """Of what a reader asks for, that which he may see."""
        return Selection(self.org_id, search, TagFilter() if tags is None else tags)

    @property
    def text(self) -> str:
        """Different for what is different."""
        return ",".join(map(repr, self))
