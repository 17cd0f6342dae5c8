"""The whole server over a real store, of which every statement is written down."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procession.config import ServerSettings
from procession.packed import AnySnapshot
from procession.process import ProcessNumbers
from procession.server import Stores, create_app
from procession.storage.embedded_store import open_history
from procession.storage.history.engine import embedded
from procession.storage.store import ClickHouseStore
from tests.support.asgi import Asker
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import ORG, Clock, a_store

YEARS = 20 * 365 * 24
"""In hours: from the moment of these tests to now."""


class StoreSink:
    def __init__(self, store: ClickHouseStore) -> None:
        self._store = store

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        self._store.add([(org_id, snapshot)])


@contextlib.contextmanager
def recorded(folder: Path, texts: set[str]) -> Iterator[Asker]:
    """With one process of the first org, seen just now. `texts` gets the text of whatever the store is told."""

    class Recording:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            method = getattr(self._connection, name)

            def call(text: Any, *arguments: Any, **options: Any) -> Any:
                texts.add(str(text))
                return method(text, *arguments, **options)

            return call if name in ("query", "query_arrow", "command", "insert_arrow", "insert") else method

    with pytest.MonkeyPatch.context() as patch:
        genuine = embedded.EmbeddedConnection
        patch.setattr(embedded, "EmbeddedConnection", lambda client, *rest: genuine(Recording(client), *rest))
        store = open_history(folder, retention_hours=YEARS, sighting_retention_hours=YEARS, now=Clock())
        numbers = ProcessNumbers(cpu_total_percent=1.5, rss_bytes=2**20)
        nginx = a_sighting(7, cmdline="nginx", tags=("env:prod",), numbers=numbers)
        store.add([(ORG, a_snapshot(nginx, host="web-1", taken_at=NOON - 5, chunk_count=1))])
        served = a_store()
        for org in served.orgs():
            store.keys.put_org(org)
        for key in served.keys():  # noqa: SIM118
            store.keys.put_key(key)
        app = create_app(
            Stores(
                processes=store,
                analysis=store.analysis,
                keys=store.keys,
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
            ),
            sink=StoreSink(store),
            settings=ServerSettings(
                retention_hours=YEARS,
                sighting_retention_hours=YEARS,
                rate_limit=0,
                own_rate_limit=0,
                sign_in_limit=0,
            ),
            host_names=("procession.test",),
            now=Clock(),
        )
        asker = Asker(app)
        yield asker
        asker.close()
        store.close()
