"""`GET /api/v2/containers`: the containers that there are now, or groups of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.accounts.visibility import Visibility
from procession.analysis import Selection
from procession.containers.listing import (
    MOMENT_COLUMNS,
    ContainerGroup,
    ContainerOrder,
    ListCursor,
    ListItem,
    ListPage,
    grouped,
    listed,
    page_of,
)
from procession.containers.matching import chosen
from procession.containers.presence import FoundContainer
from procession.errors import InvalidParameter
from procession.paging import fingerprint
from procession.process_item import utc_text
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.public.parameter_errors import ParameterErrors
from procession.server.public.parameters import parse_parameters, parse_tags
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import ContainerStore
from procession.text.whole_number import number_parameter

PATH = "/api/v2/containers"
RATE_LIMIT_NAME = "containers"
DEFAULT_SIZE = 1000
MAX_SIZE = 10_000
MAX_KEYS = 5
MAX_KEY_LENGTH = 200

_FILTERS = ("filter[tags]", "group_by", "sort")
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class _Query:
    seen: Selection
    """The containers that the reader may see and asks for: by their tags alone."""
    keys: tuple[str, ...]
    """What is grouped by; empty for a list of containers."""
    order: ContainerOrder
    size: int
    cursor: ListCursor | None
    fingerprint: bytes


class PublicContainers:
    def __init__(
        self,
        store: ContainerStore,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [Route(PATH, self.list_containers, methods=["GET"])]

    async def list_containers(self, request: Request) -> Response:
        visibility = await self._sessions.visibility_of(request, Restricted.ALL)
        self._limiter.admit(request, visibility.org_id, RATE_LIMIT_NAME)
        parameters = parse_parameters(request.scope["query_string"])
        query = _parsed(visibility, parameters)
        now = self._now()

        def find() -> bytes:
            found = chosen(self._store.present(query.seen.org_id, now), query.seen)
            placed = grouped(found, query.keys) if query.keys else listed(found, query.order)
            is_descending = query.order.is_descending and not query.keys
            page = page_of(placed, query.size, query.cursor, is_descending=is_descending)
            return _ENCODER.encode(_answer(page, query, parameters))

        return Response(await self._threads.run(visibility.org_id, find), media_type="application/json")


def _parsed(visibility: Visibility, parameters: Mapping[str, str]) -> _Query:
    """Raises InvalidRequest with a message for each thing that is wrong."""
    errors = ParameterErrors(has_hints=False)
    tags = errors.value_of(parse_tags, parameters, "filter[tags]")
    keys = errors.value_of(_keys, parameters.get("group_by", ""))
    order = errors.value_of(ContainerOrder.parse, parameters.get("sort", ""))
    text = parameters.get("page[size]", str(DEFAULT_SIZE))
    size = errors.value_of(number_parameter, "page[size]", text, least=1, most=MAX_SIZE)
    errors.raise_any()
    if tags is None or keys is None or order is None or size is None:  # which `raise_any` knows
        raise errors.together()
    asked = fingerprint(visibility, *(parameters.get(name, "") for name in _FILTERS))
    is_number = order.column in MOMENT_COLUMNS and not keys
    cursor = parameters.get("page[cursor]", "")
    return _Query(
        visibility.container_selection(tags=tags),
        keys,
        order,
        size,
        ListCursor.decode(cursor, asked, is_number=is_number) if cursor else None,
        asked,
    )


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(key for part in text.split(",") if (key := part.strip().lower())))
    if len(keys) > MAX_KEYS:
        raise InvalidParameter("group_by", f"it has more than {MAX_KEYS} keys")
    if any(len(key) > MAX_KEY_LENGTH or ":" in key for key in keys):
        raise InvalidParameter("group_by", f"it has a key with a colon, or of more than {MAX_KEY_LENGTH} characters")
    return keys


def _answer(page: ListPage, query: _Query, parameters: Mapping[str, str]) -> dict[str, Any]:
    def cursor(one: ListItem | None, *, is_before: bool) -> str:
        return ListCursor(None if one is None else one.place, is_before, query.fingerprint).encode()

    def link(text: str | None) -> str:
        others = {name: value for name, value in parameters.items() if name != "page[cursor]"}
        return f"{PATH}?{urlencode(others | ({'page[cursor]': text} if text else {}))}"

    # As in a list of processes: every page but an empty one has a way on, at whose end is an empty one.
    after = cursor(page.items[-1], is_before=False) if page.items else ""
    before = cursor(page.items[0], is_before=True) if page.items and page.has_more_before else None
    return {
        "data": [_item(one.item) for one in page.items],
        "links": {
            "self": link(parameters.get("page[cursor]")),
            "last": link(cursor(None, is_before=True)),
            "next": link(after) if after else None,
            "prev": link(before) if before else None,
            "first": link(None),
        },
        "meta": {
            "pagination": {
                "cursor": parameters.get("page[cursor]", ""),
                "limit": len(page.items),
                "next_cursor": after,
                "prev_cursor": before,
                "total": page.total,
                "type": "cursor_limit",
            }
        },
    }


def _item(one: FoundContainer | ContainerGroup) -> dict[str, Any]:
    return container_item(one) if isinstance(one, FoundContainer) else _group_item(one)


def container_item(found: FoundContainer) -> dict[str, Any]:
    """A moment that is not known is left out."""
    one = found.container
    moments = {"created_at": one.created_at, "started_at": one.started_at}
    return {
        "type": "container",
        "id": one.container_id,
        "attributes": {
            "name": one.name,
            **{name: utc_text(at) for name, at in moments.items() if at is not None},
            "state": one.state,
            "container_id": one.container_id,
            "host": found.host,
            "image_name": one.image_name,
            "image_tags": list(one.image_tags) or None,
            "image_digest": one.image_digest or None,
            "tags": list(one.tags),
        },
    }


def _group_item(group: ContainerGroup) -> dict[str, Any]:
    tags = ",".join(f"{key}:{value}" for key, value in group.values)
    return {
        "type": "container_group",
        "id": group.name,
        "attributes": {"count": len(group.members), "tags": dict(group.values)},
        "relationships": {
            "containers": {
                "data": [one.container.container_id for one in group.members],
                "links": {"related": f"{PATH}?{urlencode({'filter[tags]': tags})}"},
            }
        },
    }
