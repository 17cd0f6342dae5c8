"""The query string of `GET /api/v2/processes` -> a ProcessQuery."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from procession.errors import InvalidParameter, InvalidRequest
from procession.paging import Cursor, fingerprint
from procession.query import DEFAULT_LIMIT, MAX_LIMIT, ProcessQuery
from procession.search_parser import parse_search
from procession.tags import TagFilter
from procession.window import Window

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}")

T = TypeVar("T")


def parse_parameters(query_string: bytes) -> dict[str, str]:
    """Names and values, decoded; the last of a repeated name counts. Bytes that are not UTF-8 become U+FFFD."""
    text = query_string.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def filters_of(parameters: Mapping[str, str], org_id: int) -> bytes:
    """The fingerprint of the filters, by which a cursor is known to belong to them."""
    return fingerprint(org_id, parameters.get("search", ""), parameters.get("tags", ""))


def parse_query(org_id: int, parameters: Mapping[str, str], *, now: int, retention_hours: int) -> ProcessQuery:
    """Raises InvalidRequest with one message for each thing that is wrong."""
    messages: list[str] = []

    def checked(parse: Callable[[], T]) -> T | None:
        try:
            return parse()
        except InvalidRequest as error:
            messages.extend(error.messages)
            return None

    search = checked(lambda: parse_search(parameters.get("search", "")))
    limit = checked(lambda: _limit(parameters))
    from_at = checked(lambda: _moment(parameters, "from"))
    to_at = checked(lambda: _moment(parameters, "to"))
    cursor = checked(lambda: _cursor(parameters, org_id))
    window = None
    if not messages:
        window = checked(
            lambda: (
                # The window of page one; the bounds, or the "last 15 minutes", have moved on since.
                _kept(cursor.window, now, retention_hours)
                if cursor
                else Window.from_bounds(from_at, to_at, now=now, retention_hours=retention_hours)
            )
        )
    if messages or window is None or limit is None:
        raise InvalidRequest(*messages)
    return ProcessQuery(
        org_id=org_id,
        window=window,
        search=search,
        tags=TagFilter.parse(parameters.get("tags", "")),
        after=cursor.last if cursor else None,
        limit=limit,
    )


def _kept(window: Window, now: int, retention_hours: int) -> Window:
    Window.from_bounds(window.from_at, window.to_at, now=now, retention_hours=retention_hours)
    return window


def _cursor(parameters: Mapping[str, str], org_id: int) -> Cursor | None:
    text = parameters.get("page[cursor]", "")
    return Cursor.decode(text, fingerprint=filters_of(parameters, org_id)) if text else None


def _moment(parameters: Mapping[str, str], name: str) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    moment = _whole_number(text)
    if moment is None:
        raise InvalidParameter(name, "it is not a whole number of Unix seconds")
    return moment


def _limit(parameters: Mapping[str, str]) -> int:
    text = parameters.get("page[limit]")
    if text is None:
        return DEFAULT_LIMIT
    limit = _whole_number(text)
    if limit is None or not 1 <= limit <= MAX_LIMIT:
        raise InvalidParameter("page[limit]", f"it is not a whole number from 1 to {MAX_LIMIT}")
    return limit


def _whole_number(text: str) -> int | None:
    """None for what is not a whole number of 64 bits."""
    if not _WHOLE_NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
