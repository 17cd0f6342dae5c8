"""The real application over the oracle of the store, at a fixed moment, with two orgs and their keys."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp

from procession.accounts.orgs import Key, KeyKind, Org, hash_secret
from procession.accounts.scopes import Scope
from procession.audit import AuditWriter
from procession.config import ServerSettings
from procession.oidc import ProviderSettings
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.query import ProcessQuery
from procession.server import create_app
from procession.server.http.connection_limit import OpenConnections
from procession.server.http.server import HttpServer
from procession.storage import ProcessStore
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore
from tests.support.stores.stores import oracle_stores

ORG = 1
OTHER_ORG = 2
API_KEY = "a" * 32
APPLICATION_KEY = "b" * 40
ADMIN_KEY = "c" * 40
OTHER_API_KEY = "d" * 32
OTHER_APPLICATION_KEY = "e" * 40
PLAIN_APPLICATION_KEY = "9" * 40
"""Of the first org, without scopes; the other application keys have them all."""
PATH = "/api/v2/processes"
READER = {"dd-api-key": API_KEY, "dd-application-key": APPLICATION_KEY}
ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


@dataclass
class Clock:
    now: int = NOON

    def __call__(self) -> int:
        return self.now


class Client:
    """Talks to an application in this process, without a socket in between; tests need not be async for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://procession.test")

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._http.request(method, url, **options))

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)

    def forget_cookies(self) -> None:
        self._http.cookies.clear()

    def processes(self, query: str = "", **options: Any) -> httpx.Response:
        """As a reader of the first org, unless other headers are given."""
        return self.get(f"{PATH}?{query}", **({"headers": READER} | options))

    def close(self) -> None:
        self._runner.close()


class OtherFinder:
    """A store that answers queries in its own way."""

    def __init__(self, store: OracleStore, find: Callable[[ProcessQuery], Page]) -> None:
        self.add = store.add
        self.find = find
        self.add_live = store.add_live
        self.sightings_of = store.sightings_of
        self.add_exits = store.add_exits
        self.unknown_exits = store.unknown_exits
        self.details = store.details
        self.endings = store.endings
        self.inventory = store.inventory


class StoreSink:
    """Adds each snapshot by itself."""

    def __init__(self, store: ProcessStore) -> None:
        self._store = store

    async def add(self, org_id: int, snapshot: AnySnapshot) -> None:
        self._store.add([(org_id, snapshot)])


@dataclass
class Served:
    """What a test has at hand."""

    store: OracleStore
    clock: Clock = field(default_factory=Clock)
    settings: ServerSettings = field(default_factory=ServerSettings)
    audit: AuditWriter | None = None
    providers: tuple[ProviderSettings, ...] = ()
    find: Callable[[ProcessQuery], Page] | None = None
    """Answers queries instead of the store, where a test wants it otherwise."""

    def app(self) -> Starlette:
        return create_app(
            oracle_stores(self.store, OtherFinder(self.store, self.find) if self.find else None),
            sink=StoreSink(self.store),
            settings=self.settings,
            host_names=("procession.test",),
            audit=self.audit,
            providers=self.providers,
            now=self.clock,
        )

    @contextlib.contextmanager
    def server(self) -> Iterator[str]:
        """The application behind a real socket; gives its address."""
        with serving(self.app()) as url:
            yield url

    @staticmethod
    def get(url: str, headers: Mapping[str, str]) -> httpx.Response:
        return httpx.get(url, headers=headers, timeout=30)


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Runs an application on a free port of this machine, as `procession serve` does."""
    listener = socket.create_server(("127.0.0.1", 0))
    is_started = threading.Event()
    server = HttpServer(app, OpenConnections(1000), on_started=is_started.set)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    assert is_started.wait(30)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.stop()
    thread.join(30)
    listener.close()


def a_store() -> OracleStore:
    store = OracleStore()
    store.put_org(Org(ORG, "main"))
    store.put_org(Org(OTHER_ORG, "other"))
    for org_id, kind, secret in (
        (ORG, KeyKind.API, API_KEY),
        (ORG, KeyKind.APPLICATION, APPLICATION_KEY),
        (ORG, KeyKind.ADMIN, ADMIN_KEY),
        (OTHER_ORG, KeyKind.API, OTHER_API_KEY),
        (OTHER_ORG, KeyKind.APPLICATION, OTHER_APPLICATION_KEY),
        (ORG, KeyKind.APPLICATION, PLAIN_APPLICATION_KEY),
    ):
        scopes = frozenset(Scope if kind is KeyKind.APPLICATION and secret != PLAIN_APPLICATION_KEY else ())
        name = f"{kind.value} of {org_id}"
        store.put_key(Key(secret[:4], org_id, kind, name, hash_secret(secret), NOON - 3600, scopes=scopes))
    return store
