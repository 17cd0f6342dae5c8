"""The query string of `GET /api/v2/processes` -> a ProcessQuery."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from procession.errors import InvalidParameter
from procession.paging import Cursor, fingerprint
from procession.query import DEFAULT_LIMIT, MAX_LIMIT, ProcessQuery
from procession.search.parser import parse_search
from procession.search.tag_filter import TagFilter
from procession.server.public.parameter_errors import ParameterErrors
from procession.text.whole_number import moment_parameter, number_parameter
from procession.window import Window

MAX_TAGS = 256
"""As many as a search may have terms. Each tag makes the statement for the store longer."""


def parse_parameters(query_string: bytes) -> dict[str, str]:
    """Names and values, decoded; the last of a repeated name counts. Bytes that are not UTF-8 become U+FFFD."""
    text = query_string.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def filter_fingerprint(parameters: Mapping[str, str], org_id: int) -> bytes:
    """8 bytes by which a cursor is known to belong to these filters."""
    return fingerprint(org_id, parameters.get("search", ""), parameters.get("tags", ""))


def parse_query(
    org_id: int, parameters: Mapping[str, str], *, now: int, retention_hours: int, has_hints: bool = False
) -> ProcessQuery:
    """Raises InvalidRequest with one message for each thing that is wrong; `has_hints`: with what may help."""
    errors = ParameterErrors(has_hints=has_hints)
    search = errors.value_of(parse_search, parameters.get("search", ""))
    tags = errors.value_of(parse_tags, parameters)
    limit = errors.value_of(_limit, parameters)
    cursor = errors.value_of(_cursor, parameters, org_id)
    bounds = {
        name: errors.value_of(moment_parameter, name, parameters[name]) for name in ("from", "to") if name in parameters
    }
    window = None
    if cursor:
        window = errors.value_of(_kept, cursor.window, now, retention_hours)
    elif None not in bounds.values():
        from_at, to_at = bounds.get("from"), bounds.get("to")
        window = errors.value_of(Window.from_bounds, from_at, to_at, now=now, retention_hours=retention_hours)
    errors.raise_any()
    if tags is None or window is None or limit is None:  # which `raise_any` knows, and a type checker does not
        raise errors.together()
    return ProcessQuery(
        org_id=org_id,
        window=window,
        search=search,
        tags=tags,
        after=cursor.last if cursor else None,
        limit=limit,
    )


def parse_tags(parameters: Mapping[str, str], name: str = "tags") -> TagFilter:
    """Raises InvalidParameter for more than MAX_TAGS."""
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
    return Cursor.decode(text, fingerprint=filter_fingerprint(parameters, org_id)) if text else None


def _limit(parameters: Mapping[str, str]) -> int:
    text = parameters.get("page[limit]", str(DEFAULT_LIMIT))
    return number_parameter("page[limit]", text, least=1, most=MAX_LIMIT)
