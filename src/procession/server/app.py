"""The application: what is served where, and what it is made of."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from procession.audit import AuditWriter
from procession.config import ServerSettings
from procession.delivery.notifications import Notifications
from procession.errors import RequestError
from procession.oidc import ProviderSettings
from procession.server.access.client_certificates import asking_for_certificates
from procession.server.access.key_cache import KeyCache
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.access.sign_in_throttle import SignInThrottle
from procession.server.access.trusted_proxies import TrustedProxies
from procession.server.access.user_cache import UserCache
from procession.server.api.admin import admin_routes
from procession.server.api.administration.orgs import org_routes
from procession.server.api.administration.users import user_routes
from procession.server.api.analysis import analysis_routes
from procession.server.api.backup import backup_routes
from procession.server.api.containers.routes import container_routes
from procession.server.api.debug import debug_routes
from procession.server.api.health import METRICS_PATH, health_routes
from procession.server.api.monitors.actions import MonitorActions
from procession.server.api.monitors.changes import ChangeList
from procession.server.api.monitors.history import MonitorHistory
from procession.server.api.people.org_users import OrgUsers
from procession.server.api.people.own_keys import OwnKeys
from procession.server.api.people.provider_sign_in import ProviderSignIn
from procession.server.api.people.session_list import session_list_routes
from procession.server.api.process_list import process_list_routes
from procession.server.api.routes import ApiRouter
from procession.server.api.session import sign_in_routes
from procession.server.api.single_process import single_process_routes
from procession.server.api.store import StoreSize, store_routes
from procession.server.api.views import view_routes
from procession.server.api.watch import watch_routes
from procession.server.audit.audit_list import AuditList
from procession.server.audit.audited_routes import audited
from procession.server.http.compression import Compress
from procession.server.http.errors import AnswerBugs, ErrorAnswers, RouteErrors
from procession.server.http.host_names import AllowedHosts, CheckHost, name_of
from procession.server.http.responses import AnswerHeaders
from procession.server.intake.agents import Agents
from procession.server.intake.events import PATH as EVENTS_PATH
from procession.server.intake.events import EventHandler
from procession.server.intake.hosts import HostMetadataHandler
from procession.server.intake.ignored import IgnoredPostHandler
from procession.server.intake.intake import Intake
from procession.server.intake.payloads import PAYLOAD_PATHS, PayloadHandler
from procession.server.intake.quota import MemoryQuota
from procession.server.intake.refusal_log import RefusalLog
from procession.server.notifications.channels import channel_routes
from procession.server.notifications.downtimes import PublicDowntimes
from procession.server.notifications.host_mutes import PublicHostMutes
from procession.server.notifications.webhooks import PublicWebhooks
from procession.server.public.containers import PublicContainers
from procession.server.public.host_tags import PublicHostTags
from procession.server.public.hosts import PublicHosts
from procession.server.public.key_validation import KeyValidation
from procession.server.public.monitors import PublicMonitors
from procession.server.public.processes import PublicProcesses
from procession.server.public.query.queries import PublicQueries
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.direct_posts import DirectPosts
from procession.server.runtime.disconnect import StopOnDisconnect
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.server.runtime.hosts.host_notices import HostNotices
from procession.server.runtime.metrics import CountingSink, MeasureRequests, Metrics, Sink
from procession.server.runtime.monitor_task import MonitorTask
from procession.server.runtime.orgs.removal_task import RemovalTask
from procession.server.runtime.rollup_task import RollupTask
from procession.server.runtime.thread_pools import FairThreadPool, ThreadPool
from procession.server.runtime.watch_cache import WatchCache
from procession.server.web.assets import page_routes
from procession.server.web.openapi import openapi_routes
from procession.storage import (
    AccountsAtHand,
    AnalysisStore,
    BackupStore,
    ChangeStore,
    ContainerStore,
    ErasureStore,
    ExitSink,
    HostStore,
    KeyStore,
    MonitorStore,
    NotificationSettingsStore,
    OutboxStore,
    ReadStore,
    RollupStore,
    SessionStore,
    UserStore,
    ViewStore,
)

_DIRECT_PATHS = (*PAYLOAD_PATHS, EVENTS_PATH)

QUERY_THREADS = 8
"""Queries that the store works on at once; the others wait."""


@dataclass(frozen=True, kw_only=True)
class Stores:
    """Where everything is kept: one store, by its contracts."""

    processes: ReadStore
    analysis: AnalysisStore
    keys: KeyStore
    hosts: HostStore
    accounts_at_hand: AccountsAtHand | None = None
    """What of these two has not to be read each time."""
    containers: ContainerStore
    sessions: SessionStore
    users: UserStore
    views: ViewStore
    monitors: MonitorStore
    changes: ChangeStore
    rollup: RollupStore
    erasure: ErasureStore
    backup: BackupStore | None = None
    """None: it is on servers, which make backups of their own."""
    notification_settings: NotificationSettingsStore
    outbox: OutboxStore


@dataclass(frozen=True, kw_only=True)
class ThreadPools:
    """Every thread on which the server waits for the store, or decodes."""

    queries: FairThreadPool
    keys: ThreadPool
    """What every request needs is on a thread of its own."""
    hosts: ThreadPool
    """And so is what every payload needs."""
    host_tags: FairThreadPool
    details: ThreadPool
    decode: FairThreadPool
    rollup: ThreadPool
    size: ThreadPool
    backup: ThreadPool
    monitors: ThreadPool
    removals: ThreadPool
    passwords: FairThreadPool
    providers: ThreadPool
    """Where sign-ins wait for their provider."""

    @classmethod
    def start(cls) -> ThreadPools:
        return cls(
            queries=FairThreadPool(QUERY_THREADS, "query"),
            keys=ThreadPool(1, "keys"),
            hosts=ThreadPool(1, "hosts"),
            # A fleet may be started at once.
            host_tags=FairThreadPool(1, "tags", items="tags of hosts", max_waiting=2000),
            details=ThreadPool(2, "events"),
            # One: decoding holds the interpreter, so that a second would only slow down the rest. How many bytes may
            # wait is bounded by the quota of the intake.
            decode=FairThreadPool(1, "decode", items="payloads", max_waiting=2000),
            rollup=ThreadPool(1, "roll-up"),
            size=ThreadPool(1, "size"),
            backup=ThreadPool(1, "backup"),
            monitors=ThreadPool(1, "monitors"),
            removals=ThreadPool(1, "removals"),
            # One: each try takes memory and a processor for a while, and whoever tries need not be anybody.
            passwords=FairThreadPool(1, "passwords", items="people who sign in", max_waiting=50),
            providers=ThreadPool(4, "providers"),
        )

    def close(self) -> None:
        """Calls under way finish on their own; those that wait are dropped."""
        for pool in (self.queries, self.decode, self.host_tags, self.passwords):
            pool.close()
        single = (
            self.keys,
            self.hosts,
            self.details,
            self.rollup,
            self.size,
            self.backup,
            self.monitors,
            self.removals,
            self.providers,
        )
        for threads in single:
            threads.close()


@dataclass(frozen=True, kw_only=True)
class Services:
    """What answers requests: made once, and shared by the routes."""

    stores: Stores
    settings: ServerSettings
    metrics: Metrics
    threads: ThreadPools
    now: Callable[[], int]
    keys: KeyCache
    users: UserCache
    sessions: Sessions
    host_tags: HostTagCache
    watches: WatchCache
    monitors: MonitorTask
    size: StoreSize
    api: ApiRouter
    intake: Intake
    changes: ChangeRecorder
    rollup: RollupTask
    removals: RemovalTask
    notifications: Notifications
    """Its `notifier` takes the transitions of monitors."""
    providers: tuple[ProviderSettings, ...] = ()
    """By which people sign in."""

    # Long because each service is made by a line of its own.
    @classmethod
    def made_from(
        cls,
        stores: Stores,
        sink: Sink,
        settings: ServerSettings,
        metrics: Metrics,
        now: Callable[[], int],
        exits: ExitSink | None = None,
    ) -> Services:
        threads = ThreadPools.start()
        at_hand = stores.accounts_at_hand
        keys = KeyCache(stores.keys, threads.keys, users=stores.users, now=now, at_hand=at_hand)
        users = UserCache(stores.users, threads.keys, threads.passwords)
        sessions = Sessions(stores.sessions, keys, users, threads.keys, now)
        host_tags = HostTagCache(stores.hosts, threads.hosts, threads.host_tags, now, at_hand=at_hand)
        watches = WatchCache(stores.hosts, threads.hosts, now, at_hand=at_hand)
        agents = Agents()
        counting_sink = CountingSink(sink, metrics.sightings)
        metrics.waiting_sightings.read = lambda: {(): counting_sink.waiting}
        notifications = Notifications.made_from(
            stores.notification_settings, stores.outbox, stores.monitors, stores.keys, settings, now
        )
        return cls(
            stores=stores,
            settings=settings,
            metrics=metrics,
            threads=threads,
            now=now,
            keys=keys,
            users=users,
            sessions=sessions,
            host_tags=host_tags,
            watches=watches,
            monitors=_monitor_task(stores, notifications, threads, now),
            size=StoreSize(stores.processes, threads.size, now),
            api=ApiRouter(
                sessions=sessions,
                limiter=RateLimiter(settings.own_rate_limit, now),
                threads=threads.queries,
                retention_hours=settings.retention_hours,
                sighting_retention_hours=settings.sighting_retention_hours,
                now=now,
                blind_hosts=agents.blind_hosts,
                find_processes=stores.processes.find,
            ),
            intake=Intake(
                settings=settings,
                now=now,
                keys=keys,
                agents=agents,
                host_tags=host_tags,
                notices=HostNotices(stores.hosts, threads.hosts, now),
                watches=watches,
                quota=MemoryQuota(settings.max_intake_bytes),
                decode_threads=threads.decode,
                sink=counting_sink,
                exits=exits,
                store=stores.processes,
                containers=stores.containers,
                store_threads=threads.details,
                dropped=metrics.dropped_sightings,
                refusal_log=RefusalLog(now),
            ),
            changes=ChangeRecorder(stores.changes, now),
            rollup=RollupTask(stores.rollup, stores.keys, threads.rollup),
            removals=RemovalTask(stores.keys, stores.erasure, threads.removals, now),
            notifications=notifications,
        )

    def show_in_metrics(self) -> None:
        """Let the gauges read what the services know of themselves."""
        self.metrics.agents.read = self.intake.agents.by_version
        self.metrics.blind_agents.read = lambda: {(): self.intake.agents.blind()}
        self.metrics.watch_leases.read = lambda: {(): self.watches.held}
        dispatcher = self.notifications.dispatcher
        self.metrics.notifications.read = dispatcher.counts
        self.metrics.failing_channels.read = lambda: {
            (): sum(channel.is_failing for channel in dispatcher.health().values())
        }
        self.size.show_in(self.metrics)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        with self.notifications.running():
            async with (
                self.rollup.running(),
                self.removals.running(),
                self.intake.agents.watched(),
                self.intake.notices.running(),
                self.keys.uses.running(),
            ):
                yield
                await self.intake.notices.write()
                await self.keys.uses.write()
        self.threads.close()

    @contextlib.asynccontextmanager
    async def evaluating_lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """The same, and monitors are evaluated."""
        async with self.lifespan(app), self.monitors.running():
            yield

    def agent_routes(self) -> list[Route]:
        """Where agents post."""
        routes = [
            *PayloadHandler(self.intake).routes,
            *HostMetadataHandler(self.intake).routes,
            *EventHandler(self.intake).routes,
            *IgnoredPostHandler(self.intake).routes,
            *KeyValidation(self.keys).api_key_routes,
        ]
        return asking_for_certificates(routes) if self.settings.tls_client_ca else routes

    def public_routes(self) -> list[Route]:
        """Datadog's API."""
        processes = PublicProcesses(
            self.stores.processes,
            keys=self.keys,
            limiter=RateLimiter(self.settings.rate_limit, self.now),
            threads=self.threads.queries,
            retention_hours=self.settings.retention_hours,
            now=self.now,
        )
        queries = PublicQueries(
            self.stores.analysis,
            self.stores.containers,
            self.stores.hosts,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
            sighting_retention_hours=self.settings.sighting_retention_hours,
            now=self.now,
        )
        return [
            *processes.routes,
            *KeyValidation(self.keys).routes,
            *queries.routes,
            *self._container_routes(),
            *self._host_routes(),
            *self._monitor_routes(),
        ]

    def _container_routes(self) -> list[Route]:
        containers = PublicContainers(
            self.stores.containers,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
            now=self.now,
        )
        return containers.routes

    def _host_routes(self) -> list[Route]:
        hosts = PublicHosts(
            self.stores.processes,
            self.stores.analysis,
            self.stores.hosts,
            self.stores.notification_settings,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
            now=self.now,
        )
        mutes = PublicHostMutes(
            self.stores.notification_settings,
            self.changes,
            self.notifications.notifier,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
            now=self.now,
        )
        tags = PublicHostTags(
            self.stores.hosts,
            self.host_tags,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
        )
        return [*hosts.routes, *tags.routes, *mutes.routes]

    def _monitor_routes(self) -> list[Route]:
        """Monitors, and where and when they notify."""
        monitors = PublicMonitors(
            self.stores.monitors,
            self.stores.notification_settings,
            self.changes,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
            now=self.now,
        )
        webhooks = PublicWebhooks(
            self.stores.notification_settings,
            self.changes,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
        )
        downtimes = PublicDowntimes(
            self.stores.notification_settings,
            self.stores.monitors,
            self.changes,
            self.notifications.notifier,
            sessions=self.sessions,
            limiter=RateLimiter(self.settings.own_rate_limit, self.now),
            threads=self.threads.queries,
            now=self.now,
        )
        return [*monitors.routes, *webhooks.routes, *downtimes.routes]

    def api_routes(self) -> list[Route]:
        """Procession's API, for the page and the commands."""
        api, analysis = self.api, self.stores.analysis
        return [
            *process_list_routes(api, self.stores.processes, analysis),
            *single_process_routes(api, self.stores.processes, analysis),
            *analysis_routes(api, analysis, self.stores.hosts, self.intake.agents.versions),
            *container_routes(api, self.stores.containers, analysis),
            *view_routes(api, self.stores.views),
            *MonitorHistory(
                api,
                self.sessions,
                self.stores.monitors,
                self.stores.processes,
                analysis,
                self.stores.hosts,
                self.threads.queries,
                self.now,
            ).routes,
            *ChangeList(api, self.sessions, self.stores.changes, self.threads.queries, self.now).routes,
            *MonitorActions(
                api,
                self.sessions,
                self.stores.monitors,
                self.stores.notification_settings,
                self.notifications.notifier,
                self.threads.queries,
                self.now,
            ).routes,
            *store_routes(api, self.size),
            *channel_routes(
                api=api,
                settings=self.stores.notification_settings,
                changes=self.changes,
                outbox=self.stores.outbox,
                sessions=self.sessions,
                threads=self.threads.queries,
                now=self.now,
                notifier=self.notifications.notifier,
            ),
            *self._sign_in_routes(),
            *session_list_routes(api, self.sessions),
            *self._people_routes(),
            *watch_routes(api=api, sessions=self.sessions, watches=self.watches),
        ]

    def _people_routes(self) -> list[Route]:
        """The own keys of whoever is signed in, and the users of an org."""
        own_keys = OwnKeys(
            self.api, self.sessions, self.stores.keys, self.keys, self.changes, self.threads.keys, self.now
        )
        users = OrgUsers(
            self.api,
            self.sessions,
            self.stores.users,
            self.stores.keys,
            self.users,
            self.keys,
            self.changes,
            self.threads.keys,
            self.now,
        )
        return [*own_keys.routes, *users.routes]

    def _sign_in_routes(self) -> list[Route]:
        """In and out, by whatever one shows."""
        throttle = SignInThrottle(self.settings.sign_in_limit, self.now)
        by_provider = ProviderSignIn(
            self.providers,
            settings=self.settings,
            sessions=self.sessions,
            users=self.stores.users,
            orgs=self.stores.keys,
            changes=self.changes,
            throttle=throttle,
            thread=self.threads.keys,
            asking=self.threads.providers,
            now=self.now,
        )
        by_hand = sign_in_routes(
            api=self.api,
            sessions=self.sessions,
            keys=self.stores.keys,
            throttle=throttle,
            proxies=TrustedProxies(self.settings.trusted_proxies),
            thread=self.threads.keys,
            sign_out_url=by_provider.sign_out_url,
        )
        return [*by_hand, *by_provider.routes]

    def audited_routes(self, others: Sequence[Route], audit: AuditWriter | None) -> Sequence[Route]:
        """Procession's API and other routes for people, all of whose requests leave a record."""
        auditors = AuditList(self.api, self.sessions, audit.folder if audit else None, self.threads.queries)
        routes = [*others, *self.api_routes(), *auditors.routes]
        return audited(routes, audit, proxies=TrustedProxies(self.settings.trusted_proxies))

    def admin_routes(self, log_lines: Callable[[], Sequence[str]]) -> list[Route]:
        """For whoever runs the server."""
        return [
            *debug_routes(keys=self.keys, size=self.size, settings=self.settings, log_lines=log_lines, now=self.now),
            *admin_routes(
                store=self.stores.keys,
                users=self.stores.users,
                hosts=self.stores.hosts,
                host_tags=self.host_tags,
                keys=self.keys,
                changes=self.changes,
                thread=self.threads.keys,
                now=self.now,
            ),
            *org_routes(
                store=self.stores.keys,
                keys=self.keys,
                erasure=self.stores.erasure,
                removals=self.removals,
                thread=self.threads.keys,
                counting=self.threads.size,
                now=self.now,
            ),
            *user_routes(
                store=self.stores.users,
                orgs=self.stores.keys,
                users=self.users,
                keys=self.keys,
                changes=self.changes,
                thread=self.threads.keys,
                now=self.now,
            ),
            *backup_routes(store=self.stores.backup, keys=self.keys, thread=self.threads.backup),
        ]

    def health_routes(self) -> list[Route]:
        return health_routes(keys=self.keys, metrics=self.metrics, size=self.size)


def _monitor_task(
    stores: Stores, notifications: Notifications, threads: ThreadPools, now: Callable[[], int]
) -> MonitorTask:
    return MonitorTask(
        stores.monitors,
        stores.processes,
        stores.analysis,
        stores.hosts,
        notifications.notifier,
        threads.monitors,
        now,
        is_only_server=stores.keys.is_only_writer,
    )


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
    agent_routes, health = services.agent_routes(), services.health_routes()
    public_routes = services.public_routes()
    for_clients = [*public_routes, *(route for route in agent_routes if "GET" in (route.methods or ()))]
    app = Starlette(
        routes=[
            # They are tried in turn, and agents ask far more often than all others.
            *agent_routes,
            *services.audited_routes([*public_routes, *services.admin_routes(log_lines)], audit),
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
