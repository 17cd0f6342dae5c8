"""What a reader may see, as one value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from procession.accounts.orgs import Key
from procession.accounts.restriction import UNRESTRICTED, Restricted, Restriction
from procession.analysis.selection import Selection
from procession.command_line.without_arguments import (
    HIDDEN,
    depends_on_arguments,
    described_without_arguments,
    search_without_arguments,
    tags_without_arguments,
)
from procession.errors import Forbidden
from procession.process import ProcessSummary
from procession.search.tag_filter import TagFilter
from procession.search.tree import SearchNode


class Visibility(NamedTuple):
    """Two readers have the same if every answer is the same for both, and another if any may differ.

    It is part of the key of whatever is remembered of answers, found for several readers at once, or followed from one
    page to the next. A rule that shows a reader less of an org becomes a field of `Restriction`: that alone parts the
    keys.
    """

    org_id: int
    restriction: Restriction = UNRESTRICTED

    @classmethod
    def of(cls, reader: Key) -> Visibility:
        """Of a key, or of a signed-in user, who reads as one."""
        return cls(reader.org_id, reader.restriction)

    @property
    def has_all_rows(self) -> bool:
        return not self.restriction.rows

    @property
    def has_arguments(self) -> bool:
        return not self.restriction.without_arguments

    def require(self, honours: Restricted) -> Visibility:
        """Itself. Raises Forbidden where the reader is restricted in something that what is asked does not honour."""
        if self.restriction.kinds & ~honours:
            raise Forbidden(f"Forbidden: you may see {self.restriction}, and this answer cannot be limited to it")
        return self

    def hides(self, name: str) -> bool:
        """Whether the reader may see nothing by this attribute, or key of tags."""
        return not self.has_arguments and name.lower() in HIDDEN

    def refuse_hidden(self, *names: str) -> None:
        """Raises Forbidden for what is sorted, grouped or counted by something that the reader may not see."""
        hidden = [name for name in names if self.hides(name)]
        if hidden:
            raise Forbidden(f"Forbidden: you may see {self.restriction}, so nothing by {', '.join(hidden)}")

    def selection(self, search: SearchNode | None = None, tags: TagFilter | None = None) -> Selection:
        """Of what a reader asks for, what they may see. Applying it twice changes nothing more."""
        if not self.has_arguments:
            search = None if search is None else search_without_arguments(search)
            tags = None if tags is None else tags_without_arguments(tags)
        return self.container_selection(search, tags)

    def container_selection(self, search: SearchNode | None = None, tags: TagFilter | None = None) -> Selection:
        """The same of containers, which have no arguments."""
        asked = () if tags is None else tags.conditions
        rows = self.restriction.tags.conditions
        return Selection(self.org_id, search, TagFilter((*rows, *(one for one in asked if one not in rows))))

    def covers(self, search: SearchNode | None, tags: TagFilter, keys: Iterable[str] = ()) -> bool:
        """Whether all that fits these, in groups by these keys, may be told to the reader, whatever there is: by what
        is asked for alone. It may be so as well where it says no."""
        if not tags.implies(self.restriction.tags):
            return False
        if self.has_arguments:
            return True
        is_hidden = depends_on_arguments(search) or any(map(self.hides, keys))
        return not is_hidden and tags_without_arguments(tags) == tags

    def shown(self, process: ProcessSummary) -> ProcessSummary:
        """Of a process that the reader may see, what the reader may see of it."""
        if self.has_arguments:
            return process
        return msgspec.structs.replace(process, description=described_without_arguments(process.description))

    @property
    def text(self) -> str:
        """Different for what is different."""
        return ",".join(map(repr, self if self.restriction.kinds else self[:1]))
