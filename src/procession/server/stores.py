"""Where a server keeps everything, by the contracts of its store."""

from __future__ import annotations

from dataclasses import dataclass

from procession.storage import (
    AccountsAtHand,
    AnalysisStore,
    BackupStore,
    ChangeStore,
    ContainerStore,
    ErasureStore,
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
