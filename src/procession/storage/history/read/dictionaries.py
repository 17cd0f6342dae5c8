"""What the numbers in the tables stand for: tags, names of hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from procession.storage.history.engine.connection import Connection, rows_of
from procession.storage.history.engine.statement import Select
from procession.storage.history.statements.hosts import HostName, names_of_hosts
from procession.storage.history.statements.tag_sets import TagSetTags, tags_of

ValueT = TypeVar("ValueT")
EntryT = TypeVar("EntryT")

_MOST = 200_000


class Dictionary(Generic[EntryT, ValueT]):
    """What numbers stand for, looked up once: a number never changes its meaning."""

    def __init__(
        self,
        statement: Callable[[int, Iterable[int]], Select[EntryT]],
        entry: Callable[[EntryT], tuple[int, ValueT]],
    ) -> None:
        """`entry`: number and value of a row."""
        self._statement = statement
        self._entry = entry
        self._known: dict[tuple[int, int], ValueT] = {}

    def of(self, connection: Connection, org_id: int, numbers: Iterable[int]) -> dict[int, ValueT]:
        wanted = set(numbers)
        found = {number: self._known[org_id, number] for number in wanted if (org_id, number) in self._known}
        missing = wanted - found.keys()
        if missing:
            fresh = dict(map(self._entry, rows_of(connection)(self._statement(org_id, missing))))
            if len(self._known) > _MOST:
                self._known = {}
            self._known |= {(org_id, number): value for number, value in fresh.items()}
            found |= fresh
        return found


def tag_dictionary() -> TagDictionary:
    return Dictionary(tags_of, lambda row: (row.number, tuple(row.tags)))


def host_dictionary() -> HostDictionary:
    return Dictionary(names_of_hosts, lambda row: (row.number, row.name))


TagDictionary = Dictionary[TagSetTags, tuple[str, ...]]
"""Tag sets -> their tags."""

HostDictionary = Dictionary[HostName, str]
"""Host keys -> names of hosts."""
