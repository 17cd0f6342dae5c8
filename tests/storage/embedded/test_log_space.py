"""A log whose disk is full is emptied into the store at once, and takes again by itself."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from procession.errors import Unavailable
from procession.process import ProcessNumbers, Snapshot
from procession.query import ProcessQuery
from procession.storage import NotAllStored
from procession.storage.embedded.store import EmbeddedStore
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.storage.contract.test_oracle_comparison import scan
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.running import eventually
from tests.support.small_disk import small_disk
from tests.support.stores.oracle import OracleStore
from tests.support.stores.reopened_store import Failing, Reopened

_NAMES = ("rss_bytes", "vms_bytes", "shared_bytes", "swap_bytes", "voluntary_switches", "involuntary_switches")
_NONE = ProcessNumbers()
_org_ids = itertools.count(9_700_000)


@pytest.fixture
def reopened(clickhouse: ClickHouseStore, tmp_path: Path) -> Iterator[Reopened]:
    """Its log is on a small disk, together with its checkpoint, and its history is not."""
    with ExitStack() as ending:
        disk = ending.enter_context(small_disk(tmp_path / "disk", megabytes=1))
        made = Reopened(clickhouse, disk)
        ending.callback(lambda: made.store.close())
        yield made


def a_fleet() -> Iterator[Snapshot]:
    """Whose numbers never say the same again: 13 kB of log each."""
    chance = random.Random(18)
    for at in itertools.count(NOON, 10):
        running = [
            a_sighting(pid, numbers=msgspec.structs.replace(_NONE, **{name: chance.getrandbits(60) for name in _NAMES}))
            for pid in range(1, 251)
        ]
        yield a_snapshot(*running, host="web-1", taken_at=at, request_id=at, split_id=at, chunk_count=1)


def is_taken(store: EmbeddedStore, org: int, snapshot: Snapshot) -> bool:
    try:
        store.add([(org, snapshot)])
    except NotAllStored:
        return False
    return True


def test_a_full_disk_is_emptied_into_the_store_and_takes_again_by_itself(reopened: Reopened) -> None:
    org, oracle, store = next(_org_ids), OracleStore(), reopened.store
    refused = size = 0
    for snapshot in a_fleet():
        if not is_taken(store, org, snapshot):
            refused += 1
            assert store.log_status().failure == "no space left on device"
            # As its agent does, which nobody tells when.
            eventually(lambda: is_taken(store, org, snapshot), what="space")  # noqa: B023
        oracle.add([(org, snapshot)])
        size += 250 * 8 * len(_NAMES)
        if size > 1.3 * 2**20:
            break

    assert refused
    assert store.log_status().failure == ""
    assert store.log_status().released_segments >= 1
    query = ProcessQuery(org, Window(NOON - 1, snapshot.taken_at), limit=10**6)
    for _ in range(2):
        assert tuple(scan(store, query, itertools.cycle([700]))) == oracle.find(query).processes
        reopened.restart(flushes=False)
        store = reopened.store


def test_what_the_store_does_not_take_stays_in_the_log_however_full_its_disk_is(
    clickhouse: ClickHouseStore, reopened: Reopened
) -> None:
    org, oracle, store = next(_org_ids), OracleStore(), reopened.store
    store.flush_to(Failing(clickhouse))
    for snapshot in a_fleet():
        if not is_taken(store, org, snapshot):
            break
        oracle.add([(org, snapshot)])
    with pytest.raises(Unavailable):
        store.flush()
    held = store.log_status()

    assert not is_taken(store, org, snapshot)
    assert (store.log_status().first_sequence, store.log_status().released_segments) == (held.first_sequence, 0)
    reopened.restart(flushes=False)
    query = ProcessQuery(org, Window(NOON - 1, snapshot.taken_at), limit=10**6)
    assert tuple(scan(reopened.store, query, itertools.cycle([700]))) == oracle.find(query).processes
