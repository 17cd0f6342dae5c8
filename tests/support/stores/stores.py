"""What an application is made over, of one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procession.server.stores import Stores
from procession.storage import KeyStore, ReadStore
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.changes_oracle import OracleChanges
from tests.support.stores.monitors_oracle import OracleMonitors
from tests.support.stores.notification_oracle import OracleNotifications
from tests.support.stores.oracle import OracleStore

if TYPE_CHECKING:
    from procession.storage.embedded.store import EmbeddedStore
    from procession.storage.store import ClickHouseStore


def oracle_stores(store: OracleStore, finder: ReadStore | None = None) -> Stores:
    """`finder`: finds processes instead of the store."""
    analysis, notifications = OracleAnalysis(store), OracleNotifications()
    return Stores(
        processes=finder or store,
        analysis=analysis,
        keys=store,
        hosts=store,
        containers=store.containers,
        sessions=store,
        users=store,
        views=analysis,
        monitors=OracleMonitors(),
        changes=OracleChanges(),
        rollup=analysis,
        erasure=store,
        notification_settings=notifications,
        outbox=notifications,
    )


def clickhouse_stores(store: ClickHouseStore | EmbeddedStore, keys: KeyStore | None = None) -> Stores:
    """`keys`: has the keys instead of the store."""
    return Stores(
        processes=store,
        analysis=store.analysis,
        keys=keys or store.keys,
        hosts=store.hosts,
        containers=store.containers,
        sessions=store.sessions,
        users=store.users,
        views=store.views,
        monitors=store.monitors,
        changes=store.changes,
        rollup=store.rollup,
        erasure=store.erasure,
        notification_settings=store.notification_settings,
        outbox=store.outbox,
    )
