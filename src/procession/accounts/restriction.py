"""What of an org is kept from a reader: rows, by tags, and the arguments of processes."""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import NamedTuple

from procession.errors import InvalidRequest
from procession.search.tag_filter import TagFilter

MAX_ROWS_LENGTH = 1000
MAX_TAGS = 32

_TAGS_RULE = f"Rows are given by 1 to {MAX_TAGS} tags in up to {MAX_ROWS_LENGTH} characters, such as env:prod,team:web"


class Restricted(enum.Flag):
    """In what a reader may be restricted. A route names what of it it honours, and refuses readers who are restricted
    in more: so none shows too much that nobody thought of."""

    NOTHING = 0
    ROWS = enum.auto()
    """Only processes with certain tags are shown, counted and followed."""
    ARGUMENTS = enum.auto()
    """Of a command line only its program is shown, and nothing is found, sorted or counted by the rest."""
    ALL = ROWS | ARGUMENTS


class Restriction(NamedTuple):
    """Of one reader. It is a tuple, since it is part of keys that are looked up for each process of a page."""

    rows: str = ""
    """A tag filter that all must fit; empty: all of them do."""
    without_arguments: bool = False

    @classmethod
    def parse(cls, rows: str, *, without_arguments: bool = False) -> Restriction:
        """Raises InvalidRequest for rows that could mean something else, or nothing."""
        text = ",".join(filter(None, map(str.strip, rows.split(","))))
        if not text:
            if rows:
                raise InvalidRequest(_TAGS_RULE)
            return cls("", without_arguments)
        conditions = _parsed(text).conditions
        tags = sum(len(one.patterns) for one in conditions)
        if not text.isprintable() or len(text) > MAX_ROWS_LENGTH or not 1 <= tags <= MAX_TAGS:
            raise InvalidRequest(_TAGS_RULE)
        for one in conditions:
            if len(one.patterns) > 1 and (one.negated or any(p.text.startswith("!") for p in one.patterns)):
                raise InvalidRequest("Rows have a ! beside an OR; what must not be there stands between commas: !a,!b")
        return cls(text, without_arguments)

    def within(self, other: Restriction) -> Restriction:
        """What both of them leave."""
        if self == other:
            return self
        rows = ",".join(filter(None, (other.rows, self.rows)))
        return Restriction(rows, self.without_arguments or other.without_arguments)

    @property
    def kinds(self) -> Restricted:
        of_rows = Restricted.ROWS if self.rows else Restricted.NOTHING
        return of_rows | Restricted.ARGUMENTS if self.without_arguments else of_rows

    @property
    def tags(self) -> TagFilter:
        """What was found out about a process is none of them: the process itself has a say in that."""
        return _parsed(self.rows)

    def __str__(self) -> str:
        parts = [f"only {self.rows}"] if self.rows else []
        return ", ".join([*parts, "no arguments"] if self.without_arguments else parts)


UNRESTRICTED = Restriction()


@lru_cache(maxsize=1024)
def _parsed(rows: str) -> TagFilter:
    return TagFilter.parse(rows, has_or=True)
