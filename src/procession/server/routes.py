"""What is served where."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import Route

from procession.audit import AuditWriter
from procession.server.access.client_certificates import asking_for_certificates
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sign_in_throttle import SignInThrottle
from procession.server.access.trusted_proxies import TrustedProxies
from procession.server.api.admin import admin_routes
from procession.server.api.administration.orgs import org_routes
from procession.server.api.administration.users import user_routes
from procession.server.api.analysis import analysis_routes
from procession.server.api.backup import backup_routes
from procession.server.api.containers.routes import container_routes
from procession.server.api.debug import debug_routes
from procession.server.api.health import health_routes
from procession.server.api.monitors.actions import MonitorActions
from procession.server.api.monitors.changes import ChangeList
from procession.server.api.monitors.history import MonitorHistory
from procession.server.api.people.org_users import OrgUsers
from procession.server.api.people.own_keys import OwnKeys
from procession.server.api.people.provider_sign_in import ProviderSignIn
from procession.server.api.people.session_list import session_list_routes
from procession.server.api.process_list import process_list_routes
from procession.server.api.session import sign_in_routes
from procession.server.api.single_process import single_process_routes
from procession.server.api.store import store_routes
from procession.server.api.views import view_routes
from procession.server.api.watch import watch_routes
from procession.server.audit.audit_list import AuditList
from procession.server.audit.audited_routes import audited
from procession.server.intake.events import EventHandler
from procession.server.intake.hosts import HostMetadataHandler
from procession.server.intake.ignored import IgnoredPostHandler
from procession.server.intake.payloads import PayloadHandler
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
from procession.server.services import Services


class Routes:
    """The routes of a server, by who asks them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def of_agents(self) -> list[Route]:
        """Where agents post."""
        routes = [
            *PayloadHandler(self._services.intake).routes,
            *HostMetadataHandler(self._services.intake).routes,
            *EventHandler(self._services.intake).routes,
            *IgnoredPostHandler(self._services.intake).routes,
            *KeyValidation(self._services.keys).api_key_routes,
        ]
        return asking_for_certificates(routes) if self._services.settings.tls_client_ca else routes

    def of_datadogs_api(self) -> list[Route]:
        """Datadog's API."""
        processes = PublicProcesses(
            self._services.stores.processes,
            keys=self._services.keys,
            limiter=RateLimiter(self._services.settings.rate_limit, self._services.now),
            threads=self._services.threads.queries,
            retention_hours=self._services.settings.retention_hours,
            now=self._services.now,
        )
        queries = PublicQueries(
            self._services.stores.analysis,
            self._services.stores.containers,
            self._services.stores.hosts,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
            sighting_retention_hours=self._services.settings.sighting_retention_hours,
            now=self._services.now,
        )
        return [
            *processes.routes,
            *KeyValidation(self._services.keys).routes,
            *queries.routes,
            *self._container_routes(),
            *self._host_routes(),
            *self._monitor_routes(),
        ]

    def _container_routes(self) -> list[Route]:
        containers = PublicContainers(
            self._services.stores.containers,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
            now=self._services.now,
        )
        return containers.routes

    def _host_routes(self) -> list[Route]:
        hosts = PublicHosts(
            self._services.stores.processes,
            self._services.stores.analysis,
            self._services.stores.hosts,
            self._services.stores.notification_settings,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
            now=self._services.now,
        )
        mutes = PublicHostMutes(
            self._services.stores.notification_settings,
            self._services.changes,
            self._services.notifications.notifier,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
            now=self._services.now,
        )
        tags = PublicHostTags(
            self._services.stores.hosts,
            self._services.host_tags,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
        )
        return [*hosts.routes, *tags.routes, *mutes.routes]

    def _monitor_routes(self) -> list[Route]:
        """Monitors, and where and when they notify."""
        monitors = PublicMonitors(
            self._services.stores.monitors,
            self._services.stores.notification_settings,
            self._services.changes,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
            now=self._services.now,
        )
        webhooks = PublicWebhooks(
            self._services.stores.notification_settings,
            self._services.changes,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
        )
        downtimes = PublicDowntimes(
            self._services.stores.notification_settings,
            self._services.stores.monitors,
            self._services.changes,
            self._services.notifications.notifier,
            sessions=self._services.sessions,
            limiter=RateLimiter(self._services.settings.own_rate_limit, self._services.now),
            threads=self._services.threads.queries,
            now=self._services.now,
        )
        return [*monitors.routes, *webhooks.routes, *downtimes.routes]

    def of_own_api(self) -> list[Route]:
        """Procession's API, for the page and the commands."""
        api, analysis = self._services.api, self._services.stores.analysis
        return [
            *process_list_routes(api, self._services.stores.processes, analysis),
            *single_process_routes(api, self._services.stores.processes, analysis),
            *analysis_routes(api, analysis, self._services.stores.hosts, self._services.intake.agents.versions),
            *container_routes(api, self._services.stores.containers, analysis),
            *view_routes(api, self._services.stores.views),
            *MonitorHistory(
                api,
                self._services.sessions,
                self._services.stores.monitors,
                self._services.stores.processes,
                analysis,
                self._services.stores.hosts,
                self._services.threads.queries,
                self._services.now,
            ).routes,
            *ChangeList(
                api,
                self._services.sessions,
                self._services.stores.changes,
                self._services.threads.queries,
                self._services.now,
            ).routes,
            *MonitorActions(
                api,
                self._services.sessions,
                self._services.stores.monitors,
                self._services.stores.notification_settings,
                self._services.notifications.notifier,
                self._services.threads.queries,
                self._services.now,
            ).routes,
            *store_routes(api, self._services.size),
            *channel_routes(
                api=api,
                settings=self._services.stores.notification_settings,
                changes=self._services.changes,
                outbox=self._services.stores.outbox,
                sessions=self._services.sessions,
                threads=self._services.threads.queries,
                now=self._services.now,
                notifier=self._services.notifications.notifier,
            ),
            *self._sign_in_routes(),
            *session_list_routes(api, self._services.sessions),
            *self._people_routes(),
            *watch_routes(api=api, sessions=self._services.sessions, watches=self._services.watches),
        ]

    def _people_routes(self) -> list[Route]:
        """The own keys of whoever is signed in, and the users of an org."""
        own_keys = OwnKeys(
            self._services.api,
            self._services.sessions,
            self._services.stores.keys,
            self._services.keys,
            self._services.changes,
            self._services.threads.keys,
            self._services.now,
        )
        users = OrgUsers(
            self._services.api,
            self._services.sessions,
            self._services.stores.users,
            self._services.stores.keys,
            self._services.users,
            self._services.keys,
            self._services.changes,
            self._services.threads.keys,
            self._services.now,
        )
        return [*own_keys.routes, *users.routes]

    def _sign_in_routes(self) -> list[Route]:
        """In and out, by whatever one shows."""
        throttle = SignInThrottle(self._services.settings.sign_in_limit, self._services.now)
        by_provider = ProviderSignIn(
            self._services.providers,
            settings=self._services.settings,
            sessions=self._services.sessions,
            users=self._services.stores.users,
            orgs=self._services.stores.keys,
            changes=self._services.changes,
            throttle=throttle,
            thread=self._services.threads.keys,
            asking=self._services.threads.providers,
            now=self._services.now,
        )
        by_hand = sign_in_routes(
            api=self._services.api,
            sessions=self._services.sessions,
            keys=self._services.stores.keys,
            throttle=throttle,
            proxies=TrustedProxies(self._services.settings.trusted_proxies),
            thread=self._services.threads.keys,
            sign_out_url=by_provider.sign_out_url,
        )
        return [*by_hand, *by_provider.routes]

    def audited(self, others: Sequence[Route], audit: AuditWriter | None) -> Sequence[Route]:
        """Procession's API and other routes for people, all of whose requests leave a record."""
        auditors = AuditList(
            self._services.api, self._services.sessions, audit.folder if audit else None, self._services.threads.queries
        )
        routes = [*others, *self.of_own_api(), *auditors.routes]
        return audited(routes, audit, proxies=TrustedProxies(self._services.settings.trusted_proxies))

    def of_admins(self, log_lines: Callable[[], Sequence[str]]) -> list[Route]:
        """For whoever runs the server."""
        return [
            *debug_routes(
                keys=self._services.keys,
                size=self._services.size,
                settings=self._services.settings,
                log_lines=log_lines,
                now=self._services.now,
            ),
            *admin_routes(
                store=self._services.stores.keys,
                users=self._services.stores.users,
                hosts=self._services.stores.hosts,
                host_tags=self._services.host_tags,
                keys=self._services.keys,
                changes=self._services.changes,
                thread=self._services.threads.keys,
                now=self._services.now,
            ),
            *org_routes(
                store=self._services.stores.keys,
                keys=self._services.keys,
                erasure=self._services.stores.erasure,
                removals=self._services.removals,
                thread=self._services.threads.keys,
                counting=self._services.threads.size,
                now=self._services.now,
            ),
            *user_routes(
                store=self._services.stores.users,
                orgs=self._services.stores.keys,
                users=self._services.users,
                keys=self._services.keys,
                changes=self._services.changes,
                thread=self._services.threads.keys,
                now=self._services.now,
            ),
            *backup_routes(
                store=self._services.stores.backup, keys=self._services.keys, thread=self._services.threads.backup
            ),
        ]

    def of_health(self) -> list[Route]:
        return health_routes(keys=self._services.keys, metrics=self._services.metrics, size=self._services.size)
