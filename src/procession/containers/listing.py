"""Lists of containers: in an order, page by page, or in groups."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from procession.containers.presence import FoundContainer
from procession.errors import InvalidParameter

TEXT_COLUMNS: Final = ("name", "host", "state", "image_name", "container_id")
MOMENT_COLUMNS: Final = ("started_at", "created_at")
COLUMNS: Final = (*MOMENT_COLUMNS, *TEXT_COLUMNS)

_MOST_GROUPS_OF_ONE: Final = 16
"""A container with many values of a key is in the first so many groups."""

Value = str | int
Place = tuple[Value, str, str]
"""The value that is ordered by, and what tells equal ones apart: the host and the id, or nothing of a group."""


@dataclass(frozen=True, slots=True)
class ContainerOrder:
    column: str = "started_at"
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str) -> ContainerOrder:
        """`name`, or `-name` for the other way. Raises InvalidParameter."""
        if not text:
            return cls()
        column = text.removeprefix("-")
        if column not in COLUMNS:
            raise InvalidParameter("sort", f"it is none of {', '.join(COLUMNS)}, with or without - before it")
        return cls(column, text.startswith("-"))

    def place(self, found: FoundContainer) -> Place:
        one = found.container
        value = found.host if self.column == "host" else getattr(one, self.column)
        if self.column in MOMENT_COLUMNS:
            return value or 0, found.host, one.container_id
        return value, found.host, one.container_id


@dataclass(frozen=True, slots=True)
class ContainerGroup:
    values: tuple[tuple[str, str], ...]
    """By key."""
    members: tuple[FoundContainer, ...]

    @property
    def name(self) -> str:
        return ",".join(f"{key}:{value}" for key, value in self.values)


@dataclass(frozen=True, slots=True)
class ListCursor:
    """Where a page begins after, or ends before. `place`: None for the end of the list."""

    place: Place | None
    is_before: bool
    fingerprint: bytes

    def encode(self) -> str:
        data = msgspec.msgpack.encode((self.is_before, self.place, self.fingerprint))
        return base64.urlsafe_b64encode(data).decode()

    @classmethod
    def decode(cls, text: str, fingerprint: bytes, *, is_number: bool) -> ListCursor:
        """Raises InvalidParameter."""
        kind = _Numbered if is_number else _Named
        try:
            is_before, place, found = msgspec.msgpack.decode(base64.b64decode(text, b"-_", validate=True), type=kind)
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            raise InvalidParameter("page[cursor]", "it is not a cursor that this server gave") from None
        if found != fingerprint:
            raise InvalidParameter("page[cursor]", "it comes from a query with other parameters")
        return cls(place, is_before, found)


_Numbered = tuple[bool, tuple[int, str, str] | None, bytes]
_Named = tuple[bool, tuple[str, str, str] | None, bytes]


@dataclass(frozen=True, slots=True)
class ListItem:
    place: Place
    item: FoundContainer | ContainerGroup


@dataclass(frozen=True, slots=True)
class ListPage:
    items: tuple[ListItem, ...]
    total: int
    has_more_before: bool


def listed(found: Iterable[FoundContainer], order: ContainerOrder) -> list[ListItem]:
    """In their order."""
    placed = [ListItem(order.place(one), one) for one in found]
    return sorted(placed, key=_place_of, reverse=order.is_descending)


def grouped(found: Iterable[FoundContainer], keys: Sequence[str]) -> list[ListItem]:
    """By the values of tags, by name. One without a tag of each key is in no group."""
    members: dict[tuple[str, ...], list[FoundContainer]] = {}
    for one in found:
        values = [[tag[len(key) + 1 :] for tag in one.container.tags if tag.startswith(f"{key}:")] for key in keys]
        for combination in itertools.islice(itertools.product(*values), _MOST_GROUPS_OF_ONE):
            members.setdefault(combination, []).append(one)
    groups = [ContainerGroup(tuple(zip(keys, those, strict=True)), tuple(of)) for those, of in members.items()]
    return sorted((ListItem((group.name, "", ""), group) for group in groups), key=_place_of)


def page_of(
    placed: Sequence[ListItem], size: int, cursor: ListCursor | None, *, is_descending: bool = False
) -> ListPage:
    """`placed`: all of them, in their order."""

    def is_after(one: ListItem, place: Place) -> bool:
        return one.place < place if is_descending else one.place > place

    begin, end = 0, len(placed)
    if cursor is not None and cursor.place is not None:
        place = cursor.place
        if cursor.is_before:
            end = sum(not is_after(one, place) and one.place != place for one in placed)
        else:
            begin = sum(not is_after(one, place) for one in placed)
    if cursor is not None and cursor.is_before:
        begin = max(end - size, 0)
    return ListPage(tuple(placed[begin : min(begin + size, end)]), len(placed), begin > 0)


def _place_of(placed: ListItem) -> Place:
    return placed.place
