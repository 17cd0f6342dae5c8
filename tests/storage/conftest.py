"""The stores that keep the contract, opened for the tests of one file and closed after them."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from procession.storage import DetailStore, HostStore, KeyStore, ProcessStore
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.embedded_store import open_embedded
from procession.storage.folder_version import VERSION_FILE
from procession.storage.history.engine.embedded import ENGINE_FILES, EmbeddedEngine
from procession.storage.history.write.presence_writer import PresenceWriter
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON
from tests.support.stores.fleet import Fleet
from tests.support.stores.folders import quick_folder
from tests.support.stores.live_store import LiveStore
from tests.support.stores.oracle import OracleStore

THIRTY_YEARS = 30 * 365 * 24
"""Hours to keep everything for: the tests' moments are long past."""

SOON = NOON + 60
"""After most of them."""

_org_ids = itertools.count(1)


class Store(ProcessStore, DetailStore, Protocol):
    """The contracts over processes."""


def opened(folder: Path) -> EmbeddedStore:
    return open_embedded(
        folder,
        retention_hours=THIRTY_YEARS,
        sighting_retention_hours=THIRTY_YEARS,
        live_retention_hours=THIRTY_YEARS,
        forced_seconds=0,  # the tests ask about each moment of the past right after it
    )


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of which only the tables are left, as a first start made them: to make them takes longer than to
    open them. How they are made has tests of its own."""
    with quick_folder(tmp_path_factory.mktemp("tables")) as folder:
        opened(folder / "made").close()
        for name in (ENGINE_FILES, VERSION_FILE):
            (folder / "made" / name).rename(folder / name)
        shutil.rmtree(folder / "made")
        yield folder


@pytest.fixture(scope="module")
def embedded(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """As a server has it that keeps everything in its data folder."""
    # The engine takes one folder per OS process at a time, and opening one costs a second: so one for a file of tests.
    with quick_folder(tmp_path_factory.mktemp("store")) as folder:
        shutil.copytree(tables, folder, symlinks=True, dirs_exist_ok=True)
        store = opened(folder)
        yield store
        store.close()


@pytest.fixture(scope="module")
def clickhouse(embedded: EmbeddedStore) -> ClickHouseStore:
    """Its history alone, for orgs that nobody else writes to."""
    assert isinstance(embedded.history, ClickHouseStore)
    return embedded.history


@pytest.fixture(scope="module")
def waiting(clickhouse: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory) -> ClickHouseStore:
    """The same tables, at a time at which the presence of what tests store waits until somebody asks."""
    engine = clickhouse._engine
    assert isinstance(engine, EmbeddedEngine)
    note = tmp_path_factory.mktemp("note") / "presence.unwritten"
    return ClickHouseStore(
        engine,
        now=lambda: SOON,
        is_only_writer=True,
        sighting_retention_hours=THIRTY_YEARS,
        presence=PresenceWriter(engine, note, writing=engine.gate.writing, now=lambda: SOON),
    )


SERVERS = ["server_store", "cluster_store"] + (["named_store"] if os.environ.get("PROCESSION_TEST_CLICKHOUSE") else [])
"""One node over HTTP, two shards with two replicas each, and what a variable names."""


@pytest.fixture(params=["oracle", "live", "embedded", "waiting", *SERVERS])
def any_store(request: pytest.FixtureRequest) -> OracleStore | EmbeddedStore | ClickHouseStore:
    if request.param == "oracle":
        return OracleStore()
    if request.param == "live":
        return LiveStore()
    found: EmbeddedStore | ClickHouseStore = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def store(any_store: OracleStore | EmbeddedStore | ClickHouseStore) -> Store:
    return any_store


@pytest.fixture
def stored_keys(any_store: OracleStore | EmbeddedStore | ClickHouseStore) -> KeyStore:
    return any_store if isinstance(any_store, OracleStore) else any_store.keys


@pytest.fixture
def hosts(any_store: OracleStore | EmbeddedStore | ClickHouseStore) -> HostStore:
    return any_store if isinstance(any_store, OracleStore) else any_store.hosts


@pytest.fixture
def org() -> int:
    """An org that nobody has used: what keeps tests on one store apart."""
    return next(_org_ids)


@pytest.fixture
def fleet(store: Store, org: int) -> Fleet:
    return Fleet(store, org)
