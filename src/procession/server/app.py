"""The application: its routes behind its middleware."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from procession.audit import AuditWriter
from procession.config import ServerSettings
from procession.errors import RequestError
from procession.oidc import ProviderSettings
from procession.server.api.health import METRICS_PATH
from procession.server.http.compression import Compress
from procession.server.http.errors import AnswerBugs, ErrorAnswers, RouteErrors
from procession.server.http.host_names import AllowedHosts, CheckHost, name_of
from procession.server.http.responses import AnswerHeaders
from procession.server.intake.events import PATH as EVENTS_PATH
from procession.server.intake.payloads import PAYLOAD_PATHS
from procession.server.routes import Routes
from procession.server.runtime.direct_posts import DirectPosts
from procession.server.runtime.disconnect import StopOnDisconnect
from procession.server.runtime.metrics import MeasureRequests, Metrics, Sink
from procession.server.services import Services
from procession.server.stores import Stores
from procession.server.web.assets import page_routes
from procession.server.web.openapi import openapi_routes
from procession.storage import ExitSink

_DIRECT_PATHS = (*PAYLOAD_PATHS, EVENTS_PATH)


def create_app(
    stores: Stores,
    *,
    sink: Sink,
    exits: ExitSink | None = None,
    settings: ServerSettings,
    metrics: Metrics | None = None,
    host_names: Iterable[str] = (),
    log_lines: Callable[[], Sequence[str]] = tuple,
    audit: AuditWriter | None = None,
    providers: Sequence[ProviderSettings] = (),
    now: Callable[[], int] = lambda: int(time.time()),
) -> Starlette:
    """The whole of a server but its socket. `sink`, where the intake puts what it took, is started and stopped by
    whoever made it. Exits go to `exits`; without that the store is asked in threads. Clients may call the server by
    `host_names` and those of the settings. `log_lines` gives the last of the log. Without `audit` nothing is recorded
    of who asks what. By `providers` people sign in."""
    services = replace(
        Services.made_from(stores, sink, settings, metrics or Metrics(), now, exits), providers=tuple(providers)
    )
    services.show_in_metrics()
    routes = Routes(services)
    agent_routes, health = routes.of_agents(), routes.of_health()
    public_routes = routes.of_datadogs_api()
    for_clients = [*public_routes, *(route for route in agent_routes if "GET" in (route.methods or ()))]
    app = Starlette(
        routes=[
            # They are tried in turn, and agents ask far more often than all others.
            *agent_routes,
            *routes.audited([*public_routes, *routes.of_admins(log_lines)], audit),
            *health,
            *openapi_routes(),
            *page_routes(),
        ],
        lifespan=services.evaluating_lifespan,
        # The first sees the response last.
        middleware=[
            Middleware(
                DirectPosts,
                # Of clients that have to show a certificate, only the usual way asks for it.
                routes=[] if settings.tls_client_ca else [one for one in agent_routes if one.path in _DIRECT_PATHS],
                metrics=services.metrics,
            ),
            Middleware(MeasureRequests, metrics=services.metrics),
            Middleware(AnswerHeaders),
            Middleware(
                CheckHost,
                allowed=AllowedHosts((*settings.allowed_hosts, name_of(settings.listen), *host_names)),
                open_paths=[route.path for route in (*agent_routes, *health) if route.path != METRICS_PATH],
            ),
            Middleware(Compress),
            Middleware(AnswerBugs),
            Middleware(StopOnDisconnect),
        ],
        exception_handlers={RequestError: ErrorAnswers().answer, HTTPException: RouteErrors(for_clients).answer},
    )
    # `/api/v2/processes/` is another path, and there is nothing.
    app.router.redirect_slashes = False
    return app
