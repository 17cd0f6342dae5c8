"""`POST /api/v2/query/timeseries` and `/scalar`: authenticate, parse, find, render."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.analysis.all_cpus import CpusOfHosts
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.http.json_body import parsed_object
from procession.server.public.query.answers import scalar_answer, timeseries_answer
from procession.server.public.query.body import DataSource, Kind, QueryRequest, parse_request
from procession.server.public.query.container_series import ContainerSeries
from procession.server.public.query.numbers import SeriesStore, numbers_of_window, numbers_over_time
from procession.server.public.query.results import formulas_of_window, formulas_over_time
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import AnalysisStore, ContainerStore, HostStore

PREFIX = "/api/v2/query"
RATE_LIMIT_NAME = "query"
MAX_BODY_BYTES = 64 * 1024

_ENCODER = msgspec.json.Encoder()


class PublicQueries:
    """The numbers of an org's processes and containers, as Datadog's clients ask for them."""

    def __init__(
        self,
        analysis: AnalysisStore,
        containers: ContainerStore,
        hosts: HostStore,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
        sighting_retention_hours: int,
        now: Callable[[], int],
    ) -> None:
        self._analysis = analysis
        self._containers = ContainerSeries(containers)
        self._hosts = hosts
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads
        self._retention_hours = sighting_retention_hours
        self._now = now

    @property
    def routes(self) -> list[Route]:
        return [
            Route(f"{PREFIX}/timeseries", self.timeseries, methods=["POST"]),
            Route(f"{PREFIX}/scalar", self.scalar, methods=["POST"]),
        ]

    async def timeseries(self, request: Request) -> Response:
        return await self._answer(request, Kind.TIMESERIES, self._timeseries)

    async def scalar(self, request: Request) -> Response:
        return await self._answer(request, Kind.SCALAR, self._scalar)

    async def _answer(self, request: Request, kind: Kind, find: Callable[[QueryRequest], Any]) -> Response:
        visibility = await self._sessions.visibility_of(request, Restricted.ALL)
        self._limiter.admit(request, visibility.org_id, RATE_LIMIT_NAME)
        body = await parsed_object(request, MAX_BODY_BYTES)
        wanted = parse_request(kind, body, visibility, now=self._now(), retention_hours=self._retention_hours)
        content = await self._threads.run(visibility.org_id, lambda: _ENCODER.encode(find(wanted)))
        return Response(content, media_type="application/vnd.api+json")

    def _store_of(self, wanted: QueryRequest) -> SeriesStore:
        return self._analysis if wanted.source is DataSource.PROCESS else self._containers

    def _cpus(self, wanted: QueryRequest) -> CpusOfHosts:
        """Of the hosts of an org, where any query asks for that."""
        orgs = {one.selection.org_id for one in wanted.queries if one.is_normalized}
        return {one.host: one.cpus for org_id in orgs for one in self._hosts.host_notices(org_id) if one.cpus}

    def _timeseries(self, wanted: QueryRequest) -> dict[str, Any]:
        found = numbers_over_time(self._store_of(wanted), wanted, self._cpus(wanted))
        return timeseries_answer(wanted, found.times, formulas_over_time(wanted, found))

    def _scalar(self, wanted: QueryRequest) -> dict[str, Any]:
        found = numbers_of_window(self._store_of(wanted), wanted, self._cpus(wanted))
        return scalar_answer(wanted, formulas_of_window(wanted, found))
