"""What answers requests, and the tasks beside them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.applications import Starlette

from procession.config import ServerSettings
from procession.delivery.notifications import Notifications
from procession.oidc import ProviderSettings
from procession.server.access.key_cache import KeyCache
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.session_cookies import SessionCookies
from procession.server.access.sessions import Sessions
from procession.server.access.user_cache import UserCache
from procession.server.api.routes import ApiRouter
from procession.server.api.store import StoreSize
from procession.server.intake.agents import Agents
from procession.server.intake.intake import Intake
from procession.server.intake.quota import MemoryQuota
from procession.server.intake.refusal_log import RefusalLog
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.server.runtime.hosts.host_notices import HostNotices
from procession.server.runtime.metrics import CountingSink, Metrics, Sink
from procession.server.runtime.monitor_task import MonitorTask
from procession.server.runtime.orgs.removal_task import RemovalTask
from procession.server.runtime.rollup_task import RollupTask
from procession.server.runtime.watch_cache import WatchCache
from procession.server.stores import Stores
from procession.server.threads import ThreadPools
from procession.storage import (
    ExitSink,
)


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
        sessions = Sessions(stores.sessions, keys, users, threads.keys, now, SessionCookies(settings))
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
