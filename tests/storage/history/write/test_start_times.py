"""Of a batch, only hosts of which it is in doubt who has ended are stored one moment after the other."""

from __future__ import annotations

import itertools

from procession.process import Snapshot, host_key
from procession.query import ProcessQuery
from procession.storage.history.write.start_times import by_moment
from procession.storage.store import ClickHouseStore
from procession.window import Window
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.oracle import OracleStore

_org_ids = itertools.count(9_700_001)
STARTED = NOON - 5000


def whole(host: str, at: int, *starts: int) -> Snapshot:
    """A complete snapshot of one chunk, of pids from 1 on."""
    sightings = [a_sighting(pid, start) for pid, start in enumerate(starts, 1)]
    return a_snapshot(*sightings, host=host, taken_at=at, request_id=at, split_id=at, chunk_count=1)


def test_hosts_that_are_in_doubt_go_moment_by_moment_and_all_others_at_once() -> None:
    moments = (NOON, NOON + 10, NOON + 20)
    chunks = [(org, whole(host, at)) for at in moments for org, host in ((1, "doubt"), (1, "web-1"), (2, "doubt"))]

    parts = [[(org, one.host, one.taken_at - NOON) for org, one in part] for part in by_moment(chunks, doubtful(1))]

    others = [[(1, "web-1", after), (2, "doubt", after)] for after in (0, 10, 20)]
    assert parts == [
        [(1, "doubt", 0), *itertools.chain(*others)],
        [(1, "doubt", 10)],
        [(1, "doubt", 20)],
    ]


def doubtful(org: int) -> set[tuple[int, int]]:
    return {(org, host_key("doubt"))}


def test_nothing_that_comes_again_overtakes_what_waits() -> None:
    chunks = [(1, whole("doubt", at)) for at in (NOON, NOON + 10, NOON, NOON + 10)]

    parts = [[one.taken_at - NOON for _, one in part] for part in by_moment(chunks, doubtful(1))]

    assert parts == [[0], [10], [0], [10]]


def test_a_batch_of_hosts_in_doubt_and_others_is_stored_as_the_oracle_has_it(clickhouse: ClickHouseStore) -> None:
    org, oracle = next(_org_ids), OracleStore()
    chunks = []
    for step, at in enumerate(range(NOON, NOON + 60, 10)):
        # Its starts shift and shift back, and one of its pids is free in between.
        of_doubt = [STARTED + step % 2, STARTED + 50 + step % 2]
        chunks.append((org, whole("doubt", at, *of_doubt[: 1 if step == 3 else 2])))
        chunks.append((org, whole("web-1", at, STARTED, STARTED + 50, *([STARTED + 90] if step > 2 else []))))

    for one in (clickhouse, oracle):
        one.add(chunks)

    for until in range(NOON, NOON + 60, 10):
        query = ProcessQuery(org, Window(NOON - 1, until))
        assert clickhouse.find(query).processes == oracle.find(query).processes
