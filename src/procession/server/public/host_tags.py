"""`/api/v1/tags/hosts…`: the tags of hosts, those that agents say and those that users give."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.hosts import HostTags, TagSource
from procession.accounts.orgs import Key
from procession.accounts.scopes import Scope
from procession.errors import InvalidParameter, NotFound
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.audit.note import note_change
from procession.server.http.json_body import parsed_body
from procession.server.http.responses import json_response
from procession.server.public.parameters import parse_parameters
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import HostStore

PATH = "/api/v1/tags/hosts"
RATE_LIMIT_NAME = "hosts"

SOURCES = {"datadog": TagSource.AGENT, "agent": TagSource.AGENT, "users": TagSource.USER, "user": TagSource.USER}
"""By Datadog's names, in any case, and by ours."""

_log = logging.getLogger(__name__)


class _Tags(msgspec.Struct):
    tags: list[str]
    host: str = ""
    """Changes nothing: the path names it."""


class PublicHostTags:
    """Only what users give is changed here."""

    def __init__(
        self,
        store: HostStore,
        host_tags: HostTagCache,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
    ) -> None:
        self._store = store
        self._host_tags = host_tags
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads

    @property
    def routes(self) -> list[Route]:
        one = f"{PATH}/{{host_name}}"
        return [
            Route(PATH, self.list_all, methods=["GET"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.add, methods=["POST"]),
            Route(one, self.replace, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        hosts: dict[str, set[str]] = {}
        for entry in await self._entries(request):
            for tag in entry.tags:
                hosts.setdefault(tag, set()).add(entry.host)
        return json_response({"tags": {tag: sorted(those) for tag, those in sorted(hosts.items())}})

    async def show(self, request: Request) -> Response:
        host = request.path_params["host_name"]
        found = [entry for entry in await self._entries(request) if entry.host == host]
        if not found:
            raise NotFound("Host not found")
        return _answer(host, {tag for entry in found for tag in entry.tags})

    async def add(self, request: Request) -> Response:
        key = await self._writer(request)
        body = await parsed_body(request, _Tags)
        entry = await self._host_tags.change(key.org_id, request.path_params["host_name"], body.tags, ())
        return _changed(key, entry, 201)

    async def replace(self, request: Request) -> Response:
        key = await self._writer(request)
        body = await parsed_body(request, _Tags)
        entry = await self._host_tags.replace(key.org_id, request.path_params["host_name"], body.tags)
        return _changed(key, entry, 201)

    async def delete(self, request: Request) -> Response:
        key = await self._writer(request)
        entry = await self._host_tags.replace(key.org_id, request.path_params["host_name"], ())
        _log_change(key, entry)
        return Response(status_code=204)

    async def _entries(self, request: Request) -> list[HostTags]:
        """Those that the reader asks for."""
        org_id = (await self._sessions.visibility_of(request)).org_id
        self._limiter.admit(request, org_id, RATE_LIMIT_NAME)
        source = _source(parse_parameters(request.scope["query_string"]))

        def read() -> list[HostTags]:
            return [
                entry for entry in self._store.host_tags() if entry.org_id == org_id and source in (None, entry.source)
            ]

        return await self._threads.run(org_id, read)

    async def _writer(self, request: Request) -> Key:
        key = await self._sessions.key_with(Scope.HOST_TAGS_WRITE, request)
        self._limiter.admit(request, key.org_id, RATE_LIMIT_NAME)
        if _source(parse_parameters(request.scope["query_string"])) is TagSource.AGENT:
            raise InvalidParameter("source", "what agents say of their hosts is not changed here; users is")
        return key


def _source(parameters: Mapping[str, str]) -> TagSource | None:
    name = parameters.get("source", "").lower()
    if name and name not in SOURCES:
        raise InvalidParameter("source", f"it is none of {', '.join(SOURCES)}")
    return SOURCES[name] if name else None


def _changed(key: Key, entry: HostTags, status: int) -> Response:
    _log_change(key, entry)
    return _answer(entry.host, entry.tags, status)


def _answer(host: str, tags: Iterable[str], status: int = 200) -> Response:
    return json_response({"host": host, "tags": sorted(tags)}, status)


def _log_change(key: Key, entry: HostTags) -> None:
    note_change("host_tags", entry.host, "changed", org_id=entry.org_id, after={"tags": list(entry.tags)})
    about = {"org_id": entry.org_id, "key_id": key.id, "host": entry.host, "tags": list(entry.tags)}
    fields = {"event": "host-tagged", **about}
    _log.info("the tags given to %(host)r of org %(org_id)d, by the key %(key_id)s, are %(tags)s", fields)
