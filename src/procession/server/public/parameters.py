"""The query string of `GET /api/v2/processes` -> a ProcessQuery."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from procession.errors import InvalidParameter, InvalidRequest
from procession.paging import Cursor, fingerprint
from procession.query import DEFAULT_LIMIT, MAX_LIMIT, ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.window import Window

MAX_TAGS = 256
"""As many as a search may have terms; each makes the question to the store longer."""

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}")

T = TypeVar("T")


def parse_parameters(query_string: bytes) -> dict[str, str]:
    """Names and values, decoded; the last of a repeated name counts. Bytes that are not UTF-8 become U+FFFD."""
    text = query_string.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def filters_of(parameters: Mapping[str, str], org_id: int) -> bytes:
    """The fingerprint of the filters, by which a cursor is known to belong to them."""
    return fingerprint(org_id, parameters.get("search", ""), parameters.get("tags", ""))


def parse_query(
    org_id: int, parameters: Mapping[str, str], *, now: int, retention_hours: int, has_hints: bool = False
) -> ProcessQuery:
    """Raises InvalidRequest with one message for each thing that is wrong; `has_hints`: with what may help."""
    messages: list[str] = []

    def checked(parse: Callable[[], T]) -> T | None:
        try:
            return parse()
        except InvalidParameter as error:
            messages.append(error.with_hint() if has_hints else str(error))
            return None
        except InvalidRequest as error:
            messages.extend(error.messages)
            return None

    search = checked(lambda: parse_search(parameters.get("search", "")))
    tags = checked(lambda: tags_of(parameters))
    limit = checked(lambda: _limit(parameters))
    cursor = checked(lambda: _cursor(parameters, org_id))
    bounds = checked(lambda: _bounds(parameters))
    window = None
    if cursor:
        window = checked(lambda: _kept(cursor.window, now, retention_hours))
    elif bounds:
        window = checked(lambda: Window.from_bounds(*bounds, now=now, retention_hours=retention_hours))
    if messages or tags is None or window is None or limit is None:
        raise InvalidRequest(*messages)
    return ProcessQuery(
        org_id=org_id,
        window=window,
        search=search,
        tags=tags,
        after=cursor.last if cursor else None,
        limit=limit,
    )


def tags_of(parameters: Mapping[str, str], name: str = "tags") -> TagFilter:
    tags = TagFilter.parse(parameters.get(name, ""))
    if len(tags.conditions) > MAX_TAGS:
        raise InvalidParameter(name, f"it has more than {MAX_TAGS} tags")
    return tags


def _kept(window: Window, now: int, retention_hours: int) -> Window:
    """The window of page one as it was, whatever the clock and the bounds say by now, as long as it is kept."""
    Window.from_bounds(window.from_at, window.to_at, now=now, retention_hours=retention_hours)
    return window


def _cursor(parameters: Mapping[str, str], org_id: int) -> Cursor | None:
    text = parameters.get("page[cursor]", "")
    return Cursor.decode(text, fingerprint=filters_of(parameters, org_id)) if text else None


def _bounds(parameters: Mapping[str, str]) -> tuple[int | None, int | None]:
    moments = {name: whole_number(parameters[name]) for name in ("from", "to") if name in parameters}
    bad = [name for name, moment in moments.items() if moment is None]
    if bad:
        errors = (InvalidParameter(name, "it is not a whole number of Unix seconds") for name in bad)
        raise InvalidRequest(*(str(error) for error in errors))
    return moments.get("from"), moments.get("to")


def _limit(parameters: Mapping[str, str]) -> int:
    text = parameters.get("page[limit]")
    if text is None:
        return DEFAULT_LIMIT
    limit = whole_number(text)
    if limit is None or not 1 <= limit <= MAX_LIMIT:
        raise InvalidParameter("page[limit]", f"it is not a whole number from 1 to {MAX_LIMIT}")
    return limit


def whole_number(text: str) -> int | None:
    """None for what is not a whole number of 64 bits."""
    if not _WHOLE_NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
