"""The query string of `GET /api/v2/processes` -> a ProcessQuery."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from procession.accounts.visibility import Visibility
from procession.errors import InvalidParameter
from procession.paging import Cursor, fingerprint
from procession.query import DEFAULT_LIMIT, MAX_LIMIT, ProcessQuery
from procession.search.comparisons import is_tag_or_ending
from procession.search.parser import Language, parse_search
from procession.search.tag_filter import TagCondition, TagFilter
from procession.server.public.parameter_errors import ParameterErrors
from procession.text.whole_number import moment_parameter, number_parameter
from procession.window import Window

MAX_TAGS = 256
"""As many as a search may have terms. Each tag makes the statement for the store longer."""


def parse_parameters(query_string: bytes) -> dict[str, str]:
    """Names and values, decoded; the last of a repeated name counts. Bytes that are not UTF-8 become U+FFFD."""
    text = query_string.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def filter_fingerprint(
    parameters: Mapping[str, str], visibility: Visibility, language: Language | None = None
) -> bytes:
    """8 bytes by which a cursor is known to belong to these filters, and to who may see the same."""
    of_language = (language.value,) if language is Language.PROCESSION else ()
    return fingerprint(visibility, parameters.get("search", ""), parameters.get("tags", ""), *of_language)


def parse_query(
    visibility: Visibility,
    parameters: Mapping[str, str],
    *,
    now: int,
    retention_hours: int,
    language: Language | None = None,
) -> ProcessQuery:
    """Raises InvalidRequest with one message for each thing that is wrong. `language`: that of a call of Procession's
    API, whose messages say what may help; None for Datadog's endpoint."""
    errors = ParameterErrors(has_hints=language is not None)
    search = errors.value_of(parse_search, parameters.get("search", ""), language or Language.DATADOG)
    tags = errors.value_of(parse_tags, parameters, language=language)
    limit = errors.value_of(_limit, parameters)
    cursor = errors.value_of(_cursor, parameters, visibility, language)
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
    selection = visibility.selection(search, tags)
    return ProcessQuery(
        org_id=selection.org_id,
        window=window,
        search=selection.search,
        tags=selection.tags,
        after=cursor.last if cursor else None,
        limit=limit,
    )


def parse_tags(parameters: Mapping[str, str], name: str = "tags", language: Language | None = None) -> TagFilter:
    """In Procession's API, which has a language, with `OR` between tags, and with what was found out.

    Raises InvalidParameter for more than MAX_TAGS, for `!` beside an `OR`, which could mean two things, and for one
    between a tag and what is none.
    """
    is_own = language is not None
    tags = TagFilter.parse(parameters.get(name, ""), has_or=is_own, with_discovered=is_own)
    if sum(len(condition.patterns) for condition in tags.conditions) > MAX_TAGS:
        raise InvalidParameter(name, f"it has more than {MAX_TAGS} tags")
    if any(_is_ambiguous(condition) for condition in tags.conditions):
        raise InvalidParameter(name, "it has a ! beside an OR; what must not be there stands between commas: !a,!b")
    if language is Language.PROCESSION and any(map(is_tag_or_ending, tags.conditions)):
        raise InvalidParameter(name, "it has an OR between a tag and how processes ended; a search has it")
    return tags


def _is_ambiguous(condition: TagCondition) -> bool:
    _, *others = condition.patterns
    return bool(others) and (condition.negated or any(one.text.startswith("!") for one in others))


def _kept(window: Window, now: int, retention_hours: int) -> Window:
    """The window of page one as it was, whatever the clock and the bounds say by now, as long as it is kept."""
    Window.from_bounds(window.from_at, window.to_at, now=now, retention_hours=retention_hours)
    return window


def _cursor(parameters: Mapping[str, str], visibility: Visibility, language: Language | None) -> Cursor | None:
    text = parameters.get("page[cursor]", "")
    return Cursor.decode(text, fingerprint=filter_fingerprint(parameters, visibility, language)) if text else None


def _limit(parameters: Mapping[str, str]) -> int:
    text = parameters.get("page[limit]", str(DEFAULT_LIMIT))
    return number_parameter("page[limit]", text, least=1, most=MAX_LIMIT)
