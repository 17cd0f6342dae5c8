"""`/api/procession/v1/containers`: with all that is known of them, at any instant, and one of them over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.routing import Route

from procession.accounts.hosts import MAX_HOST_LENGTH
from procession.accounts.restriction import Restricted
from procession.analysis import Order
from procession.containers.container import NUMBERS
from procession.containers.listing import COLUMNS
from procession.containers.matching import chosen
from procession.containers.presence import FoundContainer
from procession.process_item import utc_text
from procession.server.api.request import MAX_OFFSET, ApiRequest
from procession.server.api.routes import ApiRouter
from procession.storage import AnalysisStore, ContainerStore

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_ID = 255
MAX_HISTORY_SECONDS = 31 * 86400
MAX_STEPS = 500
MAX_COUNTED = 100_000
"""Containers whose processes are counted: those with the most."""

_SORTS = (*COLUMNS, *NUMBERS)


def container_routes(api: ApiRouter, store: ContainerStore, analysis: AnalysisStore) -> list[Route]:
    containers = Containers(store, analysis)
    return [
        api.route("/containers", containers.listed, Restricted.ALL),
        api.route("/containers/history", containers.history, Restricted.ALL),
    ]


class Containers:
    def __init__(self, store: ContainerStore, analysis: AnalysisStore) -> None:
        self._store = store
        self._analysis = analysis

    def listed(self, request: ApiRequest) -> Any:
        selection = request.selection(of_containers=True)
        order = request.order("sort", "started_at", _SORTS)
        at = request.kept_instant()
        offset = request.number("offset", 0, least=0, most=MAX_OFFSET)
        limit = request.number("limit", DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
        wants_processes = request.choice("processes", "false", ("true", "false")) == "true"
        request.raise_errors()
        present = self._store.present(selection.org_id, at)
        found = list(chosen(present, selection))
        known = [one for one in found if _value(one, order.column) is not None]
        known.sort(key=lambda one: (_value(one, order.column), *one.key[1:]), reverse=order.is_descending)
        # What is not known comes last, whichever way the rest goes.
        found = known + [one for one in found if _value(one, order.column) is None]
        shown = found[offset : offset + limit]
        seen = present if request.visibility.has_all_rows else chosen(present, request.visibility.container_selection())
        meta = {"at": utc_text(at), "total": len(found), "known": any(True for _ in seen)}
        counts = self._processes(request, at) if wants_processes else None
        return {"meta": meta, "data": [_item(one, counts) for one in shown]}

    def _processes(self, request: ApiRequest, at: int) -> Mapping[str, int]:
        """How many there are, by the id of their container; nothing where they are no longer known."""
        if at < request.now - request.sighting_retention_hours * 3600:
            return {}
        everything = request.visibility.selection()
        found = self._analysis.groups(everything, at, "container_id", (), Order("count", True), MAX_COUNTED)
        return {group.value: group.count for group in found.found if group.value}

    def history(self, request: ApiRequest) -> Any:
        host = request.text("host", most=MAX_HOST_LENGTH)
        container_id = request.text("container_id", most=MAX_ID)
        for name, text in (("host", host), ("container_id", container_id)):
            if not text:
                request.refuse(name, "it is missing")
        window = request.window(seconds=3600, most=MAX_HISTORY_SECONDS)
        request.raise_errors()
        step = -(-(window.to_at - window.from_at) // (60 * MAX_STEPS)) * 60
        seen = request.visibility.container_selection()
        found = self._store.history(seen.org_id, host, container_id, window, max(step, 60), seen.tags)
        return {
            "meta": {"from": utc_text(window.from_at), "to": utc_text(window.to_at), "step": found.step_seconds},
            "times": [utc_text(at) for at in found.times],
            "numbers": found.numbers,
        }


def _value(found: FoundContainer, column: str) -> Any:
    if column == "host":
        return found.host
    one = found.container
    return getattr(one.numbers if column in NUMBERS else one, column)


def _item(found: FoundContainer, counts: Mapping[str, int] | None) -> dict[str, Any]:
    """`counts`: of processes; None where nobody asks for them."""
    one = found.container
    processes = {} if counts is None else {"processes": counts.get(one.container_id)}
    return {
        "type": "container",
        "id": one.container_id,
        "attributes": {
            **processes,
            "host": found.host,
            "name": one.name,
            "runtime": one.runtime,
            "image_name": one.image_name,
            "image_tags": one.image_tags,
            "image_digest": one.image_digest,
            "state": one.state,
            "health": one.health,
            "created_at": None if one.created_at is None else utc_text(one.created_at),
            "started_at": None if one.started_at is None else utc_text(one.started_at),
            "timestamp": utc_text(found.seen_at),
            "tags": one.tags,
            "numbers": {name: getattr(one.numbers, name) for name in NUMBERS},
        },
    }
